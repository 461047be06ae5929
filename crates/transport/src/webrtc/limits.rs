//! How much signalling a stranger may ask for.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use libp2p::PeerId;
use thiserror::Error;
use web_time::Instant;

/// Offers from one peer within [`WINDOW`]: js-libp2p's figure for inbound connections.
pub const MAX_PER_WINDOW: usize = 5;
/// The time that [`MAX_PER_WINDOW`] counts.
pub const WINDOW: Duration = Duration::from_secs(1);
/// Inbound negotiations under way at once, from all peers: js-libp2p's figure for inbound
/// connections that are still pending.
pub const MAX_PENDING: usize = 10;
/// Peers remembered for their rate. They come over a relay, which has its own limits; beyond
/// this newcomers wait for a window to pass.
const MAX_PEERS: usize = 128;

/// Why an inbound attempt is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// More than [`MAX_PER_WINDOW`].
    #[error("more than {MAX_PER_WINDOW} offers a second from one peer")]
    TooFast,
    /// More than [`MAX_PENDING`].
    #[error("{MAX_PENDING} negotiations are under way")]
    Busy,
}

/// Counts inbound attempts.
#[derive(Debug, Default)]
pub struct Gate {
    pending: usize,
    /// The times of each peer's attempts within the window, at most [`MAX_PER_WINDOW`].
    recent: HashMap<PeerId, VecDeque<Instant>>,
}

impl Gate {
    /// May `peer` begin an attempt? If so it counts as pending until [`Gate::done`].
    pub fn enter(&mut self, peer: PeerId, now: Instant) -> Result<(), Refused> {
        self.forget(now);
        if self.recent.get(&peer).is_some_and(|times| times.len() >= MAX_PER_WINDOW) {
            return Err(Refused::TooFast);
        }
        if self.pending >= MAX_PENDING {
            return Err(Refused::Busy);
        }
        if self.recent.len() >= MAX_PEERS && !self.recent.contains_key(&peer) {
            return Err(Refused::Busy);
        }
        self.recent.entry(peer).or_default().push_back(now);
        self.pending += 1;
        Ok(())
    }

    /// An attempt that was let in has ended.
    pub fn done(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    fn forget(&mut self, now: Instant) {
        self.recent.retain(|_, times| {
            times.retain(|time| now.saturating_duration_since(*time) < WINDOW);
            !times.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "not in a browser; any moment will do")]
    fn moment() -> Instant {
        Instant::now()
    }

    #[test]
    fn the_sixth_offer_within_a_second_is_refused_and_one_later_is_not() {
        let mut gate = Gate::default();
        let (peer, start) = (PeerId::random(), moment());
        for n in 0..5 {
            assert_eq!(gate.enter(peer, start + Duration::from_millis(n * 100)), Ok(()));
        }
        assert_eq!(gate.enter(peer, start + Duration::from_millis(999)), Err(Refused::TooFast));
        assert_eq!(gate.enter(PeerId::random(), start + Duration::from_millis(999)), Ok(()));
        assert_eq!(gate.enter(peer, start + Duration::from_millis(1000)), Ok(()));
    }

    #[test]
    fn the_eleventh_at_once_is_refused_until_one_ends() {
        let mut gate = Gate::default();
        let now = moment();
        for _ in 0..MAX_PENDING {
            assert_eq!(gate.enter(PeerId::random(), now), Ok(()));
        }
        assert_eq!(gate.enter(PeerId::random(), now), Err(Refused::Busy));
        gate.done();
        assert_eq!(gate.enter(PeerId::random(), now), Ok(()));
    }

    #[test]
    fn a_flood_of_peers_is_remembered_within_bounds() {
        let mut gate = Gate::default();
        let start = moment();
        for n in 0..1000 {
            let _ = gate.enter(PeerId::random(), start + Duration::from_millis(n / 10));
            gate.done();
            assert!(gate.recent.len() <= MAX_PEERS);
        }
        assert_eq!(gate.enter(PeerId::random(), start + Duration::from_secs(2)), Ok(()));
        assert_eq!(gate.recent.len(), 1);
    }
}
