//! A session: wants that belong together, and the peers that it knows.

use crate::sorted::{Map, Set};
use std::{fmt, time::Duration};

use avocet_dag::{Cid, code};
use web_time::Instant;

use crate::{member::Member, wants::WantId};

/// The most peers that a session keeps in mind. js-libp2p holds 100 connections in a browser;
/// more than this never speed a download up.
pub const MAX_MEMBERS: usize = 64;
/// What is assumed of the blocks of a session before any came: Kubo's default chunk.
const FIRST_TYPICAL: usize = 256 * 1024;
/// Of how many blocks it is remembered that strangers were asked for them: the root, mostly.
const ASKED: usize = 4;
/// The longest time between two calls for providers, and the first.
const SEARCH_MOST: Duration = Duration::from_secs(30);
const SEARCH_FIRST: Duration = Duration::from_secs(1);

/// A session of the engine that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.0)
    }
}

/// Wants that belong together.
#[derive(Debug)]
pub(crate) struct Session<P> {
    pub(crate) wants: Set<WantId>,
    /// Those of `wants` that nobody is about to send.
    pub(crate) idle: Set<WantId>,
    /// At most [`MAX_MEMBERS`].
    pub(crate) members: Map<P, Member>,
    /// What blocks of this session weigh, more or less: raw ones, and others. The leaves of a
    /// file and the nodes above them are told apart by that, mostly.
    typical: [Option<usize>; 2],
    /// The first blocks that strangers were asked for. Who says HAVE of one is a member, though
    /// another may have sent it meanwhile.
    asked: Vec<Cid>,
    /// The want that comes first of all and was left to another, and since when.
    pub(crate) first: Option<(WantId, Instant)>,
    /// How many wants it has had.
    wanted: i32,
    pub(crate) search: Search,
}

impl<P: Copy + Ord> Session<P> {
    pub(crate) const fn new() -> Self {
        Self {
            wants: Set::new(),
            idle: Set::new(),
            members: Map::new(),
            typical: [None; 2],
            asked: Vec::new(),
            first: None,
            wanted: 0,
            search: Search::new(),
        }
    }

    /// The peer's record, made if there is room.
    pub(crate) fn member(&mut self, peer: P) -> Option<&mut Member> {
        if self.members.len() >= MAX_MEMBERS && !self.members.contains_key(&peer) {
            return None;
        }
        Some(self.members.entry(peer).or_default())
    }

    /// The record of a peer of which it is known only that it wants the same: at most so many are made, that others find
    /// room. Those that are not connected any more make room for new ones.
    pub(crate) fn overheard(
        &mut self,
        peer: P,
        most: usize,
        connected: impl Fn(&P) -> bool,
    ) -> Option<&mut Member> {
        if !self.members.contains_key(&peer) {
            self.members.retain(|peer, member| {
                !member.overheard || member.proven || member.banned || connected(peer)
            });
            if self.members.values().filter(|member| member.overheard).count() >= most {
                return None;
            }
            self.member(peer)?.overheard = true;
        }
        self.members.get_mut(&peer)
    }

    /// Strangers are asked for it.
    pub(crate) fn note_asked(&mut self, cid: &Cid) {
        if self.asked.len() < ASKED && !self.asked.contains(cid) {
            self.asked.push(cid.clone());
        }
    }

    /// Whether strangers were asked for it.
    pub(crate) fn has_asked(&self, cid: &Cid) -> bool {
        self.asked.contains(cid)
    }

    /// What the block of that CID weighs, more or less.
    pub(crate) fn typical(&self, cid: &Cid) -> usize {
        self.typical[usize::from(cid.codec() == code::RAW)].unwrap_or(FIRST_TYPICAL)
    }

    /// A block of `len` bytes came.
    pub(crate) fn weigh(&mut self, cid: &Cid, len: usize) {
        let typical = &mut self.typical[usize::from(cid.codec() == code::RAW)];
        // up at once, down a little slower: to ask for too much costs more than to wait
        *typical = Some(match *typical {
            None => len,
            Some(known) if len > known => (known + len) / 2,
            Some(known) => (known * 3 + len) / 4,
        });
    }

    /// The priority of its next want.
    pub(crate) const fn next_priority(&mut self) -> i32 {
        self.wanted = self.wanted.saturating_add(1);
        i32::MAX - self.wanted
    }
}

/// When to call for providers again.
#[derive(Debug)]
pub(crate) struct Search {
    /// `None` when nobody was called for yet.
    due: Option<Instant>,
    wait: Duration,
    /// Whether something is wanted that no peer is left to ask for.
    pub(crate) starving: bool,
}

impl Search {
    const fn new() -> Self {
        Self { due: None, wait: SEARCH_FIRST, starving: false }
    }

    /// Whether to call now; each call makes the next one wait longer.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        if self.due.is_some_and(|due| now < due) {
            return false;
        }
        self.due = Some(now + self.wait);
        self.wait = (self.wait * 2).min(SEARCH_MOST);
        true
    }

    /// Something came: the next call is a first one again.
    pub(crate) const fn relax(&mut self) {
        self.wait = SEARCH_FIRST;
    }

    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.due.filter(|_| self.starving)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_for_providers_waits_twice_as_long_each_time() {
        #[allow(clippy::disallowed_methods, reason = "a test needs some instant to begin at")]
        let start = Instant::now();
        let mut search = Search::new();
        let mut at = start;
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            assert!(search.is_due(at));
            assert!(!search.is_due(at + Duration::from_millis(wait * 1000 - 1)));
            at += Duration::from_secs(wait);
        }
        search.relax();
        assert!(search.is_due(at));
        assert!(search.is_due(at + Duration::from_secs(1)));
    }
}
