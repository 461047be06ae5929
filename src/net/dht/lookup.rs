//! The way to the servers closest to a key: whom to ask next, and when there is nobody left. Pure; time is given in.

use crate::platform::Instant;
use libp2p::{Multiaddr, PeerId};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How many servers hold a record, and how many of the closest must have answered (specification: k).
pub const K: usize = 20;
/// Requests under way at once (specification: alpha is 10; rust-libp2p asks 3, and a tab's dials are slow).
const ALPHA: usize = 3;
/// After this long a request no longer holds up others. A browser's dial to a dead host is slow to fail.
const SLOW: Duration = Duration::from_secs(3);
/// Requests under way at once with the slow ones.
const MAX_UNDER_WAY: usize = 10;
/// Then it counts as failed (rust-libp2p's figure).
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// Servers kept in mind: ten times k. Those farthest from the key go.
const MAX_CANDIDATES: usize = 200;

/// Where a peer or a key lies (specification: SHA-256 of its bytes).
pub type Place = [u8; 32];

/// The place of these bytes.
pub fn place(bytes: &[u8]) -> Place {
    Sha256::digest(bytes).into()
}

/// How far two places are from each other: compared as a number, highest byte first.
pub fn distance(a: &Place, b: &Place) -> Place {
    std::array::from_fn(|at| a[at] ^ b[at])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Heard,
    Asked(Instant),
    Answered,
    Failed,
}

struct Candidate {
    distance: Place,
    id: PeerId,
    addrs: Vec<Multiaddr>,
    state: State,
}

/// See the module.
pub struct Lookup {
    target: Place,
    /// Closest first.
    candidates: Vec<Candidate>,
}

impl Lookup {
    /// Towards `key`. Nobody is known yet.
    pub fn new(key: &[u8]) -> Self {
        Self { target: place(key), candidates: Vec::new() }
    }

    /// Where it leads.
    pub const fn target(&self) -> &Place {
        &self.target
    }

    /// There is this server. One that is known stays as it was.
    pub fn hear(&mut self, id: PeerId, addrs: Vec<Multiaddr>) {
        let distance = distance(&self.target, &place(&id.to_bytes()));
        let Err(at) = self.candidates.binary_search_by(|known| known.distance.cmp(&distance))
        else {
            return;
        };
        if at < MAX_CANDIDATES {
            self.candidates.insert(at, Candidate { distance, id, addrs, state: State::Heard });
            self.candidates.truncate(MAX_CANDIDATES);
        }
    }

    /// The next to ask, if any is to be asked now. It counts as asked.
    pub fn next(&mut self, now: Instant) -> Option<(PeerId, Vec<Multiaddr>)> {
        let under_way = self.asked().count();
        let quick = self.asked().filter(|since| now < *since + SLOW).count();
        if quick >= ALPHA || under_way >= MAX_UNDER_WAY {
            return None;
        }
        let next = closest(&mut self.candidates).find(|one| one.state == State::Heard)?;
        next.state = State::Asked(now);
        Some((next.id, next.addrs.clone()))
    }

    /// A server that was asked has answered. Whether it was awaited.
    pub fn answered(&mut self, id: &PeerId) -> bool {
        self.settle(id, State::Answered)
    }

    /// A server that was asked will not answer.
    pub fn failed(&mut self, id: &PeerId) {
        self.settle(id, State::Failed);
    }

    /// Gives up on those that have had their time; gives who they are.
    pub fn expire(&mut self, now: Instant) -> Vec<PeerId> {
        let late = |one: &&mut Candidate| matches!(one.state, State::Asked(since) if now >= since + REQUEST_TIME);
        let expired = self.candidates.iter_mut().filter(late);
        expired
            .map(|one| {
                one.state = State::Failed;
                one.id
            })
            .collect()
    }

    /// When to look again, though nobody has answered.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let due = |since: Instant| match now < since + SLOW {
            true => since + SLOW,
            false => since + REQUEST_TIME,
        };
        self.asked().map(due).min()
    }

    /// Whether the closest servers that there are have all answered.
    pub fn is_done(&self) -> bool {
        let open = |one: &Candidate| matches!(one.state, State::Heard | State::Asked(_));
        !self.candidates.iter().filter(|one| one.state != State::Failed).take(K).any(open)
    }

    /// The closest servers that answered, closest first, at most [`K`].
    pub fn closest(&self) -> impl Iterator<Item = (PeerId, &[Multiaddr])> {
        let answered = self.candidates.iter().filter(|one| one.state == State::Answered);
        answered.take(K).map(|one| (one.id, one.addrs.as_slice()))
    }

    /// Where a server is said to be, if it was heard of here.
    pub fn addrs(&self, id: &PeerId) -> &[Multiaddr] {
        self.candidates.iter().find(|one| one.id == *id).map_or(&[], |one| &one.addrs)
    }

    fn asked(&self) -> impl Iterator<Item = Instant> {
        self.candidates.iter().filter_map(|one| match one.state {
            State::Asked(since) => Some(since),
            _ => None,
        })
    }

    fn settle(&mut self, id: &PeerId, state: State) -> bool {
        let asked = |one: &&mut Candidate| one.id == *id && matches!(one.state, State::Asked(_));
        let found = self.candidates.iter_mut().find(asked);
        found.map(|one| one.state = state).is_some()
    }
}

