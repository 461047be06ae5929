//! How fast a peer delivers and answers, measured only while something is asked of it.

use std::{f64::consts::LN_2, time::Duration};

use web_time::Instant;

/// The shortest time that a sample is taken over: long enough to hold a few frames of 16 KiB.
const SLICE: Duration = Duration::from_millis(100);
/// A sample is taken over no more than this, however little came.
const LONG_SLICE: Duration = Duration::from_secs(1);
/// Fewer bytes than one data channel frame say nothing about a rate (unless the slice is long).
const SAMPLE: usize = 16 * 1024;
/// After so long a sample says little of what the peer would deliver now: a phone that was out of reach is back by then.
const STALE: Duration = Duration::from_secs(5);

/// In this much busy time half of the average is forgotten: where more comes, and where less does. Up is faster, as
/// more is asked only when more is thought to come.
const HALF_UP: f64 = 0.05;
const HALF_DOWN: f64 = 0.2;
/// The same for the average that is for looking back: frames that come late come at once, and make the other one swing
/// between half and twice what is true.
const HALF_STEADY: f64 = 1.0;

/// Bytes a second, as a moving average over busy time.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    rate: Option<f64>,
    /// When the last sample was taken.
    sampled: Option<Instant>,
    /// Bytes and seconds, of which half is forgotten in [`HALF_STEADY`].
    steady: (f64, f64),
    /// Seconds from the first thing asked to the first byte.
    latency: Option<f64>,
    /// Since when, and what came since. `None` while nothing is asked.
    slice: Option<(Instant, usize)>,
    /// The slice that was cut off when the peer owed nothing any more: how long it was, and what came in it. Goes on
    /// when something is asked: a burst that ends a message says nothing alone.
    rest: (Duration, usize),
    /// Nothing came yet since something is asked.
    fresh: Option<Instant>,
}

impl Meter {
    /// The average, once there is one.
    pub(crate) const fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Whether the rate is of long ago: who is thought slow and asked for nothing never shows that it is not.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        self.sampled.is_some_and(|at| now.saturating_duration_since(at) > STALE)
    }

    /// Bytes a second over the last seconds, as soon as [`rate`](Self::rate) is known: what can be relied on.
    pub(crate) fn steady(&self) -> Option<f64> {
        self.rate.map(|rate| match self.steady {
            (bytes, seconds) if seconds > 0.0 => bytes / seconds,
            _ => rate,
        })
    }

    /// Seconds that it takes to answer, once that is known: at most a second.
    pub(crate) fn latency(&self) -> Option<f64> {
        self.latency.map(|latency| latency.min(1.0))
    }

    /// Something is asked of a peer that owed nothing.
    pub(crate) fn start(&mut self, now: Instant) {
        let (elapsed, bytes) = std::mem::take(&mut self.rest);
        self.slice = Some((now.checked_sub(elapsed).unwrap_or(now), bytes));
        self.fresh = Some(now);
    }

    /// The peer owes nothing any more.
    pub(crate) fn stop(&mut self, now: Instant) {
        let Some((since, bytes)) = self.slice.take() else { return };
        let elapsed = now.saturating_duration_since(since);
        if self.rate.is_none() && bytes >= SAMPLE {
            self.sample(bytes, elapsed, now);
        } else if bytes > 0 {
            // to wait for what others sent, or for a refusal, is no slowness: it must not add up
            self.rest = (elapsed.min(SLICE), bytes);
        }
    }

    /// Bytes came.
    pub(crate) fn add(&mut self, bytes: usize, now: Instant) {
        let Some((since, sum)) = &mut self.slice else { return };
        *sum += bytes;
        let elapsed = now.saturating_duration_since(*since);
        if let Some(asked) = self.fresh.take() {
            let took = now.saturating_duration_since(asked).as_secs_f64();
            self.latency = Some(self.latency.map_or(took, |latency| (latency + took) / 2.0));
        }
        if elapsed >= LONG_SLICE || (elapsed >= SLICE && *sum >= SAMPLE) {
            let sum = *sum;
            self.slice = Some((now, 0));
            self.sample(sum, elapsed, now);
        }
    }

    /// Time passed that does not count.
    pub(crate) fn shift(&mut self, gap: Duration) {
        if let Some((since, _)) = &mut self.slice {
            *since += gap;
        }
        for at in self.fresh.iter_mut().chain(&mut self.sampled) {
            *at += gap;
        }
    }

    fn sample(&mut self, bytes: usize, elapsed: Duration, now: Instant) {
        self.sampled = Some(now);
        // a burst that came within a tick of the clock is no faster than a tick can tell
        let seconds = elapsed.max(Duration::from_millis(1)).as_secs_f64();
        let sample = bytes as f64 / seconds;
        let kept = left(seconds / HALF_STEADY);
        self.steady = (self.steady.0 * kept + bytes as f64, self.steady.1 * kept + seconds);
        self.rate = Some(self.rate.map_or(sample, |rate| {
            let half = if sample > rate { HALF_UP } else { HALF_DOWN };
            sample + (rate - sample) * left(seconds / half)
        }));
    }
}

