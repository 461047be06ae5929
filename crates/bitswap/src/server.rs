//! The answering side: the ledgers of all peers, served in turn.

use std::fmt::Debug;

use avocet_dag::{Cid, Payload};

use crate::{
    events::{Limits, Loaded, What},
    ledger::Ledger,
    sorted::Map,
    wire::{Entry, Outgoing},
};

/// All ledgers. One for each connected peer.
#[derive(Debug)]
pub(crate) struct Server<P, B> {
    limits: Limits,
    ledgers: Map<P, Ledger<B>>,
    /// Who was last given a read, and who a message: the next one comes first.
    load_turn: Option<P>,
    send_turn: Option<P>,
    /// Whether there may be something to read.
    loadable: bool,
}

impl<P: Copy + Ord + Debug, B: Payload> Server<P, B> {
    pub(crate) const fn new(limits: Limits) -> Self {
        let ledgers = Map::new();
        Self { limits, ledgers, load_turn: None, send_turn: None, loadable: false }
    }

    pub(crate) fn connected(&mut self, peer: P) {
        self.ledgers.entry(peer).or_insert_with(Ledger::new);
    }

    pub(crate) fn disconnected(&mut self, peer: P) {
        self.ledgers.remove(&peer);
        self.loadable = true; // what it held back, others may have
    }

    pub(crate) fn update(&mut self, peer: P, entries: Vec<Entry>, full: bool) {
        if let Some(ledger) = self.ledgers.get_mut(&peer) {
            ledger.update(entries, full, &self.limits);
            self.loadable = true;
        }
    }

    pub(crate) fn gained(&mut self, cids: &[Cid]) {
        for ledger in self.ledgers.values_mut().filter(|ledger| ledger.len() > 0) {
            for cid in cids {
                self.loadable |= ledger.gained(cid);
            }
        }
    }

    pub(crate) fn loaded(&mut self, peer: P, cid: &Cid, answer: Option<Loaded<B>>) {
        if let Some(ledger) = self.ledgers.get_mut(&peer) {
            ledger.loaded(cid, answer, &self.limits);
            self.loadable = true;
        }
    }

    pub(crate) fn given(&mut self, peer: P, links: impl IntoIterator<Item = Cid>) {
        if let Some(ledger) = self.ledgers.get_mut(&peer) {
            ledger.given(links);
        }
    }

    pub(crate) fn sent(&mut self, peer: P) {
        if let Some(ledger) = self.ledgers.get_mut(&peer) {
            ledger.sent();
            self.loadable = true;
        }
    }

    pub(crate) fn send_failed(&mut self, peer: P) {
        if let Some(ledger) = self.ledgers.get_mut(&peer) {
            ledger.send_failed(&self.limits);
            self.loadable = true;
        }
    }

    /// What to ask the store next, for one peer after the other.
    pub(crate) fn poll_load(&mut self) -> Option<(P, Cid, What)> {
        if !self.loadable {
            return None;
        }
        let ahead: usize = self.ledgers.values().map(Ledger::held).sum();
        let more = ahead < self.limits.read_ahead;
        for peer in in_turn(&self.ledgers, self.load_turn) {
            let Some(ledger) = self.ledgers.get_mut(&peer) else { continue };
            if let Some((cid, what)) = ledger.next_load(more, &self.limits) {
                self.load_turn = Some(peer);
                return Some((peer, cid, what));
            }
        }
        self.loadable = false;
        None
    }

    /// The next message for a peer that `free` lets have one, for one peer after the other.
    pub(crate) fn poll_message(&mut self, free: impl Fn(P) -> bool) -> Option<(P, Outgoing<B>)> {
        if !self.ledgers.values().any(Ledger::has_message) {
            return None;
        }
        let ready = |peer: &P| self.ledgers.get(peer).is_some_and(Ledger::has_message);
        let peer = in_turn(&self.ledgers, self.send_turn)
            .into_iter()
            .find(|peer| ready(peer) && free(*peer))?;
        self.send_turn = Some(peer);
        self.loadable = true;
        let message = self.ledgers.get_mut(&peer)?.take_message(&self.limits);
        Some((peer, message))
    }

    /// Whoever wants this of us.
    pub(crate) fn wanted_by(&self, cid: &Cid) -> impl Iterator<Item = P> {
        self.ledgers.iter().filter(|(_, ledger)| ledger.wants(cid)).map(|(peer, _)| *peer)
    }

    pub(crate) fn ledger(&self, peer: P) -> Option<&Ledger<B>> {
        self.ledgers.get(&peer)
    }

    pub(crate) fn in_memory(&self) -> usize {
        self.ledgers.values().map(Ledger::in_memory).sum()
    }

    pub(crate) fn serving(&self) -> usize {
        self.ledgers.values().filter(|ledger| ledger.is_serving()).count()
    }
}

/// The peers, beginning after `last`.
fn in_turn<P: Copy + Ord, T>(map: &Map<P, T>, last: Option<P>) -> Vec<P> {
    let all = map.keys().copied();
    match last {
        None => all.collect(),
        Some(last) => {
            let (before, after): (Vec<_>, Vec<_>) = all.partition(|peer| *peer <= last);
            after.into_iter().chain(before).collect()
        }
    }
}
