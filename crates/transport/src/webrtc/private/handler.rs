//! On a relayed connection: opens signalling streams, and passes on those that come.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use libp2p::{
    Stream, StreamProtocol,
    core::upgrade::ReadyUpgrade,
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol,
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
        },
    },
};

use crate::webrtc::{limits::MAX_PER_WINDOW, signal::PROTOCOL};

/// Names one attempt to open a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptId(pub(super) u64);

/// What the handler has for the behaviour.
#[derive(Debug)]
pub enum Event {
    /// The stream asked for.
    Opened(AttemptId, Stream),
    /// Why there is none.
    NotOpened(AttemptId, String),
    /// A stream of the other side's.
    Inbound(Stream),
}

/// The handler of a relayed connection.
#[derive(Debug, Default)]
pub struct Handler {
    /// Streams to ask for; as many as the behaviour has dials.
    wanted: VecDeque<AttemptId>,
    /// Asked for and not yet here.
    opening: usize,
    /// At most [`MAX_PER_WINDOW`] inbound ones, and one for each that was asked for.
    events: VecDeque<Event>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = AttemptId;
    type ToBehaviour = Event;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = AttemptId;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(StreamProtocol::new(PROTOCOL)), ())
    }

    fn connection_keep_alive(&self) -> bool {
        self.opening > 0 || !self.wanted.is_empty() || !self.events.is_empty()
    }

    fn on_behaviour_event(&mut self, attempt: AttemptId) {
        self.wanted.push_back(attempt);
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, AttemptId, Event>> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        if let Some(attempt) = self.wanted.pop_front() {
            self.opening += 1;
            let upgrade = ReadyUpgrade::new(StreamProtocol::new(PROTOCOL));
            let protocol = SubstreamProtocol::new(upgrade, attempt);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol, (), AttemptId>,
    ) {
        match event {
            // one that finds no place is dropped, which resets it
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: stream,
                ..
            }) if self.events.len() < MAX_PER_WINDOW => {
                self.events.push_back(Event::Inbound(stream));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                info: attempt,
            }) => {
                self.opening -= 1;
                self.events.push_back(Event::Opened(attempt, stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: attempt, error }) => {
                self.opening -= 1;
                self.events.push_back(Event::NotOpened(attempt, error.to_string()));
            }
            _ => {}
        }
    }
}
