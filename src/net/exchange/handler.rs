//! The exchange on one direct connection: inbound streams read, one outbound stream written, a ping on demand.

use super::{
    inbound::{self, Inbound},
    probe,
};
use avocet_bitswap::wire::Message;
use bytes::Bytes;
use futures::{AsyncWriteExt, FutureExt, future::BoxFuture};
use libp2p::{
    Stream, StreamProtocol,
    core::upgrade::ReadyUpgrade,
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol,
        handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};
use std::{
    collections::VecDeque,
    io,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// The protocol that Helia speaks alone and Kubo prefers (specification: Bitswap 1.2.0).
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/ipfs/bitswap/1.2.0");
/// Inbound streams of one peer: one is all that a peer needs, js-libp2p allows 32, Kubo opens a few (bs-09).
const MAX_STREAMS: usize = 16;
/// Messages that may wait to be hashed; the streams are not read while so many do.
const MAX_UNPROCESSED: usize = 2;
/// Whoever lets a message wait this long reads no more: a slow reader must not hold a message for ever.
const WRITE_TIME: Duration = Duration::from_secs(60);

/// What the behaviour asks of a connection.
#[derive(Debug)]
pub enum Command {
    /// Write this message, prefix and all, in pieces. One at a time: the next after `Sent` or `SendFailed`.
    Send(Vec<Bytes>),
    /// Ask for a sign of life.
    Ping,
    /// A message that was handed over has been dealt with.
    Processed,
}

/// What a connection tells the behaviour.
#[derive(Debug)]
pub enum Report {
    /// A whole message came in. Answered by `Command::Processed`.
    Message(Message),
    /// Bytes of a message still under way.
    Receiving(usize),
    /// The message given last was taken by the transport.
    Sent,
    /// It was not: the stream broke, or the peer does not speak the protocol.
    SendFailed,
    /// The answer to a ping came back after this time.
    Pong,
    /// An inbound stream carried what is no message.
    Malformed,
}

/// Which stream was asked for.
#[derive(Debug)]
pub enum Purpose {
    /// For our messages.
    Exchange,
    /// For one ping.
    Ping,
}

enum Outbound {
    Closed,
    Opening,
    Idle(Stream),
    Writing(BoxFuture<'static, io::Result<Stream>>),
}

/// See the module.
pub struct Handler {
    inbound: Vec<Inbound>,
    outbound: Outbound,
    /// The message to write, until a stream is there for it.
    message: Option<Vec<Bytes>>,
    ping_due: bool,
    ping: Option<BoxFuture<'static, io::Result<()>>>,
    reports: VecDeque<Report>,
    unprocessed: usize,
    waker: Option<Waker>,
}

impl Handler {
    /// For a connection that has just been made.
    pub fn new() -> Self {
        Self {
            inbound: Vec::new(),
            outbound: Outbound::Closed,
            message: None,
            ping_due: false,
            ping: None,
            reports: VecDeque::new(),
            unprocessed: 0,
            waker: None,
        }
    }

    /// Moves the message towards the wire; a stream is asked for when there is none.
    fn poll_outbound(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            match std::mem::replace(&mut self.outbound, Outbound::Closed) {
                Outbound::Writing(mut write) => match write.poll_unpin(cx) {
                    Poll::Pending => {
                        self.outbound = Outbound::Writing(write);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(stream)) => {
                        self.outbound = Outbound::Idle(stream);
                        return Poll::Ready(Step::Report(Report::Sent));
                    }
                    Poll::Ready(Err(error)) => {
                        tracing::debug!(%error, "a message was not written");
                        return Poll::Ready(Step::Report(Report::SendFailed));
                    }
                },
                Outbound::Idle(stream) => match self.message.take() {
                    Some(message) => {
                        self.outbound = Outbound::Writing(write(stream, message).boxed());
                    }
                    None => {
                        self.outbound = Outbound::Idle(stream);
                        return Poll::Pending;
                    }
                },
                Outbound::Opening => {
                    self.outbound = Outbound::Opening;
                    return Poll::Pending;
                }
                Outbound::Closed if self.message.is_some() => {
                    self.outbound = Outbound::Opening;
                    return Poll::Ready(Step::Open(Purpose::Exchange));
                }
                Outbound::Closed => return Poll::Pending,
            }
        }
    }

    fn poll_ping(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if std::mem::take(&mut self.ping_due) && self.ping.is_none() {
            return Poll::Ready(Step::Open(Purpose::Ping));
        }
        if let Some(ping) = &mut self.ping
            && let Poll::Ready(answer) = ping.poll_unpin(cx)
        {
            self.ping = None;
            if answer.is_ok() {
                return Poll::Ready(Step::Report(Report::Pong));
            }
        }
        Poll::Pending
    }

    fn poll_inbound(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if self.unprocessed >= MAX_UNPROCESSED {
            return Poll::Pending;
        }
        let mut index = 0;
        while let Some(stream) = self.inbound.get_mut(index) {
            match stream.poll(cx) {
                Poll::Pending => index += 1,
                Poll::Ready(inbound::Event::Message(message)) => {
                    self.unprocessed += 1;
                    return Poll::Ready(Step::Report(Report::Message(message)));
                }
                Poll::Ready(inbound::Event::Receiving(bytes)) => {
                    return Poll::Ready(Step::Report(Report::Receiving(bytes)));
                }
                Poll::Ready(inbound::Event::Ended) => drop(self.inbound.swap_remove(index)),
                Poll::Ready(inbound::Event::Failed(fault)) => {
                    drop(self.inbound.swap_remove(index));
                    tracing::debug!(%fault, "an inbound stream was dropped");
                    if matches!(fault, inbound::Fault::Wire(_)) {
                        return Poll::Ready(Step::Report(Report::Malformed));
                    }
                }
            }
        }
        Poll::Pending
    }
}

/// What a poll led to.
enum Step {
    Report(Report),
    Open(Purpose),
}

async fn write(mut stream: Stream, message: Vec<Bytes>) -> io::Result<Stream> {
    let writing = async {
        for piece in &message {
            stream.write_all(piece).await?;
        }
        stream.flush().await
    };
    futures::pin_mut!(writing);
    let time = futures_timer::Delay::new(WRITE_TIME);
    match futures::future::select(writing, time).await {
        futures::future::Either::Left((written, _)) => written?,
        futures::future::Either::Right(_) => return Err(io::ErrorKind::TimedOut.into()),
    }
    Ok(stream)
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Command;
    type ToBehaviour = Report;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Purpose;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    /// A direct connection is worth keeping: making it took a relay and a second; the limit of connections ends it.
    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Purpose, Report>> {
        if let Some(report) = self.reports.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(report));
        }
        let step = match self.poll_outbound(cx) {
            Poll::Ready(step) => Some(step),
            Poll::Pending => match self.poll_ping(cx) {
                Poll::Ready(step) => Some(step),
                Poll::Pending => match self.poll_inbound(cx) {
                    Poll::Ready(step) => Some(step),
                    Poll::Pending => None,
                },
            },
        };
        match step {
            Some(Step::Report(report)) => {
                Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(report))
            }
            Some(Step::Open(purpose)) => {
                let name = match purpose {
                    Purpose::Exchange => PROTOCOL,
                    Purpose::Ping => libp2p::ping::PROTOCOL_NAME,
                };
                let protocol = SubstreamProtocol::new(ReadyUpgrade::new(name), purpose);
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
            }
            None => {
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn on_behaviour_event(&mut self, command: Command) {
        match command {
            Command::Send(message) => self.message = Some(message),
            Command::Ping => self.ping_due = true,
            Command::Processed => self.unprocessed = self.unprocessed.saturating_sub(1),
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol, (), Purpose>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol, ..
            }) => {
                // The eldest goes: a peer that opens a stream a message may leave the old ones half closed.
                if self.inbound.len() >= MAX_STREAMS {
                    drop(self.inbound.remove(0));
                }
                self.inbound.push(Inbound::new(protocol));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol,
                info,
            }) => match info {
                Purpose::Exchange => self.outbound = Outbound::Idle(protocol),
                Purpose::Ping => self.ping = Some(probe::ask(protocol).boxed()),
            },
            ConnectionEvent::DialUpgradeError(error) => {
                tracing::debug!(error = %error.error, purpose = ?error.info, "no stream");
                if matches!(error.info, Purpose::Exchange) {
                    self.outbound = Outbound::Closed;
                    self.message = None;
                    self.reports.push_back(Report::SendFailed);
                }
            }
            _ => {}
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
