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
/// Of these, from one peer: the one that is needed, and one for a page that was reloaded in the
/// middle of it. So one peer that says nothing cannot take all the places.
pub const MAX_PENDING_PER_PEER: usize = 2;
/// Peers remembered for their rate. They come over a relay, which has its own limits; beyond
/// this newcomers wait for a window to pass.
const MAX_PEERS: usize = 128;

/// Why an inbound attempt is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// More than [`MAX_PER_WINDOW`].
    #[error("more than {MAX_PER_WINDOW} offers a second from one peer")]
    TooFast,
    /// More than [`MAX_PENDING`], or than [`MAX_PENDING_PER_PEER`].
    #[error("too many negotiations are under way")]
    Busy,
}

/// Counts inbound attempts.
#[derive(Debug, Default)]
pub struct Gate {
    /// Attempts under way, by peer; at most [`MAX_PENDING`] together.
    pending: HashMap<PeerId, usize>,
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
        let of_peer = self.pending.get(&peer).copied().unwrap_or_default();
        let of_all = self.pending.values().sum::<usize>();
        if of_all >= MAX_PENDING || of_peer >= MAX_PENDING_PER_PEER {
            return Err(Refused::Busy);
        }
        if self.recent.len() >= MAX_PEERS && !self.recent.contains_key(&peer) {
            return Err(Refused::Busy);
        }
        self.recent.entry(peer).or_default().push_back(now);
        *self.pending.entry(peer).or_default() += 1;
        Ok(())
    }

    /// An attempt of `peer` that was let in has ended.
    pub fn done(&mut self, peer: PeerId) {
        if let Some(pending) = self.pending.get_mut(&peer) {
            *pending -= 1;
            if *pending == 0 {
                self.pending.remove(&peer);
            }
        }
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
            gate.done(peer);
        }
        assert_eq!(gate.enter(peer, start + Duration::from_millis(999)), Err(Refused::TooFast));
        assert_eq!(gate.enter(PeerId::random(), start + Duration::from_millis(999)), Ok(()));
        assert_eq!(gate.enter(peer, start + Duration::from_millis(1000)), Ok(()));
    }

    #[test]
    fn the_eleventh_at_once_is_refused_until_one_ends() {
        let mut gate = Gate::default();
        let now = moment();
        let peers: Vec<PeerId> = (0..MAX_PENDING).map(|_| PeerId::random()).collect();
        for peer in &peers {
            assert_eq!(gate.enter(*peer, now), Ok(()));
        }
        assert_eq!(gate.enter(PeerId::random(), now), Err(Refused::Busy));
        gate.done(peers[3]);
        assert_eq!(gate.enter(PeerId::random(), now), Ok(()));
    }

    #[test]
    fn one_peer_cannot_take_all_the_places() {
        let mut gate = Gate::default();
        let (peer, now) = (PeerId::random(), moment());
        assert_eq!((gate.enter(peer, now), gate.enter(peer, now)), (Ok(()), Ok(())));
        assert_eq!(gate.enter(peer, now), Err(Refused::Busy));
        assert_eq!(gate.enter(PeerId::random(), now), Ok(()));
        gate.done(peer);
        assert_eq!(gate.enter(peer, now), Ok(()));
    }

    #[test]
    fn a_flood_of_peers_is_remembered_within_bounds() {
        let mut gate = Gate::default();
        let start = moment();
        for n in 0..1000 {
            let peer = PeerId::random();
            if gate.enter(peer, start + Duration::from_millis(n / 10)).is_ok() {
                gate.done(peer);
            }
            assert!(gate.recent.len() <= MAX_PEERS);
        }
        assert_eq!(gate.enter(PeerId::random(), start + Duration::from_secs(2)), Ok(()));
        assert_eq!(gate.recent.len(), 1);
    }
}
