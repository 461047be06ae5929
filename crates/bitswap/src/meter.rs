//! How fast a peer delivers and answers, measured only while something is asked of it.

use std::time::Duration;

use web_time::Instant;

/// The shortest time that a sample is taken over: long enough to hold a few frames of 16 KiB.
const SLICE: Duration = Duration::from_millis(100);
/// A sample is taken over no more than this, however little came.
const LONG_SLICE: Duration = Duration::from_secs(1);
/// Fewer bytes than one data channel frame say nothing about a rate (unless the slice is long).
const SAMPLE: usize = 16 * 1024;

/// Bytes a second, as a moving average over slices of busy time.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    rate: Option<f64>,
    /// Seconds from the first thing asked to the first byte.
    latency: Option<f64>,
    /// Since when, and what came since. `None` while nothing is asked.
    slice: Option<(Instant, usize)>,
    /// Nothing came yet since something is asked.
    fresh: bool,
}

impl Meter {
    /// The average, once there is one.
    pub(crate) const fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Seconds that it takes to answer, once that is known: at most a second.
    pub(crate) fn latency(&self) -> Option<f64> {
        self.latency.map(|latency| latency.min(1.0))
    }

    /// Something is asked of a peer that owed nothing.
    pub(crate) fn start(&mut self, now: Instant) {
        self.slice = Some((now, 0));
        self.fresh = true;
    }

    /// The peer owes nothing any more.
    pub(crate) fn stop(&mut self, now: Instant) {
        if let Some((since, bytes)) = self.slice.take().filter(|(_, bytes)| *bytes >= SAMPLE) {
            self.sample(bytes, now.saturating_duration_since(since));
        }
    }

    /// Bytes came.
    pub(crate) fn add(&mut self, bytes: usize, now: Instant) {
        let Some((since, sum)) = &mut self.slice else { return };
        *sum += bytes;
        let elapsed = now.saturating_duration_since(*since);
        if std::mem::take(&mut self.fresh) {
            let took = elapsed.as_secs_f64();
            self.latency = Some(self.latency.map_or(took, |latency| (latency + took) / 2.0));
        }
        if elapsed >= LONG_SLICE || (elapsed >= SLICE && *sum >= SAMPLE) {
            let sum = *sum;
            self.slice = Some((now, 0));
            self.sample(sum, elapsed);
        }
    }

    /// Time passed that does not count.
    pub(crate) fn shift(&mut self, gap: Duration) {
        if let Some((since, _)) = &mut self.slice {
            *since += gap;
        }
    }

    fn sample(&mut self, bytes: usize, elapsed: Duration) {
        // a burst that came within a tick of the clock is no faster than a tick can tell
        let seconds = elapsed.max(Duration::from_millis(1)).as_secs_f64();
        let sample = bytes as f64 / seconds;
        // up fast, as more is asked only when more is thought to come; down more slowly
        self.rate = Some(match self.rate {
            None => sample,
            Some(rate) if sample > rate => (rate + 3.0 * sample) / 4.0,
            Some(rate) => (rate + sample) / 2.0,
        });
    }
}

#[allow(clippy::disallowed_methods, reason = "a test needs some instant to begin at")]
#[cfg(test)]
mod tests {
    use super::*;

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
