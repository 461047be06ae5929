//! A small network on a simulated clock: engines, links with delay and stalls, uplinks that are
//! shared, resets, deaths. Seeded, and nothing in it sleeps.
//!
//! Streams lose nothing while they stand: what a real network loses comes later here, and holds
//! up what follows it on the same connection. Every message goes through the codec, chunk by
//! chunk of 16 KiB.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
    rc::Rc,
    time::Duration,
};

use avocet_bitswap::{
    Action, CloseReason, Config, Engine, Lane, Loaded, SessionId, What,
    wire::{self, Message, Outgoing},
};
use avocet_dag::{Block, Cid, Version, code};
use bytes::Bytes;
use web_time::Instant;

pub type Peer = usize;

/// What a data channel carries in one message.
const CHUNK: usize = 16 * 1024;
/// How long a lost frame takes to come after all: SCTP's least retransmission timeout is a
/// second in the specification, 200 ms and less in browsers.
const LOSS_DELAY: Duration = Duration::from_millis(200);
/// What a read from the store takes.
const LOAD: Duration = Duration::from_millis(2);

pub const MIB: usize = 1024 * 1024;

pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A block with `len` bytes that no other number gives.
pub fn block(number: u64, len: usize) -> Block {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(len.max(8), 0);
    Block::hash(Version::V1, code::RAW, code::SHA2_256, Bytes::from(bytes)).unwrap()
}

/// Blocks that hang together like a file: leaves, and nodes that name their children.
#[derive(Clone, Default)]
pub struct Dag {
    pub root: Option<Cid>,
    pub blocks: Vec<Block>,
    pub links: BTreeMap<Cid, Vec<Cid>>,
}

impl Dag {
    /// A file of `leaves` leaves of `size` bytes, `fanout` children a node.
    pub fn file(seed: u64, leaves: usize, size: usize, fanout: usize) -> Self {
        let mut dag = Self::default();
        let leaf = |number: usize| block(seed << 32 | number as u64, size);
        let mut level: Vec<_> = (0..leaves).map(leaf).collect();
        let mut cids: Vec<_> = level.iter().map(|block| block.cid().clone()).collect();
        loop {
            dag.blocks.append(&mut level);
            if cids.len() == 1 {
                dag.root = cids.pop();
                return dag;
            }
            let mut above = Vec::new();
            for children in cids.chunks(fanout) {
                let bytes: Vec<_> = children.iter().flat_map(Cid::to_bytes).collect();
                let node = Block::hash(Version::V1, code::DAG_PB, code::SHA2_256, bytes.into());
                let node = node.unwrap();
                dag.links.insert(node.cid().clone(), children.to_vec());
                above.push(node.cid().clone());
                level.push(node);
            }
            cids = above;
        }
    }

    pub fn root(&self) -> &Cid {
        self.root.as_ref().unwrap()
    }

    pub fn bytes(&self) -> usize {
        self.blocks.iter().map(Block::len).sum()
    }
}

/// A download under way: wants a window of blocks ahead of what it has from the front.
pub struct Download {
    links: Rc<BTreeMap<Cid, Vec<Cid>>>,
    window: usize,
    /// Not yet wanted, in order.
    ahead: VecDeque<Cid>,
    /// Wanted, in order, with whether it came.
    sequence: Vec<(Cid, bool)>,
    front: usize,
    missing: BTreeMap<Cid, usize>,
    /// When each block came, from whom, and of how many bytes.
    pub came: Vec<(Instant, Peer, usize)>,
}

impl Download {
    pub fn is_done(&self) -> bool {
        self.missing.is_empty() && self.ahead.is_empty()
    }

    pub fn bytes_from(&self, peer: Peer) -> usize {
        self.came.iter().filter(|(_, from, _)| *from == peer).map(|(.., len)| len).sum()
    }

