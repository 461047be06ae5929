//! A connected peer, as the asking side sees it.

use std::{collections::VecDeque, time::Duration};

use avocet_dag::Cid;
use web_time::Instant;

use crate::{
    meter::Meter,
    patience::Patience,
    sorted::{Map, Set},
    wants::WantId,
    wire::{Entry, WantKind},
};

/// For this long an answer to a want that was taken back is an honest one.
pub const LATE: Duration = Duration::from_secs(60);
/// How many wants that were taken back are remembered: as many as a peer keeps of us.
const MOST_RECENT: usize = 1024;
/// How many CIDs may lie on the list that a peer keeps of us: Kubo keeps 1024.
pub(crate) const MOST_LISTED: usize = 1024;

/// A connected peer. Dropped when it disconnects.
#[derive(Debug)]
pub(crate) struct Remote {
    /// The wants in which this peer has a part.
    pub(crate) asks: Set<WantId>,
    /// Those of `asks` that are open: the block was asked for and has not been refused.
    pub(crate) open: Set<WantId>,
    /// What the next message will say. At most one line for each CID.
    outbox: Map<Cid, Entry>,
    /// The next message replaces all that was said before.
    full: bool,
    /// What the peer has on its list of us, and how often we said so.
    listed: Map<Cid, u32>,
    recent: Recent,
    /// CIDs asked about for their own sake, and since when.
    pub(crate) probes: Map<Cid, Instant>,
    pub(crate) meter: Meter,
    pub(crate) patience: Patience,
    /// Blocks that nobody asked for.
    pub(crate) strikes: u32,
    /// Bytes of blocks that it delivered.
    pub(crate) delivered: u64,
}

impl Remote {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            asks: Set::new(),
            open: Set::new(),
            outbox: Map::new(),
            full: false,
            listed: Map::new(),
            recent: Recent::default(),
            probes: Map::new(),
            meter: Meter::default(),
            patience: Patience::new(now),
            strikes: 0,
            delivered: 0,
        }
    }

    /// As [`new`](Self::new), for a peer that was here not long ago. It may not have noticed that
    /// it was gone, and still answer what it was asked: the first message says all anew.
    pub(crate) fn again(parted: Parted, now: Instant) -> Self {
        Self { full: true, recent: parted.0, ..Self::new(now) }
    }

    /// What is to be remembered when the peer is gone; `None` if that is nothing.
    pub(crate) fn part(mut self, now: Instant) -> Option<Parted> {
        for (cid, tellings) in std::mem::take(&mut self.listed) {
            self.recent.insert(cid, tellings, now);
        }
        (!self.recent.since.is_empty()).then_some(Parted(self.recent))
    }

    /// Whether one CID more fits the list that the peer keeps of us.
    pub(crate) fn has_room(&self) -> bool {
        self.listed.len() + self.outbox.len() < MOST_LISTED
    }

    /// Says that `cid` is wanted.
    pub(crate) fn list(&mut self, cid: &Cid, kind: WantKind, priority: i32) {
        let (cancel, send_dont_have) = (false, true);
        let entry = Entry { cid: cid.clone(), priority, cancel, kind, send_dont_have };
        self.outbox.insert(cid.clone(), entry);
    }

    /// Says that `cid` is wanted no more, if the peer was told that it is.
    pub(crate) fn unlist(&mut self, cid: &Cid, now: Instant) {
        if let Some(tellings) = self.listed.get(cid) {
            self.outbox.insert(cid.clone(), Entry::cancel(cid.clone()));
            self.recent.insert(cid.clone(), *tellings, now);
        } else {
            self.outbox.remove(cid);
        }
    }

    /// The peer took `cid` off its list by answering. Was it told more than once, more answers
    /// may be on their way.
    pub(crate) fn answered(&mut self, cid: &Cid, now: Instant) {
        self.outbox.remove(cid);
        if let Some(tellings) = self.listed.remove(cid).filter(|tellings| *tellings > 1) {
            self.recent.insert(cid.clone(), tellings - 1, now);
        }
    }

    /// Whether `cid` was asked of this peer: it is on its list, or was within [`LATE`].
    pub(crate) fn was_asked(&self, cid: &Cid, now: Instant) -> bool {
        self.listed.contains_key(cid) || self.recent.contains(cid, now)
    }

    /// Uses up what excuses a late block.
    pub(crate) fn excuse(&mut self, cid: &Cid, now: Instant) -> bool {
        self.recent.take(cid, now)
    }

    pub(crate) fn is_listed(&self, cid: &Cid) -> bool {
        self.listed.contains_key(cid)
    }

    pub(crate) fn has_message(&self) -> bool {
        self.full || !self.outbox.is_empty()
    }

    /// What is to be said, the most urgent first, and whether it replaces all before.
    pub(crate) fn take_message(&mut self) -> (Vec<Entry>, bool) {
        let full = std::mem::take(&mut self.full);
        let mut entries: Vec<_> = std::mem::take(&mut self.outbox).into_values().collect();
        if full {
            self.listed.clear();
            entries.retain(|entry| !entry.cancel);
        }
        for entry in &entries {
            if entry.cancel {
                self.listed.remove(&entry.cid);
            } else {
                *self.listed.entry(entry.cid.clone()).or_insert(0) += 1;
            }
        }
        entries.sort_by_key(|entry| (entry.cancel, std::cmp::Reverse(entry.priority)));
        (entries, full)
    }

    /// Nobody knows what the peer heard: the next message is to say it all again.
    pub(crate) fn start_over(&mut self, now: Instant) {
        self.full = true;
        // whatever of this it did hear, it may answer
        for (cid, tellings) in &self.listed {
            self.recent.insert(cid.clone(), *tellings, now);
        }
    }

    /// Time passed that does not count against the peer.
    pub(crate) fn shift(&mut self, gap: Duration) {
        self.meter.shift(gap);
        self.patience.shift(gap);
        self.recent.shift(gap);
    }
}

