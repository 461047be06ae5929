//! The engine: both sides of the exchange behind one face, and what goes to each peer next.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Debug,
    hash::Hash,
    time::Duration,
};

use avocet_dag::{Cid, Payload};
use bytes::Bytes;
use web_time::Instant;

use crate::{
    client::{Arrival, Client, Signal, WantError},
    events::{Action, CloseReason, Config, Incoming, Lane, Loaded, PeerStats, Stats},
    server::Server,
    session::SessionId,
    wire::Outgoing,
};

/// A message that takes longer than this without a byte of it written closes its peer: twice
/// what a slow uplink needs for the megabyte that browsers buffer.
pub const WRITE_STALL: Duration = Duration::from_secs(60);
/// How long after a failed message the next one waits; so many failures in a row are the end.
const RETRY: Duration = Duration::from_millis(500);
const FAILURES: u32 = 3;

/// One of a peer's lanes.
#[derive(Debug, Clone, Copy, Default)]
struct LaneState {
    /// Since when a message is being written, or when it last moved.
    busy: Option<Instant>,
    /// In a row.
    failures: u32,
    /// Until when nothing is sent, after a failure.
    rest: Option<Instant>,
    /// Blocks are in the message: that they go out tells that the peer lives. A few small
    /// messages tell nothing, as they fit our own buffers.
    heavy: bool,
}

/// A connected peer's lanes and what was sent on them.
#[derive(Debug, Clone, Copy, Default)]
struct Link {
    lanes: [LaneState; 2],
    bytes_sent: u64,
}

/// The exchange with all peers. See the [crate] for how it is driven.
#[derive(Debug)]
pub struct Engine<P, B = Bytes> {
    client: Client<P>,
    server: Server<P, B>,
    links: BTreeMap<P, Link>,
    /// What comes first: the blocks of the last message, and peers to close.
    ready: VecDeque<Action<P, B>>,
    /// The latest time that was told.
    now: Option<Instant>,
    blocks_sent: u64,
    bytes_sent: u64,
}

