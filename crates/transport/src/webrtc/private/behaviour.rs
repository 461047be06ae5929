//! The behaviour: which relayed connection to signal over, what to do with whom, and when the
//! relayed one has done its work.

mod answering;
mod dialling;

use std::{
    cell::RefCell,
    collections::VecDeque,
    convert::Infallible,
    rc::Rc,
    task::{Context, Poll},
};

use either::Either;
use futures::{
    FutureExt, StreamExt, channel::mpsc, future::LocalBoxFuture, stream::FuturesUnordered,
};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, DialFailure, FromSwarm,
        NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::ConnectionEstablished, dummy,
    },
};

use self::answering::Inbound;
use super::{
    Board, DialError, Request,
    dials::{Dials, Stage},
    handler::{AttemptId, Event, Handler},
    peers::Peers,
};
use crate::webrtc::{
    Closer, Config, Connection, NegotiationError,
    address::{is_relayed, is_webrtc, own_side, webrtc_of},
    limits::Gate,
    negotiate::Signalling,
};

/// Signals over relayed connections, and closes them when the direct one stands.
pub struct Behaviour {
    local: PeerId,
    config: Config,
    closer: Closer,
    board: Rc<RefCell<Board>>,
    requests: mpsc::Receiver<Request>,
    dials: Dials,
    gate: Gate,
    peers: Peers,
    next_attempt: u64,
    /// Negotiations: one for each dial, and as many inbound ones as the gate lets in; and the
    /// farewells of those that succeeded, which end by themselves.
    tasks: FuturesUnordered<LocalBoxFuture<'static, Done>>,
    actions: VecDeque<ToSwarm<Infallible, Either<AttemptId, Infallible>>>,
}

/// What a task ended with.
enum Done {
    /// The first message of an inbound stream.
    Offer(Inbound, String),
    /// An inbound stream led to no connection.
    NoInbound(PeerId, NegotiationError),
    /// An inbound stream led to a connection.
    Inbound(Inbound, Connection),
    /// Our own attempt ended.
    Outbound(PeerId, Result<(Connection, Signalling), NegotiationError>),
    /// Our own attempt was dropped on the way.
    Aborted(PeerId),
    /// A signalling stream has been closed after a success.
    Farewell(PeerId),
}