/// What was asked of a peer that is gone, for as long as it might be answered.
#[derive(Debug)]
pub(crate) struct Parted(Recent);

impl Parted {
    /// Whether none of it can be answered in time any more.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.0.order.back().is_none_or(|(at, _)| now.saturating_duration_since(*at) > LATE)
    }
}

/// CIDs that were asked of a peer not long ago. Each time that one was asked excuses one late
/// block.
#[derive(Debug, Default)]
struct Recent {
    /// Until when it was asked, and how many blocks that still excuses: at least one.
    since: Map<Cid, (Instant, u32)>,
    /// The oldest first; may hold times that `since` has forgotten or renewed.
    order: VecDeque<(Instant, Cid)>,
}

impl Recent {
    fn insert(&mut self, cid: Cid, blocks: u32, now: Instant) {
        while let Some((since, oldest)) = self.order.front() {
            if self.order.len() < MOST_RECENT && now.saturating_duration_since(*since) <= LATE {
                break;
            }
            if self.since.get(oldest).is_some_and(|(newest, _)| newest == since) {
                self.since.remove(oldest);
            }
            self.order.pop_front();
        }
        let left = self.since.get(&cid).map_or(0, |(_, left)| *left);
        self.since.insert(cid.clone(), (now, blocks.saturating_add(left)));
        self.order.push_back((now, cid));
    }

    fn contains(&self, cid: &Cid, now: Instant) -> bool {
        self.since.get(cid).is_some_and(|(since, _)| now.saturating_duration_since(*since) <= LATE)
    }

    fn take(&mut self, cid: &Cid, now: Instant) -> bool {
        let found = self.contains(cid, now);
        match self.since.get_mut(cid) {
            Some((_, left)) if found && *left > 1 => *left -= 1,
            _ => drop(self.since.remove(cid)),
        }
        found
    }

    fn shift(&mut self, gap: Duration) {
        self.since.values_mut().for_each(|(since, _)| *since += gap);
        self.order.iter_mut().for_each(|(since, _)| *since += gap);
    }
}

#[allow(clippy::disallowed_methods, reason = "a test needs some instant to begin at")]
#[cfg(test)]
mod tests {
    use avocet_dag::{Multihash, code};

    use super::*;

    fn cid(number: u32) -> Cid {
        let bytes = number.to_be_bytes();
        Cid::new_v1(code::RAW, Multihash::hash(code::SHA2_256, &bytes).unwrap())
    }

    #[test]
    fn a_want_taken_back_before_it_was_said_is_never_said() {
        let now = Instant::now();
        let mut remote = Remote::new(now);
        remote.list(&cid(1), WantKind::Block, 1);
        remote.unlist(&cid(1), now);
        assert!(!remote.has_message() && !remote.was_asked(&cid(1), now));
        remote.list(&cid(1), WantKind::Block, 1);
        assert_eq!(remote.take_message().0.len(), 1);
        remote.unlist(&cid(1), now);
        assert_eq!(remote.take_message().0, [Entry::cancel(cid(1))]);
    }

    #[test]
    fn a_want_said_twice_excuses_two_blocks() {
        let now = Instant::now();
        let mut remote = Remote::new(now);
        for _ in 0..2 {
            remote.list(&cid(1), WantKind::Block, 1);
            remote.take_message();
        }
        remote.answered(&cid(1), now);
        assert!(remote.excuse(&cid(1), now));
        assert!(!remote.excuse(&cid(1), now));
    }

    #[test]
    fn a_want_taken_back_excuses_one_block_for_sixty_seconds() {
        let now = Instant::now();
        let mut remote = Remote::new(now);
        for number in 0..3 {
            remote.list(&cid(number), WantKind::Block, 1);
        }
        remote.take_message();
        for number in 0..3 {
            remote.unlist(&cid(number), now);
        }
        remote.take_message();
        assert!(remote.excuse(&cid(0), now + LATE));
        assert!(!remote.excuse(&cid(0), now + LATE));
        assert!(!remote.excuse(&cid(1), now + LATE + Duration::from_millis(1)));
        remote.shift(Duration::from_secs(1));
        assert!(remote.excuse(&cid(2), now + LATE + Duration::from_secs(1)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let now = Instant::now();
        let mut recent = Recent::default();
        for number in 0..3000 {
            recent.insert(cid(number), 1, now);
        }
        assert!(recent.since.len() <= MOST_RECENT && recent.order.len() <= MOST_RECENT);
        assert!(recent.contains(&cid(2999), now) && !recent.contains(&cid(0), now));
    }

    #[test]
    fn after_a_failure_everything_is_said_again() {
        let now = Instant::now();
        let mut remote = Remote::new(now);
        remote.list(&cid(1), WantKind::Block, 1);
        remote.take_message();
        remote.start_over(now);
        remote.list(&cid(2), WantKind::Have, 5);
        let (entries, full) = remote.take_message();
        assert!(full && entries.len() == 1);
        assert!(remote.is_listed(&cid(2)) && !remote.is_listed(&cid(1)));
        assert!(remote.was_asked(&cid(1), now));
    }
}
