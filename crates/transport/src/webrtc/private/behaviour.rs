//! The behaviour: which relayed connection to signal over, what to do with whom, and when the
//! relayed one has done its work.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    convert::Infallible,
    rc::{Rc, Weak},
    task::{Context, Poll},
};

use either::Either;
use futures::{
    FutureExt, StreamExt,
    channel::mpsc,
    future::{LocalBoxFuture, abortable},
    stream::FuturesUnordered,
};
use futures_timer::Delay;
use libp2p::{
    Multiaddr, PeerId, Stream,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, DialFailure, FromSwarm,
        NetworkBehaviour, NotifyHandler, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::ConnectionEstablished,
        dial_opts::{DialOpts, PeerCondition},
        dummy,
    },
};
use web_time::Instant;

use super::{
    Board, DialError, Incoming, Request, TIME_LIMIT,
    dials::{Dials, Stage, Task},
    handler::{AttemptId, Event, Handler},
};
use crate::webrtc::{
    Closer, Config, Connection, NegotiationError,
    address::{is_relayed, is_webrtc, webrtc_of},
    connection::{Link, Lost},
    limits::Gate,
    negotiate::{self, Signalling},
    tie::{self, Ours, Verdict},
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
    peers: HashMap<PeerId, Peer>,
    next_attempt: u64,
    /// Negotiations: one for each dial, and as many inbound ones as the gate lets in; and the
    /// farewells of those that succeeded, which end by themselves.
    tasks: FuturesUnordered<LocalBoxFuture<'static, Done>>,
    actions: VecDeque<ToSwarm<Infallible, Either<AttemptId, Infallible>>>,
}

/// What is known of a peer; kept while it has a connection or a negotiation.
#[derive(Default)]
struct Peer {
    /// Its relayed connections, with their address on our side.
    relayed: Vec<(ConnectionId, Multiaddr)>,
    /// Its direct ones.
    direct: Vec<ConnectionId>,
    /// Signalling streams in use. The relayed connection is needed as long as there are any.
    signalling: usize,
    /// The direct connection that was made last.
    standing: Option<Standing>,
}

/// A direct connection, from the moment when it was made.
struct Standing {
    link: Weak<Link>,
    offerer: PeerId,
    since: Instant,
}

/// An inbound stream, and what goes with it.
struct Inbound {
    peer: PeerId,
    relayed: Multiaddr,
    signalling: Signalling,
    limit: Delay,
}

