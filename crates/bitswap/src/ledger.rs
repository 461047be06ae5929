//! What one peer wants of us, and how far the answers are.
//!
//! Every want is in one of a few states, and costs one entry until it is answered or taken back;
//! at most [`Limits::wants`] are kept. Blocks are read from the store a few at a time, so that
//! what lies in memory for a peer is bounded too.

mod message;
mod order;

use std::cmp::Reverse;

use avocet_dag::{Block, Cid, Payload};

use crate::{
    events::{Limits, Loaded, What},
    sorted::{Map, Set},
    wire::{Entry, WantKind},
};
use order::Order;

/// What is assumed of a block that was not read yet: Kubo's default chunk.
const FIRST_TYPICAL: usize = 256 * 1024;

/// The order in which a peer is served: by its priority, then as it asked.
type Rank = (Reverse<i32>, u64);

#[derive(Debug)]
enum State<B> {
    /// The store is to be asked.
    Queued(What),
    Loading(What),
    /// Answered as soon as a message goes.
    Ready(Answer<B>),
    /// We do not have it; answered when we do.
    Waiting,
}

#[derive(Debug)]
enum Answer<B> {
    Have,
    DontHave,
    Block(Block<B>),
}

#[derive(Debug)]
struct Wanted<B> {
    rank: Rank,
    kind: WantKind,
    send_dont_have: bool,
    state: State<B>,
}

/// One peer's wants.
#[derive(Debug)]
pub(crate) struct Ledger<B> {
    wants: Map<Cid, Wanted<B>>,
    /// All of `wants` in their order.
    ranks: Map<Rank, Cid>,
    /// Those of which the store is to be asked the size, or the block.
    sizes: Set<Rank>,
    blocks: Set<Rank>,
    /// Those that are answered, without a block or with one.
    presences: Set<Rank>,
    ready: Set<Rank>,
    /// Reads that the store has not answered yet, those included that nobody waits for any
    /// more. At most [`Limits::loads`].
    loads: usize,
    /// How many wants wait for their block to be read.
    loading_blocks: usize,
    /// Bytes of the blocks in `ready`.
    ready_bytes: usize,
    /// Bytes of blocks in the message that is being sent.
    sending_bytes: usize,
    /// What was answered in that message, to be answered again should it fail.
    sending: Vec<Entry>,
    typical: usize,
    next: u64,
    order: Order,
}

impl<B: Payload> Ledger<B> {
    pub(crate) const fn new() -> Self {
        Self {
            wants: Map::new(),
            ranks: Map::new(),
            sizes: Set::new(),
            blocks: Set::new(),
            presences: Set::new(),
            ready: Set::new(),
            loads: 0,
            loading_blocks: 0,
            ready_bytes: 0,
            sending_bytes: 0,
            sending: Vec::new(),
            typical: FIRST_TYPICAL,
            next: 0,
            order: Order::new(),
        }
    }

    /// The peer was given a node with these links.
    pub(crate) fn given(&mut self, links: impl IntoIterator<Item = Cid>) {
        self.order.learn(links);
    }

    pub(crate) fn len(&self) -> usize {
        self.wants.len()
    }

    pub(crate) fn wants(&self, cid: &Cid) -> bool {
        self.wants.contains_key(cid)
    }

    /// Bytes in memory for this peer beyond the message that is being sent.
    pub(crate) const fn held(&self) -> usize {
        self.ready_bytes + self.loading_blocks * self.typical
    }

    /// Bytes of blocks that lie here or are being sent.
    pub(crate) const fn in_memory(&self) -> usize {
        self.ready_bytes + self.sending_bytes
    }

    /// Whether blocks are on their way to the peer.
    pub(crate) fn is_serving(&self) -> bool {
        self.sending_bytes > 0 || self.loading_blocks > 0 || !self.ready.is_empty()
    }

    /// Takes the lines of a want list. `full` means that what is not among them is wanted no
    /// more.
    pub(crate) fn update(&mut self, mut entries: Vec<Entry>, full: bool, limits: &Limits) {
        if full {
            let kept: Set<_> =
                entries.iter().filter(|entry| !entry.cancel).map(|entry| &entry.cid).collect();
            let gone: Vec<_> =
                self.wants.keys().filter(|cid| !kept.contains(cid)).cloned().collect();
            gone.iter().for_each(|cid| self.remove(cid));
            self.sending.retain(|entry| kept.contains(&&entry.cid));
        }
        self.order.arrange(&mut entries);
        for entry in entries {
            if entry.cancel {
                self.remove(&entry.cid);
                self.sending.retain(|sent| sent.cid != entry.cid);
            } else {
                self.want(entry, limits);
            }
        }
    }

    /// We have these blocks now.
    pub(crate) fn gained(&mut self, cid: &Cid) -> bool {
        let Some(wanted) = self.wants.get_mut(cid) else { return false };
        if !matches!(wanted.state, State::Waiting | State::Ready(Answer::DontHave)) {
            return false;
        }
        self.queue(cid);
        true
    }

