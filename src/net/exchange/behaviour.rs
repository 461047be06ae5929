//! Carries out what the engine decides, and tells it what the connections report.

use super::{
    Exchange, What,
    handler::{Command, Handler, Report},
};
use crate::{
    net::timer::Timer,
    platform::{self, Block, Instant, Payload},
};
use avocet_bitswap::{Action, Incoming, Lane, SessionId, wire};
use avocet_dag::Cid;
use avocet_transport::webrtc::is_direct;
use bytes::Bytes;
use either::Either;
use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use libp2p::{
    Multiaddr, PeerId,
    core::{ConnectedPoint, Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm,
        NetworkBehaviour, NotifyHandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::ConnectionEstablished, dummy,
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

/// A message whose blocks have been hashed.
type Hashed = (PeerId, ConnectionId, Incoming<Payload>);

/// See the module.
pub struct Behaviour {
    exchange: Exchange,
    /// The direct connections of each peer, the one that is used first.
    links: HashMap<PeerId, Vec<ConnectionId>>,
    /// Messages being written: over which connection, and the blocks in them.
    sending: HashMap<(PeerId, Lane), (ConnectionId, Vec<(Cid, u64)>)>,
    /// At most two a connection: a handler reads on when one has been processed.
    hashing: FuturesUnordered<LocalBoxFuture<'static, Hashed>>,
    /// When the engine wants to be called again.
    timer: Option<(Instant, Timer)>,
    /// Bounded by what one call of the engine gives rise to.
    events: VecDeque<ToSwarm<Event, ToHandler>>,
}

impl Behaviour {
    /// Carries out what `exchange` decides.
    pub fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            links: HashMap::new(),
            sending: HashMap::new(),
            hashing: FuturesUnordered::new(),
            timer: None,
            events: VecDeque::new(),
        }
    }

    fn handler(direct: bool) -> Either<Handler, dummy::ConnectionHandler> {
        if direct { Either::Left(Handler::new()) } else { Either::Right(dummy::ConnectionHandler) }
    }

    fn opened(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        if is_direct(endpoint) {
            let links = self.links.entry(peer).or_default();
            links.push(id);
            if links.len() == 1 {
                self.exchange.within(|core, now| core.engine.handle_connected(peer, now));
            }
        }
    }

    fn closed(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(links) = self.links.get_mut(&peer) else { return };
        links.retain(|link| *link != id);
        let gone = links.is_empty();
        if gone {
            self.links.remove(&peer);
        }
        let over_it = |lane: &Lane| self.sending.get(&(peer, *lane)).is_some_and(|(l, _)| *l == id);
        let interrupted: Vec<Lane> =
            [Lane::Asking, Lane::Answering].into_iter().filter(over_it).collect();
        for lane in &interrupted {
            self.sending.remove(&(peer, *lane));
        }
        self.exchange.within(|core, now| {
            if gone {
                core.engine.handle_disconnected(peer, now);
            } else {
                for lane in interrupted {
                    core.engine.handle_send_failed(peer, lane, now);
                }
            }
        });
    }

    fn notify(&mut self, peer_id: PeerId, link: ConnectionId, command: Command) {
        let handler = NotifyHandler::One(link);
        let event = Either::Left(command);
        self.events.push_back(ToSwarm::NotifyHandler { peer_id, handler, event });
    }

    fn act(&mut self, action: Action<PeerId, Payload>) {
        match action {
            Action::Send { peer, lane, message } => self.send(peer, lane, message),
            Action::Deliver { block, from, sessions, .. } => {
                let (cid, received) = (block.cid().clone(), block.len() as u64);
                let root = self.exchange.within(|core, _| {
                    core.deliver(&sessions, &block);
                    core.root(&sessions)
                });
                let moved = Event::Moved { peer: from, cid, root, sent: 0, received };
                self.events.push_back(ToSwarm::GenerateEvent(moved));
            }
            Action::Load { peer, cid, what } => {
                self.events.push_back(ToSwarm::GenerateEvent(Event::Load { peer, cid, what }));
            }
            Action::NeedProviders { session, cid } => {
                let event = Event::NeedProviders { session, cid };
                self.events.push_back(ToSwarm::GenerateEvent(event));
            }
            Action::Ping { peer } => {
                if let Some(link) = self.link(&peer) {
                    self.notify(peer, link, Command::Ping);
                }
            }
            Action::Close { peer, reason } => {
                tracing::info!(%peer, ?reason, "closing");
                let connection = CloseConnection::All;
                self.events.push_back(ToSwarm::CloseConnection { peer_id: peer, connection });
            }
        }
    }

    fn send(&mut self, peer: PeerId, lane: Lane, message: wire::Outgoing<Payload>) {
        let blocks = message.blocks.iter();
        let blocks = blocks.map(|block| (block.cid().clone(), block.len() as u64)).collect();
        // The wire is written from memory; what lives outside comes in here, and only here.
        let message = wire::Outgoing {
            wants: message.wants,
            full: message.full,
            presences: message.presences,
            blocks: message.blocks.into_iter().map(platform::bring_in).collect(),
            pending_bytes: message.pending_bytes,
        };
        match (self.link(&peer), wire::encode(&message)) {
            (Some(link), Ok(bytes)) => {
                self.sending.insert((peer, lane), (link, blocks));
                self.notify(peer, link, Command::Send(lane, Bytes::from(bytes)));
            }
            (_, encoded) => {
                if let Err(error) = encoded {
                    tracing::error!(%error, "a message was not written");
                }
                self.exchange.within(|core, now| core.engine.handle_send_failed(peer, lane, now));
            }
        }
    }

    fn link(&self, peer: &PeerId) -> Option<ConnectionId> {
        self.links.get(peer).and_then(|links| links.first()).copied()
    }

    fn report(&mut self, peer: PeerId, link: ConnectionId, report: Report) {
        match report {
            Report::Message(message) => {
                self.hashing.push(hash(peer, link, message).boxed_local());
            }
            Report::Receiving(bytes) => {
                self.exchange.within(|core, now| core.engine.handle_receiving(peer, bytes, now));
            }
            Report::ReceiveFailed(told) => {
                self.exchange
                    .within(|core, now| core.engine.handle_receive_failed(peer, told, now));
            }
            Report::Sending(lane) => {
                self.exchange.within(|core, now| core.engine.handle_sending(peer, lane, now));
            }
            Report::Sent(lane) => self.sent(peer, lane),
            // After a reconnection an old connection's report may still come: it concerns nobody.
            Report::SendFailed(lane) if self.sending.remove(&(peer, lane)).is_none() => {}
            Report::SendFailed(lane) => {
                self.exchange.within(|core, now| core.engine.handle_send_failed(peer, lane, now));
            }
            Report::Pong => self.exchange.within(|core, now| core.engine.handle_pong(peer, now)),
            Report::Malformed => {
                let nothing = wire::Message::default().into_incoming(Vec::new(), 1);
                self.exchange.within(|core, now| core.engine.handle_message(peer, nothing, now));
            }
        }
    }

    fn sent(&mut self, peer: PeerId, lane: Lane) {
        let Some((_, blocks)) = self.sending.remove(&(peer, lane)) else { return };
        self.exchange.within(|core, now| core.engine.handle_sent(peer, lane, now));
        for (cid, sent) in blocks {
            let moved = Event::Moved { peer, cid, root: None, sent, received: 0 };
            self.events.push_back(ToSwarm::GenerateEvent(moved));
        }
    }

    /// Lets time pass for the engine; a timer that fires late means that we slept.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let due = self.exchange.within(|core, _| core.engine.poll_timeout());
        if self.timer.as_ref().map(|(at, _)| *at) != due {
            self.timer =
                due.map(|at| (at, Timer::after(at.saturating_duration_since(platform::now()))));
        }
        let Some((at, timer)) = &mut self.timer else { return false };
        if timer.poll(cx).is_pending() {
            return false;
        }
        let at = *at;
        self.timer = None;
        self.exchange.within(|core, now| {
            let late = now.saturating_duration_since(at);
            if late > SLEPT {
                core.engine.handle_slept(late, now);
            }
            core.engine.handle_timeout(now);
        });
        true
    }
}

/// Every block of the message under the CID that its bytes have: a wrong block is one that nobody asked for.
async fn hash(peer: PeerId, link: ConnectionId, mut message: wire::Message) -> Hashed {
    let mut blocks: Vec<Block> = Vec::with_capacity(message.blocks.len());
    let mut rejected = 0;
    for raw in std::mem::take(&mut message.blocks) {
        let (prefix, payload) = (raw.prefix, Payload::from(raw.data));
        match platform::hash(prefix.version, prefix.codec, prefix.hash, payload).await {
            Ok(block) if block.cid().hash().digest().len() == prefix.digest_len => {
                blocks.push(block);
            }
            _ => rejected += 1,
        }
    }
    (peer, link, message.into_incoming(blocks, rejected))
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
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            }) => self.opened(peer_id, connection_id, endpoint),
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.closed(peer_id, connection_id);
            }
            _ => {}
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
            if let Poll::Ready(Some((peer, link, incoming))) = self.hashing.poll_next_unpin(cx) {
                self.exchange.within(|core, now| core.engine.handle_message(peer, incoming, now));
                self.notify(peer, link, Command::Processed);
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
