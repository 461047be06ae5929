//! Two that dial each other at once end with one connection.
//!
//! First while signalling: whoever reads an offer and has not sent its own drops its own. When
//! both are sent, both know it, and the offer of the lower peer id stands. Someone who does not
//! know this rule, js-libp2p for one, never drops its own: to such we yield.
//!
//! Then among connections that stand, for what slipped through: see [`keeps_new`].

use std::time::Duration;

use libp2p::PeerId;

/// Two connections that came up within this time of each other, dialled from either side, are
/// one simultaneous dial. The time limit of a negotiation: none of the same moment ends later.
pub const SAME_MOMENT: Duration = Duration::from_secs(20);

/// What to do with an offer that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Answer it.
    Accept,
    /// Answer it, and drop our own attempt: our dial takes this connection.
    AcceptInstead,
    /// Answer it only if our own attempt fails.
    Hold,
}

/// How far our own attempt to dial the same peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ours {
    /// There is none.
    None,
    /// Its offer is not sent yet.
    Preparing,
    /// Its offer is on its way.
    Offered,
}

/// Judges an offer from `remote`, who settles ties by this rule or does not.
pub fn judge(local: PeerId, remote: PeerId, ours: Ours, remote_settles_ties: bool) -> Verdict {
    match ours {
        Ours::None => Verdict::Accept,
        Ours::Preparing => Verdict::AcceptInstead,
        Ours::Offered if remote_settles_ties && local < remote => Verdict::Hold,
        Ours::Offered => Verdict::AcceptInstead,
    }
}

/// Of two connections with one peer, does the new one stay? `new` and `old` name who made the
/// offer of each; `apart` is the time between them; `settles_ties` says whether the maker of the
/// new one knows this rule.
///
/// The newer one stays: the peer has a reason to dial again, its page may have been reloaded; and
/// js-libp2p would wait long for a connection that we alone have closed. Only within one moment,
/// dialled from either side, among those who know, is it a tie: the lower id's stays.
pub fn keeps_new(new: PeerId, old: PeerId, apart: Duration, settles_ties: bool) -> bool {
    new == old || apart > SAME_MOMENT || !settles_ties || new < old
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids() -> (PeerId, PeerId) {
        let (a, b) = (PeerId::random(), PeerId::random());
        if a < b { (a, b) } else { (b, a) }
    }

    #[test]
    fn when_both_have_offered_exactly_one_offer_stands() {
        let (low, high) = ids();
        assert_eq!(judge(low, high, Ours::Offered, true), Verdict::Hold);
        assert_eq!(judge(high, low, Ours::Offered, true), Verdict::AcceptInstead);
    }

    #[test]
    fn who_has_not_offered_yet_takes_what_came() {
        let (low, high) = ids();
        for (local, remote) in [(low, high), (high, low)] {
            assert_eq!(judge(local, remote, Ours::Preparing, true), Verdict::AcceptInstead);
        }
    }

    #[test]
    fn we_yield_to_those_who_never_do() {
        let (low, high) = ids();
        for (local, remote) in [(low, high), (high, low)] {
            assert_eq!(judge(local, remote, Ours::Offered, false), Verdict::AcceptInstead);
        }
    }

    #[test]
    fn a_page_that_comes_back_replaces_its_old_connection() {
        let (low, high) = ids();
        assert!(keeps_new(high, high, Duration::ZERO, true));
        assert!(keeps_new(high, low, SAME_MOMENT + Duration::from_millis(1), true));
    }

    #[test]
    fn the_connection_of_one_who_knows_no_rule_is_kept() {
        let (low, high) = ids();
        assert!(keeps_new(high, low, Duration::ZERO, false));
    }

    proptest! {
        /// Both sides see the same two connections, in either order, and keep the same one.
        #[test]
        fn both_keep_the_same(apart_ms in 0u64..20_000) {
            let (low, high) = ids();
            let apart = Duration::from_millis(apart_ms);
            prop_assert!(keeps_new(low, high, apart, true));
            prop_assert!(!keeps_new(high, low, apart, true));
        }
    }
}