    /// What to ask the store next. `more` allows a block beyond the one that is always allowed.
    pub(crate) fn next_load(&mut self, more: bool, limits: &Limits) -> Option<(Cid, What)> {
        if self.loads >= limits.loads {
            return None;
        }
        let held = self.held();
        let (rank, what) = if let Some(rank) = self.sizes.pop_first() {
            (rank, What::Size)
        } else if held == 0 || (more && held < limits.outstanding) {
            let rank = self.blocks.pop_first()?;
            self.loading_blocks += 1;
            (rank, What::Block)
        } else {
            return None;
        };
        self.loads += 1;
        let cid = self.ranks.get(&rank)?.clone();
        self.wants.get_mut(&cid)?.state = State::Loading(what);
        Some((cid, what))
    }

    /// The store's answer. One that nobody waits for any more is dropped.
    pub(crate) fn loaded(&mut self, cid: &Cid, answer: Option<Loaded<B>>, limits: &Limits) {
        self.loads = self.loads.saturating_sub(1);
        let Some(wanted) = self.wants.get_mut(cid) else { return };
        let State::Loading(what) = wanted.state else { return };
        self.loading_blocks -= usize::from(what == What::Block);
        let rank = wanted.rank;
        match answer {
            None if wanted.send_dont_have => {
                wanted.state = State::Ready(Answer::DontHave);
                self.presences.insert(rank);
            }
            None => wanted.state = State::Waiting,
            Some(Loaded::Block(block)) => {
                self.typical = (self.typical + block.len()) / 2;
                self.ready_bytes += block.len();
                wanted.state = State::Ready(Answer::Block(block));
                self.ready.insert(rank);
            }
            Some(Loaded::Size(size)) => {
                if wanted.kind == WantKind::Block || size <= limits.replace_have {
                    wanted.kind = WantKind::Block;
                    wanted.state = State::Queued(What::Block);
                    self.blocks.insert(rank);
                } else {
                    wanted.state = State::Ready(Answer::Have);
                    self.presences.insert(rank);
                }
            }
        }
    }

    fn want(&mut self, entry: Entry, limits: &Limits) {
        if let Some(wanted) = self.wants.get_mut(&entry.cid) {
            // a want for a block stays one, as with Kubo
            if entry.kind == WantKind::Block {
                wanted.kind = WantKind::Block;
            }
            wanted.send_dont_have |= entry.send_dont_have;
            let keeps = match &wanted.state {
                State::Ready(Answer::Block(_)) | State::Loading(What::Block) => true,
                State::Loading(What::Size) => true, // its answer looks at the kind
                State::Queued(_) | State::Ready(_) | State::Waiting => false,
            };
            if !keeps {
                self.queue(&entry.cid);
            }
            return;
        }
        let rank = (Reverse(entry.priority), self.next);
        if self.wants.len() >= limits.wants {
            // the last in order is the lowest and, of those, the newest
            match self.ranks.last_key_value() {
                Some((last, cid)) if *last > rank => {
                    let cid = cid.clone();
                    self.remove(&cid);
                }
                _ => return,
            }
        }
        self.next += 1;
        let (kind, send_dont_have) = (entry.kind, entry.send_dont_have);
        let state = State::Waiting;
        self.ranks.insert(rank, entry.cid.clone());
        self.wants.insert(entry.cid.clone(), Wanted { rank, kind, send_dont_have, state });
        self.queue(&entry.cid);
    }

    /// Has the store asked, anew if need be.
    fn queue(&mut self, cid: &Cid) {
        self.leave_state(cid);
        let Some(wanted) = self.wants.get_mut(cid) else { return };
        let (what, set) = match wanted.kind {
            WantKind::Have => (What::Size, &mut self.sizes),
            WantKind::Block => (What::Block, &mut self.blocks),
        };
        wanted.state = State::Queued(what);
        set.insert(wanted.rank);
    }

    fn remove(&mut self, cid: &Cid) {
        self.leave_state(cid);
        if let Some(wanted) = self.wants.remove(cid) {
            self.ranks.remove(&wanted.rank);
        }
    }

    /// Takes the want out of whatever its state has it counted in.
    fn leave_state(&mut self, cid: &Cid) {
        let Some(wanted) = self.wants.get_mut(cid) else { return };
        let rank = wanted.rank;
        match std::mem::replace(&mut wanted.state, State::Waiting) {
            State::Queued(What::Size) => self.sizes.remove(&rank),
            State::Queued(What::Block) => self.blocks.remove(&rank),
            State::Ready(Answer::Block(block)) => {
                self.ready_bytes -= block.len();
                self.ready.remove(&rank)
            }
            State::Ready(_) => self.presences.remove(&rank),
            State::Loading(what) => {
                self.loading_blocks -= usize::from(what == What::Block);
                true
            }
            State::Waiting => true,
        };
    }
}

#[cfg(test)]
mod tests;
