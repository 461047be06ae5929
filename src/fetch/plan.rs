//! What to try next for a session that lacks a block: pure, the time is an argument.

use crate::{
    net::{Provider, dial},
    platform::Instant,
};
use libp2p::{Multiaddr, PeerId};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// Hints of one link; a QR code carries at most five.
pub const MAX_HINTS: usize = 16;
/// Providers of one session that are remembered; further ones are not dialled.
const MAX_PROVIDERS: usize = 100;
/// Dials of one session at once.
const DIALS: usize = 4;
/// While blocks come, who was found is dialled up to so many connected: an upload of a tenth of the download's speed is
/// common, and beyond that further connections only share it out anew.
const ENOUGH: usize = 8;
/// The first wait before a failed peer is dialled again, and before the DHT is asked again.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest. A holder that opens its page again is found within this time.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Dial someone who has it.
    Dial {
        /// Whom.
        peer: PeerId,
        /// Addresses that the person's link named: tried first.
        hints: Vec<Multiaddr>,
        /// Addresses that strangers told.
        found: Vec<Multiaddr>,
    },
    /// Ask who has it.
    Find,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Try {
    Due(Instant),
    UnderWay,
    Connected,
}

#[derive(Debug)]
struct Candidate {
    hints: Vec<Multiaddr>,
    found: Vec<Multiaddr>,
    state: Try,
    wait: Duration,
}

/// See the module.
#[derive(Debug)]
pub struct Plan {
    candidates: HashMap<PeerId, Candidate>,
    /// Those whose turn it is, hints first.
    order: VecDeque<PeerId>,
    find: Try,
    find_wait: Duration,
    /// Whether a block is lacking that nobody connected has.
    lacking: bool,
    /// Whether others who have it are to be found though blocks come: once a session, if nobody was looked for before.
    more: More,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    NotYet,
    Due,
    Asked,
}

/// How far the search is, for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Peers that were named by the link or found.
    pub found: usize,
    /// Of these, connected.
    pub connected: usize,
    /// Of these, those that could not be reached when last tried.
    pub failed: usize,
}

impl Plan {
    /// A search that begins with the hints, at once.
    pub fn new(hints: &[Multiaddr], now: Instant) -> Self {
        let mut plan = Self {
            candidates: HashMap::new(),
            order: VecDeque::new(),
            find: Try::Due(now),
            find_wait: FIRST_WAIT,
            lacking: false,
            more: More::NotYet,
        };
        for hint in hints.iter().take(MAX_HINTS) {
            if let Some(peer) = dial::target(hint) {
                plan.told(peer, now, |c| &mut c.hints, [hint.clone()]);
            }
        }
        plan
    }

    /// A block is lacking that nobody connected has.
    pub fn lacks(&mut self) {
        self.lacking = true;
    }

    /// Much is left to fetch: all who have it are of use.
    pub fn much(&mut self) {
        if self.more == More::NotYet {
            self.more = More::Due;
        }
    }

    /// Blocks come again.
    pub fn satisfied(&mut self) {
        self.lacking = false;
        self.find_wait = FIRST_WAIT;
    }

    /// Somebody who has it was found.
    pub fn found(&mut self, provider: Provider, now: Instant) {
        self.told(provider.id, now, |c| &mut c.found, provider.addrs);
    }

    /// The question who has it has been answered in full.
    pub fn find_ended(&mut self, now: Instant) {
        self.find = Try::Due(now + self.find_wait);
        self.find_wait = (self.find_wait * 2).min(LONGEST_WAIT);
    }

    /// A dial has ended.
    pub fn dialled(&mut self, peer: PeerId, connected: bool, now: Instant) {
        let Some(candidate) = self.candidates.get_mut(&peer) else { return };
        if connected {
            (candidate.state, candidate.wait) = (Try::Connected, FIRST_WAIT);
        } else {
            candidate.state = Try::Due(now + candidate.wait);
            candidate.wait = (candidate.wait * 2).min(LONGEST_WAIT);
            self.order.push_back(peer);
        }
    }

    /// A peer's last connection is gone: it is dialled again.
    fn disconnected(&mut self, peer: PeerId, now: Instant) {
        if let Some(candidate) = self.candidates.get_mut(&peer)
            && candidate.state == Try::Connected
        {
            candidate.state = Try::Due(now + candidate.wait);
            self.order.push_back(peer);
        }
    }

    /// Compares with who is connected: news of a peer that left may have come too early, or got lost.
    pub fn check(&mut self, is_connected: impl Fn(&PeerId) -> bool, now: Instant) {
        let thought = self.candidates.iter().filter(|(_, c)| c.state == Try::Connected);
        let gone: Vec<_> =
            thought.map(|(peer, _)| *peer).filter(|peer| !is_connected(peer)).collect();
        gone.into_iter().for_each(|peer| self.disconnected(peer, now));
    }

