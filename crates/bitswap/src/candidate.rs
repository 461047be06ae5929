//! Whom to ask for a block: a pure function of what is known of the peers.
//!
//! [`choose`] takes the one that would have the block first, among those that do not owe as much
//! already as they deliver in [`HORIZON`]. Peers that are fast free themselves sooner, so that
//! each is asked in proportion to what it delivers.

/// How many seconds of a peer's time are asked for in advance, beyond the time that it takes to
/// answer: so that the next block is on its way before the last has come, with room to see that
/// it could deliver more, and little is lost with a peer that goes.
const HORIZON: f64 = 0.5;
/// What may be owed by a peer of which no rate is known yet: four chunks of Kubo's.
const FIRST_BYTES: usize = 1024 * 1024;
/// What may be owed however slow the last bytes came: four data channel messages.
const LEAST_BYTES: usize = 64 * 1024;
/// The most bytes that a peer may owe: 100 MB/s for 80 ms, beyond what a data channel does.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// The most blocks that a peer may owe: half of the 1024 wants that Kubo keeps of a peer, so
/// that there is room for wants of the other kind.
const MOST_ASKS: usize = 512;
/// A block that takes longer is asked for alone: a second one queued saves but a round trip.
const SLOW_BLOCK: f64 = 2.0;
/// Bytes a second that are assumed where nothing is known of anyone.
pub(crate) const GUESS: f64 = 1024.0 * 1024.0;
/// After this many DONT_HAVE in a row a peer is asked for one block at a time.
const DOUBTFUL: u32 = 2;
/// After this many it is asked only when nobody else is left.
const HOPELESS: u32 = 16;

/// A peer that may be asked for a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<P> {
    pub(crate) peer: P,
    /// Bytes a second, where it is known.
    pub(crate) rate: Option<f64>,
    /// That rate is of long ago: it gets a block now and then, to show what it does.
    pub(crate) stale: bool,
    /// Seconds that it takes to answer, where it is known.
    pub(crate) latency: Option<f64>,
    /// Blocks that it owes.
    pub(crate) asks: usize,
    /// Bytes that came of them already.
    pub(crate) under_way: usize,
    pub(crate) proven: bool,
    pub(crate) misses: u32,
    /// It has not all of the rest, as the others do: what it has is asked of it first.
    pub(crate) gathers: bool,
    /// It stalled and has not delivered since.
    pub(crate) on_probation: bool,
}

impl<P: Copy> Candidate<P> {
    /// How many blocks of `size` bytes it may owe.
    fn limit(&self, size: usize) -> usize {
        if self.on_probation || self.misses >= DOUBTFUL {
            return 1;
        }
        let bytes = match self.rate {
            None if self.proven => FIRST_BYTES,
            None => FIRST_BYTES / 2,
            Some(rate) if size as f64 / rate.max(1.0) > SLOW_BLOCK => return 1,
            Some(rate) => {
                // twice that time, so that what is asked can double until the peer is full
                let seconds = HORIZON + 2.0 * self.latency.unwrap_or(0.0);
                ((rate * seconds) as usize).clamp(LEAST_BYTES, MOST_BYTES)
            }
        };
        (bytes / size.max(1)).clamp(2, MOST_ASKS)
    }

    pub(crate) fn has_room(&self, size: usize) -> bool {
        self.asks < self.limit(size)
    }

    /// In how many seconds it would have sent one block more.
    pub(crate) fn eta(&self, size: usize, guess: f64) -> f64 {
        let unknown = if self.proven { guess } else { guess / 2.0 };
        let rate =
            self.rate.map_or(unknown, |rate| if self.stale { rate.max(unknown) } else { rate });
        let owed = (self.asks + 1).saturating_mul(size).saturating_sub(self.under_way);
        owed as f64 / rate.max(1.0)
    }
}

/// The answer to "who gets this want?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice<P> {
    Ask(P),
    /// There are peers, but they owe enough already.
    Full,
    /// Nobody can be asked.
    Nobody,
}

/// Who would have a block of `size` bytes first. `idle` bytes are wanted that nobody is asked for, this block among
/// them: a slow peer is not given what the others would have got, with all the rest, before it could send this: at the
/// end of what is wanted, all would wait for it.
pub(crate) fn choose<P: Copy + Ord>(
    candidates: &[Candidate<P>],
    size: usize,
    idle: usize,
) -> Choice<P> {
    let hopeful = |candidate: &&Candidate<P>| candidate.misses < HOPELESS;
    let any_hope = candidates.iter().any(|candidate| hopeful(&candidate));
    let guess = mean_rate(candidates);
    let best = candidates
        .iter()
        .filter(|candidate| !any_hope || hopeful(candidate))
        .filter(|candidate| candidate.has_room(size))
        .min_by(|a, b| a.eta(size, guess).total_cmp(&b.eta(size, guess)));
    let late = |candidate: &Candidate<P>| {
        let known = candidate.rate.is_some() && !candidate.stale;
        let others = without(candidate.peer, candidates, size, idle);
        known && others.is_some_and(|at| candidate.eta(size, guess) > at)
    };
    match best {
        Some(candidate) if late(candidate) => Choice::Full,
        Some(candidate) => Choice::Ask(candidate.peer),
        None if candidates.is_empty() => Choice::Nobody,
        None => Choice::Full,
    }
}