    fn next(&mut self) -> Option<Cid> {
        if self.sequence.len() - self.front >= self.window {
            return None;
        }
        let cid = self.ahead.pop_front()?;
        self.missing.insert(cid.clone(), self.sequence.len());
        self.sequence.push((cid.clone(), false));
        Some(cid)
    }

    fn arrive(&mut self, cid: &Cid) {
        let at = self.missing.remove(cid).expect("delivered only what was wanted, and once");
        self.sequence[at].1 = true;
        while self.sequence.get(self.front).is_some_and(|(_, came)| *came) {
            self.front += 1;
        }
        if let Some(children) = self.links.get(cid) {
            for child in children.iter().rev() {
                self.ahead.push_front(child.clone());
            }
        }
    }
}

/// What a peer of our making does with a message: messages, each with the delay before it.
pub type Script = Box<dyn FnMut(Peer, &Message) -> Vec<(Duration, Vec<u8>)>>;

#[derive(Default)]
pub struct Node {
    pub engine: Option<Engine<Peer>>,
    script: Option<Script>,
    pub store: BTreeMap<Cid, Block>,
    pub downloads: BTreeMap<SessionId, Download>,
    /// Everything that was delivered, whoever wanted it.
    pub delivered: Vec<(SessionId, Cid)>,
    /// What is wanted outside of downloads; with `strict`, nothing else may be delivered.
    pub open: BTreeSet<(SessionId, Cid)>,
    pub strict: bool,
    pub closed: Vec<(Instant, Peer, CloseReason)>,
    pub calls: Vec<(Instant, SessionId, Cid)>,
    /// What was heard from others: when, from whom, what.
    pub heard: Vec<(Instant, Peer, Message)>,
    pub keep_heard: bool,
    /// What goes out, in turns of one chunk.
    uplink: VecDeque<Transfer>,
    rate: f64,
    sending: bool,
    dead: bool,
    asleep_until: Option<Instant>,
    /// When bytes last came, and the longest time between any since `watch_flow`.
    flow: Option<(Instant, Duration)>,
    timer: u64,
}

impl Node {
    /// From now on it sends so many bytes a second.
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}

/// A message on its way out.
struct Transfer {
    id: u64,
    to: Peer,
    lane: Lane,
    bytes: Bytes,
    sent: usize,
    /// A puppet's trickle: so many bytes at a time, and how long between them.
    drip: Option<(usize, Duration)>,
}

/// One direction of a connection.
#[derive(Clone)]
struct Link {
    delay: Duration,
    loss: f64,
    stalled_until: Instant,
    /// Bytes a second that the reader takes, where that is less than the sender has, and since
    /// when it takes more.
    pace: Option<f64>,
    free: Instant,
    /// What is on its way: nothing overtakes on a connection.
    queue: VecDeque<Piece>,
    last: Instant,
    epoch: u64,
}

/// A chunk on its way.
#[derive(Clone)]
struct Piece {
    at: Instant,
    transfer: u64,
    bytes: usize,
    /// The whole message, with its last chunk.
    whole: Option<Bytes>,
}

enum Event {
    Pump(Peer),
    /// Something may have come on a link.
    Due {
        from: Peer,
        to: Peer,
    },
    Loaded {
        peer: Peer,
        to: Peer,
        cid: Cid,
        answer: Option<Loaded<Bytes>>,
    },
    Ping {
        from: Peer,
        to: Peer,
        epoch: u64,
    },
    Pong {
        from: Peer,
        to: Peer,
        epoch: u64,
    },
    Timer {
        peer: Peer,
        number: u64,
    },
    Puppet {
        peer: Peer,
        to: Peer,
        bytes: Vec<u8>,
    },
    Call(Box<dyn FnOnce(&mut Net)>),
}