    /// What to do now, if anything; it counts as begun.
    pub fn step(&mut self, now: Instant) -> Option<Step> {
        if self.finds() && matches!(self.find, Try::Due(at) if at <= now) {
            (self.find, self.more) = (Try::UnderWay, More::Asked);
            return Some(Step::Find);
        }
        if self.count(|c| c.state == Try::UnderWay) >= DIALS {
            return None;
        }
        let enough = self.has_enough();
        let due =
            |c: &Candidate| self.dials(c, enough) && matches!(c.state, Try::Due(at) if at <= now);
        let at = self.order.iter().position(|peer| self.candidates.get(peer).is_some_and(due))?;
        let peer = self.order.remove(at)?;
        let candidate = self.candidates.get_mut(&peer)?;
        candidate.state = Try::UnderWay;
        Some(Step::Dial { peer, hints: candidate.hints.clone(), found: candidate.found.clone() })
    }

    /// When `step` may have something next; `None` while it waits for an answer only.
    pub fn due(&self) -> Option<Instant> {
        let at = |state: Try| match state {
            Try::Due(at) => Some(at),
            _ => None,
        };
        let find = at(self.find).filter(|_| self.finds());
        let (free, enough) = (self.count(|c| c.state == Try::UnderWay) < DIALS, self.has_enough());
        let dials = self.candidates.values().filter(|c| free && self.dials(c, enough));
        dials.filter_map(|c| at(c.state)).chain(find).min()
    }

    /// Whether it is to be asked who has it.
    fn finds(&self) -> bool {
        self.lacking || self.more == More::Due
    }

    /// Whether a peer is to be dialled when its time comes: whom the link names always, whom strangers named once, as
    /// long as that speeds a download up, and again and again only while a block lacks.
    fn dials(&self, candidate: &Candidate, enough: bool) -> bool {
        let fresh = candidate.wait == FIRST_WAIT;
        self.lacking || !candidate.hints.is_empty() || (fresh && !enough)
    }

    fn has_enough(&self) -> bool {
        self.count(|c| matches!(c.state, Try::Connected | Try::UnderWay)) >= ENOUGH
    }

    fn count(&self, is: impl Fn(&Candidate) -> bool) -> usize {
        self.candidates.values().filter(|c| is(c)).count()
    }

    /// How far the search is.
    pub fn progress(&self) -> Progress {
        Progress {
            found: self.candidates.len(),
            connected: self.count(|c| c.state == Try::Connected),
            failed: self.count(|c| matches!(c.state, Try::Due(_)) && c.wait > FIRST_WAIT),
        }
    }

