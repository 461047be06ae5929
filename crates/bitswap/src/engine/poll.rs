//! What comes out of the engine: the next action, the next instant, and what it knows.

use std::{fmt::Debug, hash::Hash};

use avocet_dag::Payload;
use web_time::Instant;

use super::Engine;
use crate::{
    client::Signal,
    events::{Action, CloseReason, Lane, PeerStats, Stats},
    wire::Outgoing,
};

impl<P: Copy + Ord + Hash + Debug, B: Payload> Engine<P, B> {
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
        if let Some((peer, wants, full)) =
            self.client.poll_message(|peer| self.lanes.is_free(peer, Lane::Asking))
        {
            let message = Outgoing { wants, full, ..Outgoing::default() };
            return Some(self.send(peer, Lane::Asking, message, now));
        }
        if let Some((peer, cid, what)) = self.server.poll_load() {
            return Some(Action::Load { peer, cid, what });
        }
        let (peer, message) =
            self.server.poll_message(|peer| self.lanes.is_free(peer, Lane::Answering))?;
        Some(self.send(peer, Lane::Answering, message, now))
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, if nothing comes before.
    /// To be read after [`poll_action`](Self::poll_action) gave `None`.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.lanes.timeout().into_iter().chain(self.client.timeout()).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.pass(now);
        for peer in self.lanes.handle_timeout(now) {
            self.close(peer, CloseReason::NotReading, now);
        }
        self.client.handle_timeout(now);
    }

    /// What went through it.
    pub fn stats(&self) -> Stats {
        let (blocks_sent, bytes_sent) = (self.blocks_sent, self.bytes_sent);
        Stats { blocks_sent, bytes_sent, ..*self.client.stats() }
    }

    /// What is known of `peer`, if it is connected.
    pub fn peer_stats(&self, peer: P) -> Option<PeerStats> {
        let (remote, ledger) = (self.client.remote(peer)?, self.server.ledger(peer)?);
        Some(PeerStats {
            bytes_received: remote.delivered,
            bytes_sent: self.lanes.bytes_sent(peer),
            rate: remote.meter.rate(),
            owes: remote.open.len(),
            wants: ledger.len(),
            in_memory: ledger.in_memory(),
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

    fn send(&mut self, peer: P, lane: Lane, message: Outgoing<B>, now: Instant) -> Action<P, B> {
        let bytes: u64 = message.blocks.iter().map(|block| block.len() as u64).sum();
        self.blocks_sent += message.blocks.len() as u64;
        self.bytes_sent += bytes;
        self.lanes.begin(peer, lane, bytes, now);
        Action::Send { peer, lane, message }
    }
}