/// In how many seconds the others would have sent all that they owe and `idle` bytes more, or at least one block. `None`
/// where there are no others that can be relied on.
fn without<P: Copy + Ord>(
    peer: P,
    candidates: &[Candidate<P>],
    size: usize,
    idle: usize,
) -> Option<f64> {
    let (mut rates, mut owed, mut first) = (0.0, idle, f64::INFINITY);
    for other in candidates.iter().filter(|other| other.peer != peer) {
        let Some(rate) = other.rate else { continue };
        if other.proven && !other.on_probation && other.misses < DOUBTFUL {
            rates += rate;
            let owes = other.asks.saturating_mul(size).saturating_sub(other.under_way);
            owed = owed.saturating_add(owes);
            first = other.eta(size, rate).min(first);
        }
    }
    (rates > 0.0).then(|| first.max(owed as f64 / rates))
}

/// What a peer of which nothing is known is taken to deliver.
pub(crate) fn mean_rate<P>(candidates: &[Candidate<P>]) -> f64 {
    let known = candidates.iter().filter_map(|candidate| candidate.rate);
    let (sum, count) = known.fold((0.0, 0), |(sum, count), rate| (sum + rate, count + 1));
    if count == 0 { GUESS } else { sum / f64::from(count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: usize = 1024 * 1024;
    /// As much as anyone could want.
    const ALL: usize = 1 << 40;

    const fn candidate(peer: u32, rate: Option<f64>, asks: usize) -> Candidate<u32> {
        let (latency, under_way, proven) = (None, 0, true);
        let (misses, stale, on_probation, gathers) = (0, false, false, false);
        Candidate {
            peer,
            rate,
            stale,
            latency,
            asks,
            under_way,
            proven,
            misses,
            gathers,
            on_probation,
        }
    }

    #[test]
    fn the_one_that_would_have_it_first_is_asked() {
        let slow = candidate(1, Some(12e6), 0);
        let fast = candidate(2, Some(30e6), 1);
        assert_eq!(choose(&[slow, fast], MIB, ALL), Choice::Ask(2));
        let busier = Candidate { asks: 2, ..fast };
        assert_eq!(choose(&[slow, busier], MIB, ALL), Choice::Ask(1));
        let half_sent = Candidate { under_way: MIB, ..busier };
        assert_eq!(choose(&[slow, half_sent], MIB, ALL), Choice::Ask(2));
        assert_eq!(choose::<u32>(&[], MIB, ALL), Choice::Nobody);
    }

    #[test]
    fn a_slow_one_is_left_out_at_the_end_unless_its_rate_is_of_long_ago() {
        let slow = candidate(1, Some(1e4), 0);
        let full = candidate(2, Some(4e6), 8);
        assert!(!full.has_room(MIB));
        assert_eq!(choose(&[slow, full], MIB, MIB), Choice::Full);
        assert_eq!(choose(&[slow, full], MIB, ALL), Choice::Ask(1));
        let stale = Candidate { stale: true, ..slow };
        assert_eq!(choose(&[stale, full], MIB, MIB), Choice::Ask(1));
        // more than an address can count is wanted
        assert_eq!(choose(&[slow, full], MIB, usize::MAX), Choice::Ask(1));
    }

    #[test]
    fn nobody_owes_more_than_half_a_second_but_two_blocks() {
        assert!(candidate(1, Some(1e6), 1).has_room(MIB));
        assert!(!candidate(1, Some(1e6), 2).has_room(MIB));
        assert!(candidate(1, Some(1e6), 100).has_room(4096));
        assert!(!candidate(1, Some(1e6), 123).has_room(4096));
        assert!(!candidate(1, Some(1e12), 8).has_room(MIB));
        // a block that takes ten seconds is asked for alone
        assert!(!candidate(1, Some(1e5), 1).has_room(MIB));
        assert_eq!(choose(&[candidate(1, Some(1e6), 2)], MIB, ALL), Choice::Full);
    }

    #[test]
    fn doubtful_peers_get_one_block_and_hopeless_ones_the_rest() {
        let doubtful = Candidate { misses: DOUBTFUL, ..candidate(1, None, 1) };
        assert!(!doubtful.has_room(4096));
        let hopeless = Candidate { misses: HOPELESS, ..candidate(1, None, 0) };
        assert_eq!(choose(&[hopeless, candidate(2, Some(1e6), 2)], MIB, ALL), Choice::Full);
        assert_eq!(choose(&[hopeless], MIB, ALL), Choice::Ask(1));
        let probation = Candidate { on_probation: true, ..candidate(1, Some(1e9), 1) };
        assert!(!probation.has_room(4096));
    }

    proptest! {
        /// Wants handed out one by one end up with each peer in proportion to its rate.
        #[test]
        fn wants_are_spread_by_rate(rates in prop::collection::vec(1e6..1e8f64, 1..6)) {
            let mut all: Vec<_> =
                rates.iter().zip(0..).map(|(rate, peer)| candidate(peer, Some(*rate), 0)).collect();
            let size = 1024;
            let total: f64 = rates.iter().sum();
            for _ in 0..300 {
                let Choice::Ask(peer) = choose(&all, size, ALL) else { break };
                all[peer as usize].asks += 1;
            }
            let asked: usize = all.iter().map(|candidate| candidate.asks).sum();
            for candidate in &all {
                let share = candidate.rate.unwrap() / total * asked as f64;
                prop_assert!((candidate.asks as f64 - share).abs() <= 2.0 + rates.len() as f64);
            }
        }
    }
}