    fn told(
        &mut self,
        peer: PeerId,
        now: Instant,
        list: fn(&mut Candidate) -> &mut Vec<Multiaddr>,
        addrs: impl IntoIterator<Item = Multiaddr>,
    ) {
        if !self.candidates.contains_key(&peer) {
            if self.candidates.len() >= MAX_PROVIDERS {
                return;
            }
            self.order.push_back(peer);
        }
        let candidate = self.candidates.entry(peer).or_insert_with(|| Candidate {
            hints: Vec::new(),
            found: Vec::new(),
            state: Try::Due(now),
            wait: FIRST_WAIT,
        });
        let known = list(candidate);
        for addr in addrs.into_iter().take(dial::MAX_ADDRS) {
            if known.len() < dial::MAX_ADDRS && !known.contains(&addr) {
                known.push(addr);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(peer: PeerId) -> Multiaddr {
        format!("/dns4/a.example/tcp/443/wss/p2p/{peer}").parse().unwrap()
    }

    fn provider(id: PeerId) -> Provider {
        Provider { id, addrs: vec![hint(id)] }
    }

    #[test]
    fn hints_are_dialled_at_once_and_the_dht_only_when_a_block_lacks() {
        let (peer, now) = (PeerId::random(), crate::platform::now());
        let mut plan = Plan::new(&[hint(peer)], now);
        let dial = Step::Dial { peer, hints: vec![hint(peer)], found: vec![] };
        assert_eq!(plan.step(now), Some(dial));
        assert_eq!(plan.step(now), None);
        plan.lacks();
        assert_eq!(plan.step(now), Some(Step::Find));
        assert_eq!(plan.step(now), None);
        assert_eq!(plan.due(), None);
    }

    #[test]
    fn a_holder_that_is_gone_is_tried_again_with_growing_waits() {
        let (peer, mut now) = (PeerId::random(), crate::platform::now());
        let mut plan = Plan::new(&[hint(peer)], now);
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(plan.step(now).is_some());
            plan.dialled(peer, false, now);
            let due = plan.due().unwrap();
            assert_eq!(plan.step(now), None);
            waits.push(due - now);
            now = due;
        }
        assert_eq!(waits[0], FIRST_WAIT);
        assert_eq!(waits[7], LONGEST_WAIT);
        assert_eq!(plan.progress(), Progress { found: 1, connected: 0, failed: 1 });
    }

    #[test]
    fn a_connected_peer_is_dialled_again_only_after_it_left() {
        let (peer, now) = (PeerId::random(), crate::platform::now());
        let mut plan = Plan::new(&[], now);
        plan.found(provider(peer), now);
        assert!(matches!(plan.step(now), Some(Step::Dial { .. })));
        plan.dialled(peer, true, now);
        assert_eq!((plan.step(now), plan.due()), (None, None));
        plan.found(provider(peer), now);
        assert_eq!(plan.step(now), None);
        plan.check(|_| true, now);
        assert_eq!(plan.due(), None);
        plan.check(|_| false, now);
        assert!(plan.step(now + FIRST_WAIT).is_some());
    }

    #[test]
    fn http_02_a_million_providers_are_bounded_and_dialled_a_few_at_a_time() {
        let now = crate::platform::now();
        let mut plan = Plan::new(&[], now);
        for _ in 0..1000 {
            plan.found(provider(PeerId::random()), now);
        }
        assert_eq!(plan.progress().found, MAX_PROVIDERS);
        let steps = std::iter::from_fn(|| plan.step(now)).count();
        assert_eq!(steps, DIALS);
    }

    #[test]
    fn the_dht_is_asked_again_while_the_block_lacks_and_no_longer() {
        let now = crate::platform::now();
        let mut plan = Plan::new(&[], now);
        plan.lacks();
        assert_eq!(plan.step(now), Some(Step::Find));
        plan.find_ended(now);
        assert_eq!(plan.due(), Some(now + FIRST_WAIT));
        assert_eq!(plan.step(now + FIRST_WAIT), Some(Step::Find));
        plan.find_ended(now + FIRST_WAIT);
        plan.satisfied();
        assert_eq!((plan.step(now + LONGEST_WAIT), plan.due()), (None, None));
    }

    #[test]
    fn while_blocks_come_it_is_asked_once_who_else_has_a_large_file() {
        let (peer, now) = (PeerId::random(), crate::platform::now());
        let mut plan = Plan::new(&[hint(peer)], now);
        assert!(matches!(plan.step(now), Some(Step::Dial { .. })));
        plan.dialled(peer, true, now);
        plan.satisfied();
        assert_eq!((plan.step(now), plan.due()), (None, None), "a small file asks nobody");
        plan.much();
        assert_eq!(plan.due(), Some(now));
        assert_eq!(plan.step(now), Some(Step::Find));
        plan.find_ended(now);
        plan.satisfied();
        plan.much();
        assert_eq!((plan.step(now + LONGEST_WAIT), plan.due()), (None, None));
    }

    #[test]
    fn who_was_looked_for_because_a_block_lacked_is_not_looked_for_again() {
        let now = crate::platform::now();
        let mut plan = Plan::new(&[], now);
        plan.lacks();
        assert_eq!(plan.step(now), Some(Step::Find));
        plan.find_ended(now);
        plan.satisfied();
        plan.much();
        assert_eq!((plan.step(now + LONGEST_WAIT), plan.due()), (None, None));
    }

    #[test]
    fn while_blocks_come_enough_are_dialled_and_those_out_of_reach_not_again() {
        let now = crate::platform::now();
        let mut plan = Plan::new(&[], now);
        plan.much();
        assert_eq!(plan.step(now), Some(Step::Find));
        for _ in 0..ENOUGH + 5 {
            plan.found(provider(PeerId::random()), now);
        }
        let mut dialled = Vec::new();
        while let Some(Step::Dial { peer, .. }) = plan.step(now) {
            plan.dialled(peer, dialled.len() >= 2, now);
            dialled.push(peer);
        }
        assert_eq!(dialled.len(), ENOUGH + 2, "two were out of reach");
        plan.find_ended(now);
        assert_eq!(plan.due(), None);
        plan.lacks();
        let later = now + LONGEST_WAIT;
        assert_eq!(plan.step(later), Some(Step::Find));
        assert!(std::iter::from_fn(|| plan.step(later)).count() == DIALS, "now all are dialled");
        assert_eq!(plan.due(), None, "four are under way");
    }

    #[test]
    fn what_strangers_tell_of_a_hinted_peer_stays_apart_from_the_hint() {
        let (peer, now) = (PeerId::random(), crate::platform::now());
        let mut plan = Plan::new(&[hint(peer)], now);
        let told: Multiaddr = "/ip4/10.0.0.1/tcp/1/ws".parse().unwrap();
        plan.found(Provider { id: peer, addrs: vec![told.clone()] }, now);
        let dial = Step::Dial { peer, hints: vec![hint(peer)], found: vec![told] };
        assert_eq!(plan.step(now), Some(dial));
    }
}