impl<P: Copy + Ord + Hash + Debug, B: Payload> Engine<P, B> {
    /// An engine without peers. `seed` decides in which order strangers are asked.
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            client: Client::new(config.broadcast, seed),
            server: Server::new(config.limits),
            links: BTreeMap::new(),
            ready: VecDeque::new(),
            now: None,
            blocks_sent: 0,
            bytes_sent: 0,
        }
    }

    // --- connections ---

    /// A first direct connection to `peer` stands, and it speaks Bitswap.
    pub fn handle_connected(&mut self, peer: P, now: Instant) {
        self.pass(now);
        self.links.entry(peer).or_default();
        self.client.connected(peer, now);
        self.server.connected(peer);
    }

    /// The last direct connection to `peer` is gone. All that was kept of it is freed; sessions
    /// remember that it had something, and ask it again when it is back.
    pub fn handle_disconnected(&mut self, peer: P, now: Instant) {
        self.pass(now);
        self.forget(peer, now);
    }

    /// The peer answered a ping, or gave another sign of life.
    pub fn handle_pong(&mut self, peer: P, now: Instant) {
        self.pass(now);
        self.client.alive(peer, now);
    }

    /// Our own process was stopped for `gap`: that does not count against anyone. To be told
    /// before anything else is, after the gap.
    pub fn handle_slept(&mut self, gap: Duration, now: Instant) {
        self.pass(now);
        self.client.slept(gap);
        let lanes = self.links.values_mut().flat_map(|link| &mut link.lanes);
        lanes.filter_map(|lane| lane.busy.as_mut()).for_each(|since| *since += gap);
    }

    // --- messages ---

    /// `bytes` more of a message came, the last ones of it too. To be told for every message
    /// of more than a few kilobytes, else a large block looks like silence.
    pub fn handle_receiving(&mut self, peer: P, bytes: usize, now: Instant) {
        self.pass(now);
        self.client.receiving(peer, bytes, now);
    }

    /// A message broke off, after `bytes` of it were told to
    /// [`handle_receiving`](Self::handle_receiving).
    pub fn handle_receive_failed(&mut self, peer: P, bytes: usize, now: Instant) {
        self.pass(now);
        self.client.broke_off(peer, bytes, now);
    }

    /// A message came and its blocks were hashed.
    pub fn handle_message(&mut self, peer: P, message: Incoming<B>, now: Instant) {
        self.pass(now);
        if !self.links.contains_key(&peer) {
            return;
        }
        self.client.received(peer, message.size, now);
        let mut unasked = message.rejected;
        for block in message.blocks {
            let cid = block.cid().clone();
            match self.client.block(peer, &cid, block.len(), now) {
                Arrival::Wanted(sessions) => {
                    self.ready.push_back(Action::Deliver { cid, block, from: peer, sessions });
                }
                Arrival::Late => {}
                Arrival::Unasked => unasked += 1,
            }
        }
        if unasked > 0 && self.client.strike(peer, unasked, now) {
            return;
        }
        for presence in &message.presences {
            self.client.presence(peer, &presence.cid, presence.have, now);
        }
        if message.full || !message.wants.is_empty() {
            self.server.update(peer, message.wants, message.full);
        }
    }

    /// Part of a message was written. Need not be told for messages that go within a minute.
    pub fn handle_sending(&mut self, peer: P, lane: Lane, now: Instant) {
        self.pass(now);
        let Some(state) = self.lane(peer, lane).filter(|lane| lane.busy.is_some()) else { return };
        state.busy = Some(now);
        if state.heavy {
            self.client.taking(peer, now);
        }
    }

    /// The message last given for that lane was written out: the next one may follow. Not to be
    /// told of messages that were given before the peer last disconnected.
    pub fn handle_sent(&mut self, peer: P, lane: Lane, now: Instant) {
        self.pass(now);
        let Some(state) = self.lane(peer, lane) else { return };
        let heavy = state.heavy;
        *state = LaneState::default();
        if heavy {
            self.client.taking(peer, now);
        }
        if lane == Lane::Answering {
            self.server.sent(peer);
        }
    }

    /// The message last given for that lane was lost, or may have been. It is made anew after a
    /// short rest; the third time in a row closes the peer.
    pub fn handle_send_failed(&mut self, peer: P, lane: Lane, now: Instant) {
        self.pass(now);
        let Some(state) = self.lane(peer, lane) else { return };
        let failures = state.failures + 1;
        *state = LaneState { failures, rest: Some(now + RETRY * failures), ..LaneState::default() };
        if failures >= FAILURES {
            self.close(peer, CloseReason::Unreachable, now);
            return;
        }
        match lane {
            Lane::Asking => self.client.send_failed(peer, now),
            Lane::Answering => self.server.send_failed(peer),
        }
    }

    // --- asking ---

    /// Begins a session: wants that belong together and probably are with the same peers.
    pub fn open_session(&mut self, now: Instant) -> SessionId {
        self.pass(now);
        self.client.open_session()
    }

    /// Ends a session and takes its wants back.
    pub fn close_session(&mut self, session: SessionId, now: Instant) {
        self.pass(now);
        self.client.close_session(session, now);
    }

    /// `peer` is said to have what the session wants. It need not be connected yet.
    pub fn add_peer(&mut self, session: SessionId, peer: P, now: Instant) {
        self.pass(now);
        self.client.add_peer(session, peer);
    }

    /// Wants a block. The older a want, the more urgent. To want again what the session wants
    /// already changes nothing: it is delivered once.
    pub fn want(&mut self, session: SessionId, cid: &Cid, now: Instant) -> Result<(), WantError> {
        self.pass(now);
        self.client.want(session, cid)
    }

    /// Takes back one session's want.
    pub fn cancel(&mut self, session: SessionId, cid: &Cid, now: Instant) {
        self.pass(now);
        self.client.cancel(session, cid, now);
    }

    /// Asks all connected peers whether they have `cid`, without wanting it. What they say is
    /// told by [`holders`](Self::holders).
    pub fn probe(&mut self, cid: &Cid, now: Instant) {
        self.pass(now);
        self.client.probe(cid, now);
    }

    /// Connected peers that said HAVE of `cid` within the last minute.
    pub fn holders(&self, cid: &Cid, now: Instant) -> impl Iterator<Item = P> {
        self.client.holders(cid, now)
    }

    // --- answering ---

    /// The store's answer to [`Action::Load`]; `None` where it lacks the block.
    pub fn handle_loaded(&mut self, peer: P, cid: &Cid, answer: Option<Loaded<B>>, now: Instant) {
        self.pass(now);
        self.server.loaded(peer, cid, answer);
    }

    /// The store gained these blocks: peers that wait for them are answered.
    pub fn handle_new_blocks(&mut self, cids: &[Cid], now: Instant) {
        self.pass(now);
        self.server.gained(cids);
    }

    // --- what came of it ---

    /// The next thing to do. To be called until `None` after every other call that changes
    /// something.
    pub fn poll_action(&mut self) -> Option<Action<P, B>> {
        let now = self.now?;
        if let Some(action) = self.ready.pop_front() {
            return Some(action);
        }
        // giving out wants may call for providers, and then there is more to give out
        let signal = loop {
            let signal = self.client.poll_signal();
            if signal.is_some() || !self.client.is_dirty() {
                break signal;
            }
            self.client.schedule(now);
        };
        match signal {
            Some(Signal::Ping(peer)) => return Some(Action::Ping { peer }),
            Some(Signal::Close(peer, reason)) => {
                self.forget(peer, now);
                return Some(Action::Close { peer, reason });
            }
            Some(Signal::NeedProviders(session, cid)) => {
                return Some(Action::NeedProviders { session, cid });
            }
            None => {}
        }
        if let Some((peer, wants, full)) = self.client.poll_message(free(&self.links, Lane::Asking))
        {
            let message = Outgoing { wants, full, ..Outgoing::default() };
            return Some(self.send(peer, Lane::Asking, message, now));
        }
        if let Some((peer, cid, what)) = self.server.poll_load() {
            return Some(Action::Load { peer, cid, what });
        }
        let (peer, message) = self.server.poll_message(free(&self.links, Lane::Answering))?;
        Some(self.send(peer, Lane::Answering, message, now))
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, if nothing comes before.
    /// To be read after [`poll_action`](Self::poll_action) gave `None`.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let lanes = self.links.values().flat_map(|link| &link.lanes);
        let lanes = lanes.flat_map(|lane| [lane.busy.map(|since| since + WRITE_STALL), lane.rest]);
        lanes.flatten().chain(self.client.timeout()).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.pass(now);
        let mut stuck = Vec::new();
        for (peer, link) in &mut self.links {
            for lane in &mut link.lanes {
                lane.rest = lane.rest.filter(|rest| now < *rest);
                if lane.busy.is_some_and(|since| now >= since + WRITE_STALL) {
                    stuck.push(*peer);
                }
            }
        }
        for peer in stuck {
            self.close(peer, CloseReason::NotReading, now);
        }
        self.client.handle_timeout(now);
    }

    // --- what it knows ---

    /// What went through it.
    pub fn stats(&self) -> Stats {
        let (blocks_sent, bytes_sent) = (self.blocks_sent, self.bytes_sent);
        Stats { blocks_sent, bytes_sent, ..*self.client.stats() }
    }

    /// What is known of `peer`, if it is connected.
    pub fn peer_stats(&self, peer: P) -> Option<PeerStats> {
        let link = self.links.get(&peer)?;
        let remote = self.client.remote(peer)?;
        Some(PeerStats {
            bytes_received: remote.delivered,
            bytes_sent: link.bytes_sent,
            rate: remote.meter.rate(),
            owes: remote.open.len(),
            wants: self.server.ledger(peer)?.len(),
        })
    }

    /// How many blocks are wanted by our own sessions.
    pub fn wants(&self) -> usize {
        self.client.wants_len()
    }

    /// How many peers are being sent blocks.
    pub fn serving(&self) -> usize {
        self.server.serving()
    }

    /// Bytes of blocks that are in memory for peers.
    pub fn bytes_in_memory(&self) -> usize {
        self.server.in_memory()
    }

    // --- helpers ---

    /// Takes the time, which never runs backwards here.
    fn pass(&mut self, now: Instant) {
        self.now = self.now.max(Some(now));
    }

    fn lane(&mut self, peer: P, lane: Lane) -> Option<&mut LaneState> {
        self.links.get_mut(&peer).map(|link| &mut link.lanes[lane as usize])
    }

    fn send(&mut self, peer: P, lane: Lane, message: Outgoing<B>, now: Instant) -> Action<P, B> {
        if let Some(state) = self.lane(peer, lane) {
            state.busy = Some(now);
            state.heavy = !message.blocks.is_empty();
        }
        let bytes: u64 = message.blocks.iter().map(|block| block.len() as u64).sum();
        self.blocks_sent += message.blocks.len() as u64;
        self.bytes_sent += bytes;
        if let Some(link) = self.links.get_mut(&peer) {
            link.bytes_sent += bytes;
        }
        Action::Send { peer, lane, message }
    }

    fn close(&mut self, peer: P, reason: CloseReason, now: Instant) {
        self.forget(peer, now);
        self.ready.push_back(Action::Close { peer, reason });
    }

    fn forget(&mut self, peer: P, now: Instant) {
        self.links.remove(&peer);
        self.client.disconnected(peer, now);
        self.server.disconnected(peer);
    }
}

/// Whether a lane may be given a message.
fn free<P: Copy + Ord>(links: &BTreeMap<P, Link>, lane: Lane) -> impl Fn(P) -> bool {
    move |peer| {
        links.get(&peer).is_some_and(|link| {
            let lane = link.lanes[lane as usize];
            lane.busy.is_none() && lane.rest.is_none()
        })
    }
}
