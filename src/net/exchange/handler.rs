//! The exchange on one direct connection: inbound streams read, an outbound stream for each lane written, a
//! ping on demand.

use super::{
    inbound,
    outbound::{self, Outbound},
    probe,
    streams::Streams,
};
use avocet_bitswap::{
    Lane,
    wire::{self, Message},
};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use libp2p::{
    Stream, StreamProtocol,
    core::upgrade::ReadyUpgrade,
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol,
        handler::{
            ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound, ProtocolsChange,
        },
    },
};
use std::{
    collections::VecDeque,
    io,
    task::{Context, Poll, Waker},
};

/// The protocol that Helia speaks alone and Kubo prefers (specification: Bitswap 1.2.0).
pub const PROTOCOL: StreamProtocol = StreamProtocol::new(wire::PROTOCOL);
/// Bytes of messages that may wait to be hashed; the streams are not read while as many do. Kubo sends on eight streams
/// at once, of 256 KiB and more each.
const MAX_UNPROCESSED: usize = 4 * 1024 * 1024;
/// What the smallest message counts, so that no more than 16 wait.
const LEAST_COST: usize = MAX_UNPROCESSED / 16;
/// What we ask first: it is small.
const LANES: [Lane; 2] = [Lane::Asking, Lane::Answering];

/// What the behaviour asks of a connection.
#[derive(Debug)]
pub enum Command {
    /// Write this message, prefix and all. One a lane at a time: the next after `Sent` or `SendFailed`.
    Send(Lane, Bytes),
    /// Ask for a sign of life.
    Ping,
    /// A message that was handed over, of so many bytes, has been dealt with.
    Processed(usize),
}

/// What a connection tells the behaviour.
#[derive(Debug)]
pub enum Report {
    /// The peer speaks the protocol on this connection. Told once, before anything else.
    Speaks,
    /// A whole message came in. Answered by `Command::Processed`.
    Message(Message),
    /// Bytes of a message still under way.
    Receiving(usize),
    /// A message broke off after so many bytes of it were told.
    ReceiveFailed(usize),
    /// Part of the message given last was written.
    Sending(Lane),
    /// The message given last was taken by the transport.
    Sent(Lane),
    /// It was not: the stream broke, or the peer does not speak the protocol.
    SendFailed(Lane),
    /// A ping was answered.
    Pong,
    /// An inbound stream carried what is no message.
    Malformed,
}

/// Which stream was asked for.
#[derive(Debug)]
pub enum Purpose {
    /// For our messages on that lane.
    Exchange(Lane),
    /// For one ping.
    Ping,
}

/// See the module.
pub struct Handler {
    inbound: Streams,
    asking: Outbound<Stream>,
    answering: Outbound<Stream>,
    ping_due: bool,
    ping: Option<BoxFuture<'static, io::Result<()>>>,
    reports: VecDeque<Report>,
    /// Whether `Report::Speaks` was told.
    speaks: bool,
    unprocessed: usize,
    waker: Option<Waker>,
}

impl Handler {
    /// For a connection that has just been made.
    pub fn new() -> Self {
        Self {
            inbound: Streams::new(),
            asking: Outbound::new(),
            answering: Outbound::new(),
            ping_due: false,
            ping: None,
            reports: VecDeque::new(),
            speaks: false,
            unprocessed: 0,
            waker: None,
        }
    }

    fn poll_outbound(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        for lane in LANES {
            match self.outbound(lane).poll(cx) {
                Poll::Pending => {}
                Poll::Ready(outbound::Step::Open) => {
                    return Poll::Ready(Step::Open(Purpose::Exchange(lane)));
                }
                Poll::Ready(outbound::Step::Sending) => {
                    return Poll::Ready(Step::Report(Report::Sending(lane)));
                }
                Poll::Ready(outbound::Step::Sent) => {
                    return Poll::Ready(Step::Report(Report::Sent(lane)));
                }
                Poll::Ready(outbound::Step::Failed(error)) => {
                    tracing::debug!(%error, ?lane, "a message was not written");
                    return Poll::Ready(Step::Report(Report::SendFailed(lane)));
                }
            }
        }
        Poll::Pending
    }

    fn outbound(&mut self, lane: Lane) -> &mut Outbound<Stream> {
        match lane {
            Lane::Asking => &mut self.asking,
            Lane::Answering => &mut self.answering,
        }
    }

    /// A relay, say, does not: to ask it for blocks again and again would only end its connection.
    fn speaks(&mut self) {
        if !std::mem::replace(&mut self.speaks, true) {
            self.reports.push_front(Report::Speaks);
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
        let Poll::Ready(event) = self.inbound.poll(cx) else { return Poll::Pending };
        Poll::Ready(Step::Report(match event {
            inbound::Event::Message(message) => {
                self.unprocessed += message.size.max(LEAST_COST);
                Report::Message(message)
            }
            inbound::Event::Receiving(bytes) => Report::Receiving(bytes),
            inbound::Event::Failed { fault, told } => {
                tracing::debug!(%fault, "an inbound stream was dropped");
                match fault {
                    inbound::Fault::Wire(_) => Report::Malformed,
                    _ => Report::ReceiveFailed(told),
                }
            }
        }))
    }
}

/// What a poll led to.
enum Step {
    Report(Report),
    Open(Purpose),
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

    /// A direct connection with one who exchanges is worth keeping: making it took a relay and a second.
    fn connection_keep_alive(&self) -> bool {
        self.speaks
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
                    Purpose::Exchange(_) => PROTOCOL,
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
            Command::Send(lane, message) => self.outbound(lane).send(message),
            Command::Ping => self.ping_due = true,
            Command::Processed(size) => {
                self.unprocessed = self.unprocessed.saturating_sub(size.max(LEAST_COST));
            }
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
                self.speaks();
                self.inbound.accept(protocol);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol,
                info,
            }) => match info {
                Purpose::Exchange(lane) => self.outbound(lane).opened(protocol),
                Purpose::Ping => self.ping = Some(probe::ask(protocol).boxed()),
            },
            ConnectionEvent::RemoteProtocolsChange(ProtocolsChange::Added(added))
                if added.clone().any(|protocol| *protocol == PROTOCOL) =>
            {
                self.speaks();
            }
            ConnectionEvent::DialUpgradeError(error) => {
                tracing::debug!(error = %error.error, purpose = ?error.info, "no stream");
                if let Purpose::Exchange(lane) = error.info
                    && self.outbound(lane).refused()
                {
                    self.reports.push_back(Report::SendFailed(lane));
                }
            }
            _ => {}
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