pub struct Net {
    pub start: Instant,
    pub now: Instant,
    pub nodes: Vec<Node>,
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    events: BTreeMap<u64, Event>,
    links: BTreeMap<(Peer, Peer), Link>,
    aborted: BTreeSet<u64>,
    /// How much of a message came: `(from, to, transfer)`.
    partial: BTreeMap<(Peer, Peer, u64), usize>,
    /// Blocks that were hashed when they were made: bytes that equal them need no hashing again.
    known: BTreeMap<Vec<u8>, Block>,
    next: u64,
    random: u64,
    /// Timers that fired at one and the same instant.
    spins: u32,
}

impl Net {
    pub fn new(seed: u64) -> Self {
        #[allow(clippy::disallowed_methods, reason = "some instant must be the first")]
        let start = Instant::now();
        Self {
            start,
            now: start,
            nodes: Vec::new(),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            links: BTreeMap::new(),
            aborted: BTreeSet::new(),
            partial: BTreeMap::new(),
            known: BTreeMap::new(),
            next: 0,
            random: seed,
            spins: 0,
        }
    }

    // --- the cast ---

    /// A node with an engine that sends at `rate` bytes a second.
    pub fn node(&mut self, rate: f64) -> Peer {
        self.node_with(Config::default(), rate)
    }

    pub fn node_with(&mut self, config: Config, rate: f64) -> Peer {
        let engine = Some(Engine::new(self.nodes.len(), config, self.random));
        self.nodes.push(Node { engine, rate, ..Node::default() });
        self.nodes.len() - 1
    }

