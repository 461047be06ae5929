//! How much may lie unsent in a socket that tells nobody when it has sent something.
//!
//! Whoever writes can only look at times. What is unsent must last from one look to the next, or
//! the line stands idle; more than that only delays whatever is written after it. So the limit
//! follows what the line drains between looks.

/// The least limit, and the first: a path of 10 MB/s with 100 ms there and back.
pub const LEAST: usize = 1024 * 1024;
/// The greatest: what a local line of 400 MB/s takes in 20 ms.
pub const MOST: usize = 8 * 1024 * 1024;

/// The limit of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HighWater(usize);

impl HighWater {
    /// Bytes unsent at which writing waits.
    pub fn limit(self) -> usize {
        self.0
    }

    /// Learns that only `left` bytes of a full buffer were unsent when it was next looked at,
    /// however soon: less than half calls for more.
    pub fn drained_to(&mut self, left: usize) {
        if left < self.0 / 2 {
            self.0 = (self.0 * 2).min(MOST);
        }
    }

    /// Learns that `left` bytes were still unsent after all of the time between looks: nearly the
    /// whole of it calls for less.
    pub fn stood_at(&mut self, left: usize) {
        if left > self.0 / 8 * 7 {
            self.0 = (self.0 / 2).max(LEAST);
        }
    }
}

impl Default for HighWater {
    fn default() -> Self {
        Self(LEAST)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fast_line_is_given_enough_to_last() {
        let mut water = HighWater::default();
        let drained = 3 * 1024 * 1024;
        for _ in 0..8 {
            water.drained_to(water.limit().saturating_sub(drained));
        }
        assert!(water.limit() > drained, "{water:?}");
    }

    #[test]
    fn a_line_that_slowed_down_gets_less() {
        let mut water = HighWater(MOST);
        for _ in 0..8 {
            water.stood_at(water.limit() - 1000);
        }
        assert_eq!(water.limit(), LEAST);
    }

    proptest! {
        #[test]
        fn the_bounds_hold(looks in proptest::collection::vec(0..2 * MOST, 0..50)) {
            let mut water = HighWater::default();
            for left in looks {
                water.drained_to(left);
                water.stood_at(left);
                prop_assert!((LEAST..=MOST).contains(&water.limit()));
            }
        }
    }
}
