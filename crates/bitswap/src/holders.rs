//! Who said HAVE of what within the last minute.

use crate::sorted::Map;
use std::time::Duration;

use avocet_dag::Cid;
use web_time::Instant;

/// For this long a HAVE counts: a page says how many hold a file by it.
pub const FRESH: Duration = Duration::from_secs(60);
/// How many answers are kept: 64 files asked about, answered by sixty-four peers each.
const MOST: usize = 4096;

/// HAVE answers of connected peers.
#[derive(Debug)]
pub(crate) struct Holders<P> {
    by_cid: Map<Cid, Map<P, Instant>>,
    /// How many answers `by_cid` holds.
    count: usize,
}

impl<P: Copy + Ord> Holders<P> {
    pub(crate) const fn new() -> Self {
        Self { by_cid: Map::new(), count: 0 }
    }

    /// `peer` has it. Above the bound old answers make room, or else this one is forgotten.
    pub(crate) fn insert(&mut self, cid: &Cid, peer: P, now: Instant) {
        if self.count >= MOST {
            self.retain(|_, since| now.saturating_duration_since(since) <= FRESH);
        }
        let known = self.by_cid.get(cid).is_some_and(|peers| peers.contains_key(&peer));
        if known || self.count < MOST {
            self.by_cid.entry(cid.clone()).or_default().insert(peer, now);
            self.count += usize::from(!known);
        }
    }

    /// `peer` does not have it.
    pub(crate) fn remove(&mut self, cid: &Cid, peer: P) {
        let Some(peers) = self.by_cid.get_mut(cid) else { return };
        self.count -= usize::from(peers.remove(&peer).is_some());
        if peers.is_empty() {
            self.by_cid.remove(cid);
        }
    }

    /// `peer` is gone.
    pub(crate) fn forget(&mut self, peer: P) {
        self.retain(|other, _| other != peer);
    }

    /// Who has it.
    pub(crate) fn get(&self, cid: &Cid, now: Instant) -> impl Iterator<Item = P> {
        let fresh = move |since: &Instant| now.saturating_duration_since(*since) <= FRESH;
        let peers = self.by_cid.get(cid).into_iter().flatten();
        peers.filter(move |(_, since)| fresh(since)).map(|(peer, _)| *peer)
    }

    fn retain(&mut self, keep: impl Fn(P, Instant) -> bool) {
        self.by_cid.retain(|_, peers| {
            peers.retain(|peer, since| keep(*peer, *since));
            !peers.is_empty()
        });
        self.count = self.by_cid.values().map(Map::len).sum();
    }
}
