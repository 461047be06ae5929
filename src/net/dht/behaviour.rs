//! The client as the swarm drives it.

use super::{
    Dht, Event,
    handler::{Handler, Report},
};
use crate::platform;
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, DialError, FromSwarm, NetworkBehaviour, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm,
    },
};
use std::task::{Context, Poll};

impl NetworkBehaviour for Dht {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.ours.on_swarm_event(&event);
        match event {
            FromSwarm::ConnectionEstablished(opened) => {
                self.calls.opened(opened.peer_id, opened.connection_id);
            }
            FromSwarm::ConnectionClosed(closed) => {
                let failed = self.calls.closed(closed.connection_id);
                self.failed(failed);
            }
            FromSwarm::DialFailure(failure) => {
                let other = matches!(failure.error, DialError::DialPeerConditionFalse(_));
                if let Some(peer) = failure.peer_id {
                    let failed = self.calls.dial_failed(peer, failure.connection_id, other);
                    self.failed(failed);
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        connection: ConnectionId,
        report: THandlerOutEvent<Self>,
    ) {
        match report {
            Report::Speaks(speaks) => self.calls.speaks(connection, speaks),
            Report::Done(id, outcome) => {
                let Some(call) = self.calls.settled(id) else { return };
                match outcome {
                    Some(reply) => self.answered(call.query, call.peer, reply),
                    None => self.failed(vec![(call.query, call.peer)]),
                }
            }
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            if let Some(event) = self.calls.events.pop_front() {
                return Poll::Ready(event);
            }
            let now = platform::now();
            self.advance_all(now);
            let due = self.due(now);
            if self.calls.events.is_empty() && self.alarm.poll(due, now, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
