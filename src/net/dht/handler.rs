//! Requests on one connection: a stream for each, its answer read, nothing taken from the other side.

use super::{
    PROTOCOL,
    wire::{self, Reply},
};
use bytes::Bytes;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future::BoxFuture};
use libp2p::{
    Stream, StreamProtocol,
    core::upgrade::{DeniedUpgrade, ReadyUpgrade},
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol,
        handler::{ConnectionEvent, FullyNegotiatedOutbound, ProtocolsChange},
    },
};
use std::{
    collections::VecDeque,
    io,
    task::{Context, Poll, Waker},
};

/// Streams of one connection at once: half of what rust-libp2p's servers take. What is asked beyond waits; it is
/// bounded by the queries and the requests of each.
const MAX_STREAMS: usize = 16;
/// Bytes read at a time: an answer of 20 peers is about as many.
const READ: usize = 4 * 1024;

/// A request on its way.
#[derive(Debug)]
pub struct Ask {
    /// To know it by.
    pub id: u64,
    /// With its length before it.
    pub message: Bytes,
    /// Whether the server answers.
    pub awaits: bool,
}

/// What the behaviour asks of a connection.
#[derive(Debug)]
pub enum Command {
    /// Answered by `Report::Done`, unless it is forgotten.
    Ask(Ask),
    /// Nobody waits for that request any more.
    Forget(u64),
}

/// What a connection tells the behaviour.
#[derive(Debug)]
pub enum Report {
    /// Whether the peer is a server of the DHT: told when that changes.
    Speaks(bool),
    /// The outcome of a request; an empty answer where none was awaited.
    Done(u64, Option<Reply>),
}

/// See the module.
#[derive(Default)]
pub struct Handler {
    waiting: VecDeque<Ask>,
    /// Requests whose stream is being negotiated.
    opening: Vec<u64>,
    running: Vec<(u64, BoxFuture<'static, io::Result<Reply>>)>,
    reports: VecDeque<Report>,
    waker: Option<Waker>,
}

impl Handler {
    fn forget(&mut self, id: u64) {
        self.waiting.retain(|ask| ask.id != id);
        self.opening.retain(|opening| *opening != id);
        self.running.retain(|(running, _)| *running != id);
    }

    /// Whether somebody still waits for the request whose stream was being negotiated.
    fn opened(&mut self, id: u64) -> bool {
        let at = self.opening.iter().position(|opening| *opening == id);
        at.map(|at| self.opening.swap_remove(at)).is_some()
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Command;
    type ToBehaviour = Report;
    type InboundProtocol = DeniedUpgrade;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Ask;

    /// A client: nothing is offered.
    fn listen_protocol(&self) -> SubstreamProtocol<DeniedUpgrade> {
        SubstreamProtocol::new(DeniedUpgrade, ())
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Ask, Report>> {
        for at in 0..self.running.len() {
            let (id, call) = &mut self.running[at];
            if let Poll::Ready(outcome) = call.poll_unpin(cx) {
                if let Err(error) = &outcome {
                    tracing::debug!(%error, "no answer of the DHT");
                }
                self.reports.push_back(Report::Done(*id, outcome.ok()));
                drop(self.running.swap_remove(at));
                break;
            }
        }
        if let Some(report) = self.reports.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(report));
        }
        if self.opening.len() + self.running.len() < MAX_STREAMS
            && let Some(ask) = self.waiting.pop_front()
        {
            self.opening.push(ask.id);
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ask);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, command: Command) {
        match command {
            Command::Ask(ask) => self.waiting.push_back(ask),
            Command::Forget(id) => self.forget(id),
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol, (), Ask>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol,
                info: Ask { id, message, awaits },
            }) if self.opened(id) => {
                self.running.push((id, call(protocol, message, awaits).boxed()));
            }
            ConnectionEvent::DialUpgradeError(error) => {
                tracing::debug!(error = %error.error, "no stream to a server of the DHT");
                if self.opened(error.info.id) {
                    self.reports.push_back(Report::Done(error.info.id, None));
                }
            }
            ConnectionEvent::RemoteProtocolsChange(change) => {
                let speaks = match change {
                    ProtocolsChange::Added(mut added) => {
                        added.any(|protocol| *protocol == PROTOCOL).then_some(true)
                    }
                    ProtocolsChange::Removed(mut removed) => {
                        removed.any(|protocol| *protocol == PROTOCOL).then_some(false)
                    }
                };
                self.reports.extend(speaks.map(Report::Speaks));
            }
            _ => {}
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// One request and its answer. The stream goes with the future.
async fn call(mut stream: Stream, message: Bytes, awaits: bool) -> io::Result<Reply> {
    stream.write_all(&message).await?;
    stream.flush().await?;
    if !awaits {
        stream.close().await?;
        return Ok(Reply::default());
    }
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut bytes = Vec::new();
    loop {
        let whole = wire::frame(&bytes).map_err(invalid)?.and_then(|range| bytes.get(range));
        if let Some(message) = whole {
            return wire::decode(message).map_err(invalid);
        }
        let had = bytes.len();
        bytes.resize(had + READ, 0);
        let read = stream.read(&mut bytes[had..]).await?;
        bytes.truncate(had + read);
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