impl Behaviour {
    pub(super) fn new(
        local: PeerId,
        config: Config,
        closer: Closer,
        board: Rc<RefCell<Board>>,
        requests: mpsc::Receiver<Request>,
    ) -> Self {
        Self {
            local,
            config,
            closer,
            board,
            requests,
            dials: Dials::default(),
            gate: Gate::default(),
            peers: Peers::default(),
            next_attempt: 0,
            tasks: FuturesUnordered::new(),
            actions: VecDeque::new(),
        }
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Offer(inbound, offer) => self.on_offer(inbound, offer),
            Done::NoInbound(peer, error) => {
                tracing::debug!(%peer, %error, "offer led to nothing");
                self.gate.done(peer);
                self.signalled(peer);
                self.fail_adopting(peer, error);
            }
            Done::Inbound(inbound, connection) => {
                self.gate.done(inbound.peer);
                self.on_inbound_connection(inbound, connection);
            }
            Done::Outbound(peer, Ok((connection, signalling))) => {
                self.tasks
                    .push(signalling.farewell().map(move |()| Done::Farewell(peer)).boxed_local());
                match self.peers.stand(peer, self.local, true, connection) {
                    // whoever asked may have gone: then it closes
                    Some(connection) => drop(self.dials.succeed(&peer, connection)),
                    None => self.fail(peer, DialError::AlreadyConnected),
                }
            }
            Done::Outbound(peer, Err(error)) => {
                self.signalled(peer);
                self.fail(peer, error.into());
            }
            Done::Aborted(peer) | Done::Farewell(peer) => self.signalled(peer),
        }
    }

    /// A signalling stream is no more.
    fn signalled(&mut self, peer: PeerId) {
        self.peers.signalled(&peer);
        self.tidy(peer);
    }

    /// Closes the relayed connections that have done their work.
    fn tidy(&mut self, peer_id: PeerId) {
        let dial = self.dials.get_mut(&peer_id).is_some();
        for id in self.peers.surplus(&peer_id, dial) {
            let connection = CloseConnection::One(id);
            self.actions.push_back(ToSwarm::CloseConnection { peer_id, connection });
        }
    }

    fn on_established(&mut self, established: ConnectionEstablished<'_>) {
        let ConnectionEstablished { peer_id, connection_id, endpoint, .. } = established;
        let address = own_side(endpoint);
        if is_relayed(address) {
            let ours = self.peers.relayed(peer_id, connection_id, address.clone());
            let dial = self.dials.get_mut(&peer_id);
            match dial.map(|dial| &dial.stage) {
                Some(Stage::Connecting(_)) => self.open(peer_id, connection_id),
                // dialled for an attempt that is over
                None if ours => self.tidy(peer_id),
                // the other side's is for signalling, though a direct one may seem to stand: its
                // page may have gone and come back
                _ => {}
            }
        } else if is_webrtc(address) {
            self.peers.direct(peer_id, connection_id);
            self.tidy(peer_id);
        }
    }

    fn on_closed(&mut self, closed: ConnectionClosed<'_>) {
        let ConnectionClosed { peer_id, connection_id, .. } = closed;
        self.peers.closed(peer_id, connection_id);
        let opening =
            |stage: &Stage| matches!(stage, Stage::Opening(id, _) if *id == connection_id);
        if let Some(peer) = self.dials.find(opening) {
            self.fail(peer, DialError::Relayed("it closed".into()));
        }
    }

    fn on_dial_failure(&mut self, failure: DialFailure<'_>) {
        self.peers.not_dialled(failure.connection_id);
        let connecting =
            |stage: &Stage| matches!(stage, Stage::Connecting(id) if *id == failure.connection_id);
        if let Some(peer) = self.dials.find(connecting) {
            self.fail(peer, DialError::Relayed(failure.error.to_string()));
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Either<Handler, dummy::ConnectionHandler>;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        local_addr: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(handler(local_addr))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(handler(address))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(established) => self.on_established(established),
            FromSwarm::ConnectionClosed(closed) => self.on_closed(closed),
            FromSwarm::DialFailure(failure) => self.on_dial_failure(failure),
            FromSwarm::ExternalAddrConfirmed(confirmed) if is_relayed(confirmed.addr) => {
                if let Some(address) = webrtc_of(confirmed.addr, self.local) {
                    self.board.borrow_mut().announce(address);
                }
            }
            FromSwarm::ExternalAddrExpired(expired) if is_relayed(expired.addr) => {
                if let Some(address) = webrtc_of(expired.addr, self.local) {
                    self.board.borrow_mut().withdraw(&address);
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        let Either::Left(event) = event;
        match event {
            Event::Opened(attempt, stream) => self.negotiate(attempt, stream),
            Event::NotOpened(attempt, error) => {
                if let Some(peer) = self.opening(attempt) {
                    self.fail(peer, DialError::Signalling(error));
                }
            }
            Event::Inbound(stream) => self.on_inbound(peer, connection, stream),
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            if let Some(action) = self.actions.pop_front() {
                return Poll::Ready(action);
            }
            if let Poll::Ready(Some(request)) = self.requests.poll_next_unpin(cx) {
                self.on_request(request);
            } else if let Poll::Ready(peer) = self.dials.poll_cancelled(cx) {
                self.fail(peer, DialError::Gone);
            } else if let Poll::Ready(Some(done)) = self.tasks.poll_next_unpin(cx) {
                self.on_done(done);
            } else {
                return Poll::Pending;
            }
        }
    }
}

/// Signalling belongs on relayed connections, and nowhere else.
fn handler(address: &Multiaddr) -> Either<Handler, dummy::ConnectionHandler> {
    if is_relayed(address) {
        Either::Left(Handler::default())
    } else {
        Either::Right(dummy::ConnectionHandler)
    }
}
