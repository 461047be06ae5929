//! Carries out what the engine decides, and tells it what the connections report.

use super::{
    Exchange, What,
    handler::{Command, Handler},
};
use crate::{
    net::timer::Alarm,
    platform::{self, Payload},
};
use avocet_bitswap::{Incoming, Lane, SessionId};
use avocet_dag::Cid;
use avocet_transport::webrtc::is_direct;
use either::Either;
use futures::{StreamExt, future::LocalBoxFuture, stream::FuturesOrdered};
use libp2p::{
    Multiaddr, PeerId,
    core::{ConnectedPoint, Endpoint, transport::PortUse},
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour,
        NotifyHandler, THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
    },
};
use std::{
    collections::{HashMap, VecDeque},
    task::{Context, Poll},
    time::Duration,
};

/// A timer that fires this much late means that the tab slept: no peer is blamed for that time.
const SLEPT: Duration = Duration::from_secs(2);

/// What the exchange needs of others, or tells them.
#[derive(Debug)]
pub enum Event {
    /// A peer wants a block: answered by [`Exchange::loaded`].
    Load {
        /// Who wants it.
        peer: PeerId,
        /// What.
        cid: Cid,
        /// The block, or only how large it is.
        what: What,
    },
    /// Nobody connected has the block: others are needed.
    NeedProviders {
        /// For which session.
        session: SessionId,
        /// What.
        cid: Cid,
    },
    /// A block was sent to a peer, or a wanted one came from it.
    Moved {
        /// To or from whom.
        peer: PeerId,
        /// The block.
        cid: Cid,
        /// What it was wanted for, where it was received.
        root: Option<Cid>,
        /// Bytes sent.
        sent: u64,
        /// Bytes received.
        received: u64,
    },
}

type ToHandler = Either<Command, std::convert::Infallible>;

/// The blocks of a message, and their sizes.
pub(super) type Parcel = Vec<(Cid, u64)>;

/// A message whose blocks have been hashed, and how many bytes it had.
pub(super) type Hashed = (PeerId, ConnectionId, usize, Incoming<Payload>);

/// See the module.
pub struct Behaviour {
    pub(super) exchange: Exchange,
    /// The direct connections of each peer that speaks the protocol, the one that is used first.
    pub(super) links: HashMap<PeerId, Vec<ConnectionId>>,
    /// Messages being written: over which connection, and the blocks in them.
    pub(super) sending: HashMap<(PeerId, Lane), (ConnectionId, Parcel)>,
    /// Bounded by each handler, which reads on when one has been processed. In the order in which they came: what a peer
    /// wants no more must not be overtaken by its wanting it again.
    pub(super) hashing: FuturesOrdered<LocalBoxFuture<'static, Hashed>>,
    /// When the engine wants to be called again.
    pub(super) alarm: Alarm,
    /// Bounded by what one call of the engine gives rise to.
    pub(super) events: VecDeque<ToSwarm<Event, ToHandler>>,
}

impl Behaviour {
    /// Carries out what `exchange` decides.
    pub fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            links: HashMap::new(),
            sending: HashMap::new(),
            hashing: FuturesOrdered::new(),
            alarm: Alarm::default(),
            events: VecDeque::new(),
        }
    }

    fn handler(direct: bool) -> Either<Handler, dummy::ConnectionHandler> {
        if direct { Either::Left(Handler::new()) } else { Either::Right(dummy::ConnectionHandler) }
    }

    fn closed(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(links) = self.links.get_mut(&peer) else { return };
        links.retain(|link| *link != id);
        let gone = links.is_empty();
        if gone {
            self.links.remove(&peer);
        }
        let peers = self.links.len();
        let over_it = |lane: &Lane| self.sending.get(&(peer, *lane)).is_some_and(|(l, _)| *l == id);
        let interrupted: Vec<Lane> =
            [Lane::Asking, Lane::Answering].into_iter().filter(over_it).collect();
        for lane in &interrupted {
            self.sending.remove(&(peer, *lane));
        }
        self.exchange.within(|core, now| {
            core.peers = peers;
            if gone {
                core.engine.handle_disconnected(peer, now);
            } else {
                for lane in interrupted {
                    core.engine.handle_send_failed(peer, lane, now);
                }
            }
        });
    }

    /// Tells the handler of one connection.
    pub(super) fn notify(&mut self, peer_id: PeerId, link: ConnectionId, command: Command) {
        let handler = NotifyHandler::One(link);
        let event = Either::Left(command);
        self.events.push_back(ToSwarm::NotifyHandler { peer_id, handler, event });
    }

    /// Lets time pass for the engine; a timer that fires late means that we slept.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let due = self.exchange.within(|core, _| core.engine.poll_timeout());
        let Poll::Ready(at) = self.alarm.poll(due, platform::now(), cx) else { return false };
        self.exchange.within(|core, now| {
            let late = now.saturating_duration_since(at);
            if late > SLEPT {
                core.engine.handle_slept(late, now);
            }
            if due.is_some_and(|due| now >= due) {
                core.engine.handle_timeout(now);
            }
        });
        true
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Either<Handler, dummy::ConnectionHandler>;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        local_addr: &Multiaddr,
        remote_addr: &Multiaddr,
    ) -> Result<Self::ConnectionHandler, ConnectionDenied> {
        let (local_addr, send_back_addr) = (local_addr.clone(), remote_addr.clone());
        let endpoint = ConnectedPoint::Listener { local_addr, send_back_addr };
        Ok(Self::handler(is_direct(&endpoint)))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        addr: &Multiaddr,
        role_override: Endpoint,
        port_use: PortUse,
    ) -> Result<Self::ConnectionHandler, ConnectionDenied> {
        let endpoint = ConnectedPoint::Dialer { address: addr.clone(), role_override, port_use };
        Ok(Self::handler(is_direct(&endpoint)))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) = event
        {
            self.closed(peer_id, connection_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        link: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            Either::Left(report) => self.report(peer, link, report),
            Either::Right(never) => match never {},
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            if let Poll::Ready(Some((peer, link, size, incoming))) =
                self.hashing.poll_next_unpin(cx)
            {
                self.exchange.within(|core, now| core.engine.handle_message(peer, incoming, now));
                self.notify(peer, link, Command::Processed(size));
                continue;
            }
            if let Some(action) = self.exchange.within(|core, _| core.engine.poll_action()) {
                self.act(action);
                continue;
            }
            if self.poll_timer(cx) {
                continue;
            }
            self.exchange.wake_by(cx.waker());
            return Poll::Pending;
        }
    }
}