/// What is left of one after so many half-lives, 2 to the minus that. `f64::exp2` would bring tables of 4 KB, for what
/// happens ten times a second.
fn left(half_lives: f64) -> f64 {
    let whole = half_lives.floor();
    let power = (whole - half_lives) * LN_2;
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..=16 {
        term *= power / f64::from(n);
        sum += term;
    }
    sum * 0.5_f64.powi(whole as i32)
}

#[allow(clippy::disallowed_methods, reason = "a test needs some instant to begin at")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_after_half_lives_is_a_power_of_two() {
        for tenths in 0..500 {
            let (ours, exact) =
                (left(f64::from(tenths) / 10.0), (-f64::from(tenths) / 10.0).exp2());
            assert!((ours / exact - 1.0).abs() < 1e-15, "{tenths}: {ours} for {exact}");
        }
        assert_eq!(left(1e9), 0.0);
    }

    #[test]
    fn a_steady_rate_is_found_and_idle_time_is_left_out() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.start(start);
        for step in 1..=20 {
            meter.add(50_000, start + Duration::from_millis(50 * step));
        }
        assert!((meter.rate().unwrap() - 1e6).abs() < 1e4);
        assert_eq!(meter.latency(), Some(0.05));
        meter.stop(start + Duration::from_secs(1));
        meter.add(1, start + Duration::from_secs(100));
        meter.start(start + Duration::from_secs(100));
        meter.add(100_000, start + Duration::from_millis(100_100));
        assert!((meter.rate().unwrap() - 1e6).abs() < 1e4);
    }

    #[test]
    fn waits_that_brought_nothing_do_not_slow_what_comes_after() {
        let start = Instant::now();
        // nothing at all, and a refusal's few bytes
        for refusal in [0, 40] {
            let mut meter = Meter::default();
            let mut now = start;
            for _ in 0..10 {
                meter.start(now);
                now += Duration::from_millis(900);
                meter.add(refusal, now);
                meter.stop(now);
            }
            meter.start(now);
            meter.add(100_000, now + SLICE);
            assert!(meter.rate().unwrap() >= 100_000.0 / (2.0 * SLICE.as_secs_f64()));
        }
    }

    #[test]
    fn a_rate_is_stale_when_its_last_sample_is_old() {
        let start = Instant::now();
        let mut meter = Meter::default();
        assert!(!meter.is_stale(start + STALE * 2));
        meter.start(start);
        meter.add(SAMPLE, start + SLICE);
        assert!(!meter.is_stale(start + SLICE + STALE));
        assert!(meter.is_stale(start + SLICE * 2 + STALE));
        meter.shift(SLICE);
        assert!(!meter.is_stale(start + SLICE * 2 + STALE));
    }

    #[test]
    fn a_trickle_brings_the_rate_down_and_a_short_burst_says_nothing() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.start(start);
        meter.add(2000, start + Duration::from_millis(1));
        assert_eq!(meter.rate(), None);
        meter.add(100_000, start + Duration::from_millis(100));
        let before = meter.rate().unwrap();
        for second in 1..=5 {
            meter.add(1, start + Duration::from_secs(1 + second));
        }
        assert!(meter.rate().unwrap() < before / 30.0);
    }
}