/// What a task ended with.
enum Done {
    /// The first message of an inbound stream.
    Offer(Inbound, String, bool),
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
            peers: HashMap::new(),
            next_attempt: 0,
            tasks: FuturesUnordered::new(),
            actions: VecDeque::new(),
        }
    }

    fn on_request(&mut self, request: Request) {
        if let Some(peer) = self.dials.add(request) {
            self.begin(peer);
        }
    }

    /// Begins the attempt of a dial: on a relayed connection that is there, or by dialling one.
    fn begin(&mut self, peer: PeerId) {
        let known = self.peers.get(&peer);
        if known.is_some_and(Peer::is_connected) {
            return self.fail(peer, DialError::AlreadyConnected);
        }
        let relayed = known.and_then(|known| known.relayed.first()).map(|(id, _)| *id);
        let Some(dial) = self.dials.get_mut(&peer) else { return };
        if let Some(id) = relayed {
            return self.open(peer, id);
        }
        let opts = DialOpts::peer_id(peer)
            .addresses(vec![dial.request.target.relayed.clone()])
            .condition(PeerCondition::Always)
            .build();
        dial.stage = Stage::Connecting(opts.connection_id());
        self.actions.push_back(ToSwarm::Dial { opts });
    }

    fn open(&mut self, peer: PeerId, connection: ConnectionId) {
        let Some(dial) = self.dials.get_mut(&peer) else { return };
        let attempt = AttemptId(self.next_attempt);
        self.next_attempt += 1;
        dial.stage = Stage::Opening(connection, attempt);
        self.actions.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: Either::Left(attempt),
        });
    }

    fn fail(&mut self, peer: PeerId, error: DialError) {
        tracing::debug!(%peer, %error, "dial failed");
        if let Some(peer) = self.dials.fail(&peer, error) {
            self.begin(peer);
        }
    }

    /// The signalling stream of our own attempt is there.
    fn negotiate(&mut self, attempt: AttemptId, stream: Stream) {
        let Some(peer) = self.opening(attempt) else { return };
        let Some(dial) = self.dials.get_mut(&peer) else { return };
        let (config, closer) = (self.config.clone(), self.closer.clone());
        let offered = dial.offered.clone();
        let task = async move {
            let mut signalling = Signalling::new(stream);
            let offering = || offered.set(true);
            let connection = negotiate::dial(&mut signalling, &config, &closer, offering).await?;
            Ok((connection, signalling))
        };
        let (task, handle) = abortable(task);
        dial.stage = Stage::Negotiating { _task: Task(handle) };
        self.peers.entry(peer).or_default().signalling += 1;
        let task = task.map(move |ended| match ended {
            Ok(result) => Done::Outbound(peer, result),
            Err(_) => Done::Aborted(peer),
        });
        self.tasks.push(task.boxed_local());
    }

    fn opening(&self, attempt: AttemptId) -> Option<PeerId> {
        self.dials.find(|stage| matches!(stage, Stage::Opening(_, opening) if *opening == attempt))
    }

    /// The other side opened a signalling stream.
    fn on_inbound(&mut self, peer: PeerId, connection: ConnectionId, stream: Stream) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let Some((_, relayed)) = known.relayed.iter().find(|(id, _)| *id == connection) else {
            return;
        };
        if !self.board.borrow().listening {
            return;
        }
        if let Err(refused) = self.gate.enter(peer, Instant::now()) {
            tracing::debug!(%peer, %refused, "offer refused");
            return;
        }
        let relayed = relayed.clone();
        known.signalling += 1;
        let (signalling, limit) = (Signalling::new(stream), Delay::new(TIME_LIMIT));
        let mut inbound = Inbound { peer, relayed, signalling, limit };
        let task = async move {
            let offer = within(&mut inbound.limit, inbound.signalling.offer()).await;
            match offer {
                Ok((sdp, settles_ties)) => Done::Offer(inbound, sdp, settles_ties),
                Err(error) => Done::NoInbound(peer, error),
            }
        };
        self.tasks.push(task.boxed_local());
    }

    /// The other side made an offer.
    fn on_offer(&mut self, mut inbound: Inbound, offer: String, settles_ties: bool) {
        let peer = inbound.peer;
        let ours = self.dials.get_mut(&peer);
        let stage = ours.as_ref().map_or(Ours::None, |dial| dial.ours());
        let verdict = tie::judge(self.local, peer, stage, settles_ties);
        tracing::debug!(%peer, ?verdict, "offer");
        let held = match (verdict, ours) {
            (Verdict::Hold, Some(dial)) => Some(dial.end()),
            (Verdict::AcceptInstead, Some(dial)) => {
                dial.adopt();
                None
            }
            _ => None,
        };
        let (config, closer) = (self.config.clone(), self.closer.clone());
        let task = async move {
            let Inbound { signalling, limit, .. } = &mut inbound;
            let answer = async {
                if let Some(held) = held
                    && held.await == Ok(true)
                {
                    return Err(NegotiationError::Superseded);
                }
                negotiate::answer(signalling, offer, &config, &closer).await
            };
            match within(limit, answer).await {
                Ok(connection) => Done::Inbound(inbound, connection),
                Err(error) => Done::NoInbound(peer, error),
            }
        };
        self.tasks.push(task.boxed_local());
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Offer(inbound, offer, settles_ties) => {
                self.on_offer(inbound, offer, settles_ties);
            }
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
                match self.stand(peer, self.local, connection) {
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

    fn on_inbound_connection(&mut self, inbound: Inbound, connection: Connection) {
        let Inbound { peer, relayed, signalling, .. } = inbound;
        let farewell = signalling.await_farewell();
        self.tasks.push(farewell.map(move |()| Done::Farewell(peer)).boxed_local());
        let Some(connection) = self.stand(peer, peer, connection) else {
            return self.fail_adopting(peer, NegotiationError::Superseded);
        };
        let connection = match self.dials.get_mut(&peer).map(|dial| &dial.stage) {
            Some(Stage::Adopting) => self.dials.succeed(&peer, connection),
            _ => Some(connection),
        };
        let local_addr = webrtc_of(&relayed, self.local);
        let send_back_addr = webrtc_of(&relayed, peer);
        if let (Some(connection), Some(local_addr), Some(send_back_addr)) =
            (connection, local_addr, send_back_addr)
        {
            let incoming = Incoming { peer, connection, local_addr, send_back_addr };
            self.board.borrow_mut().deliver(incoming);
        }
    }

    /// The dial that waited for the peer's own attempt fails with it.
    fn fail_adopting(&mut self, peer: PeerId, error: NegotiationError) {
        let dial = self.dials.get_mut(&peer);
        if dial.is_some_and(|dial| matches!(dial.stage, Stage::Adopting)) {
            self.fail(peer, error.into());
        }
    }

    /// Registers a connection that was just made. Of two with the same peer one goes; `None`
    /// when it is the new one.
    fn stand(
        &mut self,
        peer: PeerId,
        offerer: PeerId,
        connection: Connection,
    ) -> Option<Connection> {
        let known = self.peers.entry(peer).or_default();
        let since = Instant::now();
        if let Some(old) = &known.standing
            && let Some(link) = old.link.upgrade().filter(|link| link.is_alive())
        {
            let apart = since.saturating_duration_since(old.since);
            if !tie::keeps_new(offerer, old.offerer, apart) {
                return None;
            }
            link.lose(Lost::Replaced);
        }
        let link = Rc::downgrade(connection.link());
        known.standing = Some(Standing { link, offerer, since });
        Some(connection)
    }

    /// A signalling stream is no more.
    fn signalled(&mut self, peer: PeerId) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.signalling = known.signalling.saturating_sub(1);
        }
        self.retire(peer);
    }

    /// Closes the peer's relayed connections when a direct one stands and no stream needs them.
    fn retire(&mut self, peer: PeerId) {
        let Some(known) = self.peers.get(&peer) else { return };
        if known.signalling == 0 && !known.direct.is_empty() {
            for (id, _) in &known.relayed {
                let connection = CloseConnection::One(*id);
                self.actions.push_back(ToSwarm::CloseConnection { peer_id: peer, connection });
            }
        }
        if known.is_forgotten() {
            self.peers.remove(&peer);
        }
    }

    fn on_established(&mut self, established: ConnectionEstablished<'_>) {
        let ConnectionEstablished { peer_id, connection_id, endpoint, .. } = established;
        let address = own_side(endpoint);
        if is_relayed(address) {
            let known = self.peers.entry(peer_id).or_default();
            known.relayed.push((connection_id, address.clone()));
            let dial = self.dials.get_mut(&peer_id);
            if dial.is_some_and(|dial| matches!(dial.stage, Stage::Connecting(_))) {
                self.open(peer_id, connection_id);
            }
        } else if is_webrtc(address) {
            self.peers.entry(peer_id).or_default().direct.push(connection_id);
            self.retire(peer_id);
        }
    }

    fn on_closed(&mut self, closed: ConnectionClosed<'_>) {
        let ConnectionClosed { peer_id, connection_id, .. } = closed;
        if let Some(known) = self.peers.get_mut(&peer_id) {
            known.relayed.retain(|(id, _)| *id != connection_id);
            known.direct.retain(|id| *id != connection_id);
            if known.is_forgotten() {
                self.peers.remove(&peer_id);
            }
        }
        let opening =
            |stage: &Stage| matches!(stage, Stage::Opening(id, _) if *id == connection_id);
        if let Some(peer) = self.dials.find(opening) {
            self.fail(peer, DialError::Relayed("it closed".into()));
        }
    }

    fn on_dial_failure(&mut self, failure: DialFailure<'_>) {
        let connecting =
            |stage: &Stage| matches!(stage, Stage::Connecting(id) if *id == failure.connection_id);
        if let Some(peer) = self.dials.find(connecting) {
            self.fail(peer, DialError::Relayed(failure.error.to_string()));
        }
    }
}

impl Peer {
    fn is_connected(&self) -> bool {
        let link = self.standing.as_ref().and_then(|standing| standing.link.upgrade());
        link.is_some_and(|link| link.is_alive())
    }

    fn is_forgotten(&self) -> bool {
        let idle = self.relayed.is_empty() && self.direct.is_empty() && self.signalling == 0;
        idle && !self.is_connected()
    }
}

/// The address that says how a connection was made.
fn own_side(endpoint: &libp2p::core::ConnectedPoint) -> &Multiaddr {
    use libp2p::core::ConnectedPoint::{Dialer, Listener};
    match endpoint {
        Dialer { address, .. } => address,
        Listener { local_addr, .. } => local_addr,
    }
}

/// Runs a future until the time is over.
async fn within<T>(
    limit: &mut Delay,
    work: impl Future<Output = Result<T, NegotiationError>>,
) -> Result<T, NegotiationError> {
    match futures::future::select(work.boxed_local(), limit).await {
        futures::future::Either::Left((done, _)) => done,
        futures::future::Either::Right(_) => Err(NegotiationError::TimedOut),
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
