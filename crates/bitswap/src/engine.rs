//! The engine: both sides of the exchange behind one face.

mod lanes;
mod poll;

use std::{collections::VecDeque, fmt::Debug, hash::Hash, time::Duration};

use avocet_dag::{Cid, Payload};
use bytes::Bytes;
use web_time::Instant;

pub use self::lanes::WRITE_STALL;
use self::lanes::{Failure, Lanes};
use crate::{
    client::{Arrival, Client, WantError},
    events::{Action, CloseReason, Config, Incoming, Lane, Loaded},
    server::Server,
    session::SessionId,
};

/// The exchange with all peers. See the [crate] for how it is driven.
#[derive(Debug)]
pub struct Engine<P, B = Bytes> {
    client: Client<P>,
    server: Server<P, B>,
    lanes: Lanes<P>,
    /// What comes first: the blocks of the last message, and peers to close.
    ready: VecDeque<Action<P, B>>,
    /// The latest time that was told.
    now: Option<Instant>,
    blocks_sent: u64,
    bytes_sent: u64,
}

impl<P: Copy + Ord + Hash + Debug, B: Payload> Engine<P, B> {
    /// An engine without peers, which these know as `local`. `seed` decides in which order strangers are asked.
    pub fn new(local: P, config: Config, seed: u64) -> Self {
        Self {
            client: Client::new(local, config.broadcast, seed),
            server: Server::new(config.limits),
            lanes: Lanes::new(),
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
        self.lanes.connected(peer);
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
        self.lanes.slept(gap);
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
        if !self.lanes.is_connected(peer) {
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
        for entry in message.wants.iter().filter(|entry| !entry.cancel) {
            self.client.overhear(peer, &entry.cid, now);
        }
        if message.full || !message.wants.is_empty() {
            self.server.update(peer, message.wants, message.full);
        }
    }

    /// Part of a message was written. Need not be told for messages that go within a minute.
    pub fn handle_sending(&mut self, peer: P, lane: Lane, now: Instant) {
        self.pass(now);
        if self.lanes.moving(peer, lane, now) {
            self.client.taking(peer, now);
        }
    }

    /// The message last given for that lane was written out: the next one may follow. Not to be
    /// told of messages that were given before the peer last disconnected.
    pub fn handle_sent(&mut self, peer: P, lane: Lane, now: Instant) {
        self.pass(now);
        if self.lanes.moving(peer, lane, now) {
            self.client.taking(peer, now);
        }
        if self.lanes.sent(peer, lane) && lane == Lane::Answering {
            self.server.sent(peer);
        }
    }

    /// The message last given for that lane was lost, or may have been. It is made anew after a
    /// short rest; the third time in a row closes the peer.
    pub fn handle_send_failed(&mut self, peer: P, lane: Lane, now: Instant) {
        self.pass(now);
        match (self.lanes.failed(peer, lane, now), lane) {
            (Failure::Unknown, _) => {}
            (Failure::Last, _) => self.close(peer, CloseReason::Unreachable, now),
            (Failure::Again, Lane::Asking) => self.client.send_failed(peer, now),
            (Failure::Again, Lane::Answering) => self.server.send_failed(peer),
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

    /// Asks all connected peers whether they have `cid`, of which the session wants what hangs
    /// below: who has it is asked for that too.
    pub fn seek(&mut self, session: SessionId, cid: &Cid, now: Instant) {
        self.pass(now);
        self.client.seek(session, cid, now);
    }

    /// Wants a block. The older a want, the more urgent. To want again what the session wants
    /// already changes nothing: it is delivered once.
    pub fn want(&mut self, session: SessionId, cid: &Cid, now: Instant) -> Result<(), WantError> {
        self.pass(now);
        self.client.want(session, cid)?;
        for peer in self.server.wanted_by(cid) {
            self.client.overhear(peer, cid, now);
        }
        Ok(())
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

    /// A node that links to these was given to a peer: what it wants of them at once goes in this order, whatever
    /// priorities it gives them.
    pub fn handle_given(&mut self, peer: P, links: impl IntoIterator<Item = Cid>) {
        self.server.given(peer, links);
    }

    /// The store gained these blocks: peers that wait for them are answered.
    pub fn handle_new_blocks(&mut self, cids: &[Cid], now: Instant) {
        self.pass(now);
        self.server.gained(cids);
    }

    /// Takes the time, which never runs backwards here.
    fn pass(&mut self, now: Instant) {
        self.now = self.now.max(Some(now));
    }

    fn close(&mut self, peer: P, reason: CloseReason, now: Instant) {
        self.forget(peer, now);
        self.ready.push_back(Action::Close { peer, reason });
    }

    fn forget(&mut self, peer: P, now: Instant) {
        self.lanes.disconnected(peer);
        self.client.disconnected(peer, now);
        self.server.disconnected(peer);
    }
}