    /// A peer of our making: hears messages, and says what its script says.
    pub fn puppet(&mut self, script: Script) -> Peer {
        let node = Node { script: Some(script), rate: 1e9, keep_heard: true, ..Node::default() };
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub fn give(&mut self, peer: Peer, blocks: &[Block]) {
        for block in blocks {
            let head = block.bytes()[..block.len().min(64)].to_vec();
            self.known.insert(head, block.clone());
            self.nodes[peer].store.insert(block.cid().clone(), block.clone());
        }
        let cids: Vec<_> = blocks.iter().map(|block| block.cid().clone()).collect();
        self.with(peer, |engine, now| engine.handle_new_blocks(&cids, now));
    }

    pub fn connect(&mut self, a: Peer, b: Peer, delay: Duration) {
        for (from, to) in [(a, b), (b, a)] {
            self.next += 1;
            let (epoch, now) = (self.next, self.now);
            let queue = VecDeque::new();
            let (loss, stalled_until, pace, free, last) = (0.0, now, None, now, now);
            let link = Link { delay, loss, stalled_until, pace, free, queue, last, epoch };
            self.links.insert((from, to), link);
        }
        self.with(a, |engine, now| engine.handle_connected(b, now));
        self.with(b, |engine, now| engine.handle_connected(a, now));
    }

    pub fn is_connected(&self, a: Peer, b: Peer) -> bool {
        self.links.contains_key(&(a, b))
    }

    // --- the weather ---

    pub fn disconnect(&mut self, a: Peer, b: Peer) {
        for (from, to) in [(a, b), (b, a)] {
            if self.links.remove(&(from, to)).is_some() {
                self.nodes[from].uplink.retain(|transfer| transfer.to != to);
                self.partial.retain(|key, _| (key.0, key.1) != (from, to));
                self.with(from, |engine, now| engine.handle_disconnected(to, now));
            }
        }
    }

    /// The chance that a chunk from `from` to `to` comes late.
    pub fn lossy(&mut self, from: Peer, to: Peer, loss: f64) {
        self.links.get_mut(&(from, to)).unwrap().loss = loss;
    }

    /// `to` takes no more than so many bytes a second from `from`: the rest waits at the sender.
    pub fn pace(&mut self, from: Peer, to: Peer, rate: f64) {
        self.links.get_mut(&(from, to)).unwrap().pace = Some(rate);
    }

    /// Nothing arrives from `from` at `to` for a while; then everything does.
    pub fn stall(&mut self, from: Peer, to: Peer, time: Duration) {
        let until = self.now + time;
        if let Some(link) = self.links.get_mut(&(from, to)) {
            link.stalled_until = link.stalled_until.max(until);
        }
    }

    /// The messages under way from `from` to `to` break off; the connection stays.
    pub fn reset(&mut self, from: Peer, to: Peer) {
        let mut lanes = Vec::new();
        for transfer in self.nodes[from].uplink.iter().filter(|transfer| transfer.to == to) {
            self.aborted.insert(transfer.id);
            lanes.push((transfer.id, transfer.lane));
        }
        self.nodes[from].uplink.retain(|transfer| transfer.to != to);
        for (id, lane) in lanes {
            self.with(from, |engine, now| engine.handle_send_failed(to, lane, now));
            if let Some(bytes) = self.partial.remove(&(from, to, id)) {
                self.with(to, |engine, now| engine.handle_receive_failed(from, bytes, now));
            }
        }
    }

    /// It stops, and nobody is told.
    pub fn kill(&mut self, peer: Peer) {
        self.nodes[peer].dead = true;
        self.nodes[peer].uplink.clear();
    }

    /// Its process stops for `gap`, and then learns of it.
    pub fn sleep(&mut self, peer: Peer, gap: Duration) {
        let until = self.now + gap;
        if self.nodes[peer].asleep_until.is_some() {
            return;
        }
        self.nodes[peer].asleep_until = Some(until);
        self.push(
            until,
            Event::Call(Box::new(move |net| {
                net.nodes[peer].asleep_until = None;
                net.with(peer, |engine, now| engine.handle_slept(gap, now));
            })),
        );
    }

    // --- what is done with it ---

    /// From now on the longest time without a byte is taken down.
    pub fn watch_flow(&mut self, peer: Peer) {
        self.nodes[peer].flow = Some((self.now, Duration::ZERO));
    }

    pub fn longest_pause(&self, peer: Peer) -> Duration {
        self.nodes[peer].flow.unwrap().1
    }

    pub fn at(&mut self, after: Duration, call: impl FnOnce(&mut Self) + 'static) {
        self.push(self.start + after, Event::Call(Box::new(call)));
    }

    /// Calls an engine and does what comes of it.
    pub fn with<T>(
        &mut self,
        peer: Peer,
        call: impl FnOnce(&mut Engine<Peer>, Instant) -> T,
    ) -> Option<T> {
        if self.nodes[peer].dead {
            return None;
        }
        let now = self.now;
        let value = call(self.nodes[peer].engine.as_mut()?, now);
        self.drain(peer);
        Some(value)
    }

    /// Begins to download what hangs below `root`.
    pub fn download(&mut self, peer: Peer, dag: &Dag, window: usize, hints: &[Peer]) -> SessionId {
        let session = self.with(peer, |engine, now| engine.open_session(now)).unwrap();
        for hint in hints {
            self.with(peer, |engine, now| engine.add_peer(session, *hint, now));
        }
        let download = Download {
            links: Rc::new(dag.links.clone()),
            window,
            ahead: [dag.root().clone()].into(),
            sequence: Vec::new(),
            front: 0,
            missing: BTreeMap::new(),
            came: Vec::new(),
        };
        self.nodes[peer].downloads.insert(session, download);
        self.want_more(peer, session);
        session
    }

    pub fn is_done(&self, peer: Peer, session: SessionId) -> bool {
        self.nodes[peer].downloads[&session].is_done()
    }

    /// Runs until the download is done; gives the time that it took since the start.
    pub fn run_download(&mut self, peer: Peer, session: SessionId, most: Duration) -> Duration {
        self.run_until(most, |net| net.is_done(peer, session));
        assert!(self.is_done(peer, session), "not done after {most:?}");
        self.now - self.start
    }

    /// Lets time pass up to `until` after the start.
    pub fn run(&mut self, until: Duration) {
        self.run_until(until, |_| false);
        self.now = self.now.max(self.start + until);
    }

    pub fn run_until(&mut self, most: Duration, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let Some(Reverse((at, number))) = self.queue.peek().copied() else { return };
            if at > self.start + most {
                return;
            }
            self.queue.pop();
            self.spins = if at > self.now { 0 } else { self.spins };
            self.now = self.now.max(at);
            if let Some(event) = self.events.remove(&number) {
                self.handle(event);
            }
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    pub fn engine(&self, peer: Peer) -> &Engine<Peer> {
        self.nodes[peer].engine.as_ref().unwrap()
    }

    /// A puppet speaks.
    pub fn say(&mut self, from: Peer, to: Peer, bytes: Vec<u8>) {
        self.transmit(from, to, Lane::Answering, bytes.into(), None);
    }

    /// A puppet speaks slowly: so many bytes at a time.
    pub fn drip(&mut self, from: Peer, to: Peer, bytes: Vec<u8>, some: usize, every: Duration) {
        self.transmit(from, to, Lane::Answering, bytes.into(), Some((some, every)));
    }

    /// A number below `bound`.
    pub fn random(&mut self, bound: u64) -> u64 {
        // splitmix64
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    // --- how it works ---

    fn push(&mut self, at: Instant, event: Event) {
        self.next += 1;
        self.queue.push(Reverse((at, self.next)));
        self.events.insert(self.next, event);
    }

    fn handle(&mut self, event: Event) {
        let at = match &event {
            Event::Pump(peer) | Event::Loaded { peer, .. } | Event::Timer { peer, .. } => *peer,
            Event::Due { to, .. } | Event::Ping { to, .. } | Event::Pong { to, .. } => *to,
            Event::Puppet { peer, .. } => *peer,
            Event::Call(_) => Peer::MAX,
        };
        if let Some(until) = self.nodes.get(at).and_then(|node| node.asleep_until) {
            return self.push(until, event);
        }
        match event {
            Event::Pump(peer) => self.pump(peer),
            Event::Due { from, to } => self.receive(from, to),
            Event::Loaded { peer, to, cid, answer } => {
                self.with(peer, |engine, now| engine.handle_loaded(to, &cid, answer, now));
            }
            Event::Ping { from, to, epoch } => {
                if self.nodes[to].dead || !self.is_current(from, to, epoch) {
                    return;
                }
                match self.held_up(from, to) {
                    Some(at) => self.push(at, Event::Ping { from, to, epoch }),
                    None => {
                        let Some(link) = self.links.get(&(to, from)) else { return };
                        let (at, epoch) = (self.now + link.delay, link.epoch);
                        self.push(at, Event::Pong { from: to, to: from, epoch });
                    }
                }
            }
            Event::Pong { from, to, epoch } => {
                if self.is_current(from, to, epoch) {
                    match self.held_up(from, to) {
                        Some(at) => self.push(at, Event::Pong { from, to, epoch }),
                        None => drop(self.with(to, |engine, now| engine.handle_pong(from, now))),
                    }
                }
            }
            Event::Timer { peer, number } => {
                if self.nodes[peer].timer == number {
                    self.spins += 1;
                    assert!(self.spins < 1000, "timers fire for ever at one instant");
                    self.with(peer, |engine, now| engine.handle_timeout(now));
                }
            }
            Event::Puppet { peer, to, bytes } => self.say(peer, to, bytes),
            Event::Call(call) => call(self),
        }
    }

    fn is_current(&self, from: Peer, to: Peer, epoch: u64) -> bool {
        self.links.get(&(from, to)).is_some_and(|link| link.epoch == epoch)
    }

    fn held_up(&self, from: Peer, to: Peer) -> Option<Instant> {
        self.links.get(&(from, to)).map(|link| link.stalled_until).filter(|at| *at > self.now)
    }

    fn transmit(
        &mut self,
        from: Peer,
        to: Peer,
        lane: Lane,
        bytes: Bytes,
        drip: Option<(usize, Duration)>,
    ) {
        if self.nodes[from].dead || !self.is_connected(from, to) {
            return;
        }
        self.next += 1;
        let transfer = Transfer { id: self.next, to, lane, bytes, sent: 0, drip };
        let node = &mut self.nodes[from];
        node.uplink.push_back(transfer);
        if !node.sending {
            node.sending = true;
            self.push(self.now, Event::Pump(from));
        }
    }

    /// Sends one chunk of what is first, and puts the rest of it last. Readers that are not ready
    /// for more are passed over.
    fn pump(&mut self, peer: Peer) {
        let node = &mut self.nodes[peer];
        let free = |transfer: &Transfer| {
            self.links.get(&(peer, transfer.to)).map_or(self.now, |link| link.free)
        };
        let first = node.uplink.iter().position(|transfer| free(transfer) <= self.now);
        let Some(mut transfer) = first.and_then(|at| node.uplink.remove(at)) else {
            match node.uplink.iter().map(free).min() {
                Some(at) => self.push(at, Event::Pump(peer)),
                None => node.sending = false,
            }
            return;
        };
        let most = transfer.drip.map_or(CHUNK, |(some, _)| some);
        let size = most.min(transfer.bytes.len() - transfer.sent);
        let takes = transfer
            .drip
            .map_or(Duration::from_secs_f64(size as f64 / node.rate), |(_, every)| every);
        let left = self.now + takes;
        let late = self.random(1_000_000) as f64 / 1e6;
        let Some(link) = self.links.get_mut(&(peer, transfer.to)) else {
            return self.push(self.now, Event::Pump(peer));
        };
        transfer.sent += size;
        if let Some(pace) = link.pace {
            link.free = self.now + Duration::from_secs_f64(size as f64 / pace);
        }
        let loss = if late < link.loss { LOSS_DELAY } else { Duration::ZERO };
        link.last = (left + link.delay + loss).max(link.last);
        let (at, to, epoch) = (link.last, transfer.to, link.epoch);
        let done = transfer.sent == transfer.bytes.len();
        let whole = done.then(|| transfer.bytes.clone());
        let id = transfer.id;
        link.queue.push_back(Piece { at, transfer: id, bytes: size, whole });
        self.push(at, Event::Due { from: peer, to });
        if done {
            let lane = transfer.lane;
            self.push(
                left,
                Event::Call(Box::new(move |net| {
                    if net.is_current(peer, to, epoch) {
                        net.with(peer, |engine, now| engine.handle_sent(to, lane, now));
                    }
                })),
            );
        } else {
            self.nodes[peer].uplink.push_back(transfer);
        }
        self.push(left, Event::Pump(peer));
    }

    /// Takes what has come on a link, unless it stalls.
    fn receive(&mut self, from: Peer, to: Peer) {
        if let Some(at) = self.held_up(from, to) {
            return self.push(at, Event::Due { from, to });
        }
        let now = self.now;
        let next = |net: &mut Self| {
            let link = net.links.get_mut(&(from, to))?;
            link.queue.front().filter(|piece| piece.at <= now)?;
            link.queue.pop_front()
        };
        while let Some(piece) = next(self) {
            if !self.aborted.contains(&piece.transfer) {
                self.arrive(from, to, piece.transfer, piece.bytes, piece.whole);
            }
        }
    }

    fn arrive(&mut self, from: Peer, to: Peer, id: u64, bytes: usize, whole: Option<Bytes>) {
        if self.nodes[to].dead {
            return;
        }
        *self.partial.entry((from, to, id)).or_default() += bytes;
        if let Some((last, longest)) = &mut self.nodes[to].flow {
            *longest = (*longest).max(self.now - *last);
            *last = self.now;
        }
        self.with(to, |engine, now| engine.handle_receiving(from, bytes, now));
        let Some(whole) = whole else { return };
        self.partial.remove(&(from, to, id));
        let (length, used) = wire::read_length(&whole).unwrap().unwrap();
        let message = wire::decode(whole.slice(used..used + length)).unwrap();
        if self.nodes[to].keep_heard {
            self.nodes[to].heard.push((self.now, from, message.clone()));
        }
        if let Some(mut script) = self.nodes[to].script.take() {
            for (delay, bytes) in script(from, &message) {
                self.push(self.now + delay, Event::Puppet { peer: to, to: from, bytes });
            }
            self.nodes[to].script = Some(script);
            return;
        }
        let (mut blocks, mut rejected) = (Vec::new(), 0);
        for raw in &message.blocks {
            match self.verify(raw) {
                Some(block) => blocks.push(block),
                None => rejected += 1,
            }
        }
        let incoming = message.into_incoming(blocks, rejected);
        self.with(to, |engine, now| engine.handle_message(from, incoming, now));
    }

    fn verify(&self, raw: &wire::RawBlock) -> Option<Block> {
        let head = &raw.data[..raw.data.len().min(64)];
        match self.known.get(head) {
            Some(block) if block.bytes() == &raw.data => Some(block.clone()),
            _ => Block::verify(raw.prefix.cid(&raw.data).ok()?, raw.data.clone()).ok(),
        }
    }

    fn drain(&mut self, peer: Peer) {
        while let Some(action) = self.nodes[peer].engine.as_mut().and_then(Engine::poll_action) {
            self.act(peer, action);
        }
        let node = &mut self.nodes[peer];
        let timeout = node.engine.as_ref().and_then(Engine::poll_timeout);
        if let Some(at) = timeout {
            self.next += 1;
            self.nodes[peer].timer = self.next + 1;
            let number = self.next + 1;
            self.push(at.max(self.now), Event::Timer { peer, number });
        }
    }

    fn act(&mut self, peer: Peer, action: Action<Peer>) {
        match action {
            Action::Send { peer: to, lane, message } => {
                let bytes = encode(&message);
                self.transmit(peer, to, lane, bytes.into(), None);
            }
            Action::Deliver { cid, block, from, sessions } => {
                assert_eq!(&cid, block.cid());
                let len = block.len();
                let node = &mut self.nodes[peer];
                node.store.insert(cid.clone(), block);
                for session in &sessions {
                    node.delivered.push((*session, cid.clone()));
                    if node.strict {
                        assert!(node.open.remove(&(*session, cid.clone())), "nobody wants {cid}");
                    }
                    if let Some(download) = node.downloads.get_mut(session) {
                        download.came.push((self.now, from, len));
                        download.arrive(&cid);
                    }
                }
                for session in sessions {
                    self.want_more(peer, session);
                }
                self.with(peer, |engine, now| engine.handle_new_blocks(&[cid], now));
            }
            Action::Load { peer: to, cid, what } => {
                let found = self.nodes[peer].store.get(&cid);
                let answer = found.map(|block| match what {
                    What::Size => Loaded::Size(block.len()),
                    What::Block => Loaded::Block(block.clone()),
                });
                self.push(self.now + LOAD, Event::Loaded { peer, to, cid, answer });
            }
            Action::Ping { peer: to } => {
                if let Some(link) = self.links.get(&(peer, to)) {
                    let (at, epoch) = (self.now + link.delay, link.epoch);
                    self.push(at, Event::Ping { from: peer, to, epoch });
                }
            }
            Action::Close { peer: other, reason } => {
                self.nodes[peer].closed.push((self.now, other, reason));
                self.disconnect(peer, other);
            }
            Action::NeedProviders { session, cid } => {
                self.nodes[peer].calls.push((self.now, session, cid));
            }
        }
    }

    fn want_more(&mut self, peer: Peer, session: SessionId) {
        let Some(download) = self.nodes[peer].downloads.get_mut(&session) else { return };
        let cids: Vec<_> = std::iter::from_fn(|| download.next()).collect();
        for cid in cids {
            self.with(peer, |engine, now| engine.want(session, &cid, now)).unwrap().unwrap();
        }
    }
}

pub fn encode(message: &Outgoing) -> Vec<u8> {
    wire::encode(message).unwrap()
}