fn closest(candidates: &mut [Candidate]) -> impl Iterator<Item = &mut Candidate> {
    candidates.iter_mut().filter(|one| one.state != State::Failed).take(K)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform;
    use proptest::{prelude::*, test_runner::RngSeed};

    fn peer(number: u64) -> PeerId {
        let digest = libp2p::multihash::Multihash::wrap(0, &number.to_be_bytes()).unwrap();
        PeerId::from_multihash(digest).unwrap()
    }

    /// The `n` of `peers` that are closest to `key`.
    fn nearest(key: &[u8], peers: impl Iterator<Item = PeerId>, n: usize) -> Vec<PeerId> {
        let mut peers: Vec<_> = peers.collect();
        peers.sort_by_key(|id| distance(&place(key), &place(&id.to_bytes())));
        peers.truncate(n);
        peers
    }

    fn heard(numbers: impl Iterator<Item = u64>) -> Lookup {
        let mut lookup = Lookup::new(b"key");
        numbers.for_each(|number| lookup.hear(peer(number), vec![]));
        lookup
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), cases: 16, ..Default::default() })]

        /// Every server knows its closest neighbours of some order and a few far ones; some are dead.
        #[test]
        fn the_closest_servers_alive_are_found(
            size in 2u64..150,
            dead in prop::collection::vec(any::<u64>(), 0..30),
            key in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let alive = |n: &u64| *n == 0 || !dead.iter().any(|d| d % size == *n);
            let mut lookup = Lookup::new(&key);
            lookup.hear(peer(0), vec![]);
            let (mut now, mut asked) = (platform::now(), 0);
            while !lookup.is_done() {
                let mut turn = Vec::new();
                while let Some((id, _)) = lookup.next(now) {
                    turn.push(id);
                }
                prop_assert!(turn.len() <= MAX_UNDER_WAY);
                for id in turn {
                    asked += 1;
                    let number = (0..size).find(|n| peer(*n) == id).unwrap();
                    if alive(&number) && lookup.answered(&id) {
                        let live = (0..size).filter(alive).map(peer);
                        nearest(&key, live, K).into_iter().for_each(|id| lookup.hear(id, vec![]));
                        let near = (0..size).map(peer);
                        nearest(&key, near, K).into_iter().for_each(|id| lookup.hear(id, vec![]));
                    }
                }
                now += REQUEST_TIME;
                lookup.expire(now);
            }
            prop_assert!(asked <= size);
            let found: Vec<_> = lookup.closest().map(|(id, _)| id).collect();
            prop_assert_eq!(found, nearest(&key, (0..size).filter(alive).map(peer), K));
        }
    }

    #[test]
    fn three_are_asked_at_once_and_a_slow_one_makes_room_for_another() {
        let mut lookup = heard(0..40);
        let now = platform::now();
        let first: Vec<_> = std::iter::from_fn(|| lookup.next(now)).map(|(id, _)| id).collect();
        assert_eq!(first, nearest(b"key", (0..40).map(peer), ALPHA));
        assert_eq!(lookup.due(now), Some(now + SLOW));
        assert!(lookup.answered(&first[1]));
        assert!(!lookup.answered(&first[1]), "once");
        assert!(lookup.next(now).is_some());
        assert!(lookup.next(now).is_none());
        let later = now + SLOW;
        assert_eq!(std::iter::from_fn(|| lookup.next(later)).count(), ALPHA);
        assert_eq!(lookup.due(later), Some(later + SLOW));
        assert!(lookup.expire(later).is_empty());
        assert_eq!(lookup.expire(now + REQUEST_TIME).len(), ALPHA);
    }

    #[test]
    fn net_05_no_more_candidates_are_kept_than_the_limit_and_they_are_the_closest() {
        let lookup = heard(0..1000);
        let kept: Vec<_> = lookup.candidates.iter().map(|one| one.id).collect();
        assert_eq!(kept, nearest(b"key", (0..1000).map(peer), MAX_CANDIDATES));
    }

    #[test]
    fn who_is_not_asked_cannot_answer() {
        let mut lookup = heard(0..5);
        assert!(!lookup.answered(&peer(1)) && !lookup.answered(&peer(77)));
        assert!(!lookup.is_done());
        assert!(Lookup::new(b"nobody is known").is_done());
    }
}
