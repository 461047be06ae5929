//! How much of a stream may be under way, where the other side tells what has come.
//!
//! A browser's SCTP sends more and more until packets are lost, and knows no more of a line than
//! that. On a new connection over a slow line a burst is lost where the sender's queue ends, and
//! takes seconds to be made good; later the queue stays full, and whatever is asked or cancelled
//! waits behind it. So a sender gives its browser half as much again as the path holds, and a
//! moment's worth: [`Window`].
//!
//! Bytes are counted from a stream's start, payload alone. With some of its frames the sender
//! asks, and the other side answers with what has come by then. A side of ours says in the first
//! frame of each of its streams that it counts, by a field that others skip
//! ([`framing`](super::framing)); only who said so is asked.
//!
//! The window is of one stream. Several that share a line each keep a queue of their own, and a
//! stream takes that of the others for the path: with more than two of them it is as long as
//! without windows, each at [`MOST`].

use std::{collections::VecDeque, time::Duration};

use web_time::Instant;

use super::framing::{FRAME, PAYLOAD};

/// A window is never smaller, unless it drains: four frames, and a fifth that is begun. On a line of
/// 1 Mbit/s that is half a second.
pub const LEAST: usize = 64 * 1024;

/// Nor larger: 16 MB/s with 125 ms there and back. What a browser is given unsent where nothing is
/// told is as much ([`super::stream`]).
pub const MOST: usize = 2 * 1024 * 1024;

/// How many times what the path holds may be under way, so that a rate that grows shows.
const GAIN: f64 = 1.5;

/// So much time's worth besides. It hides that main threads, which ask and answer, are busy for a
/// while, and that a radio's delay swings; and it is within what routers hold.
const MOMENT: Duration = Duration::from_millis(80);

/// Answers of which the best tells the rate: those of [`RATE_FOR`], or of four times there and
/// back where that is longer, and no more than so many. An answer that was quick tells what the
/// path takes; if the slow ones counted as much, a path whose delay swings would get less and less.
const RATES: usize = 32;
const RATE_FOR: Duration = Duration::from_secs(1);

/// How often the other side is asked while a window goes out.
const ASKS: usize = 8;

/// It is asked no more often than with every second frame, unless the window drains.
const LEAST_ASKED: usize = 2 * PAYLOAD;

/// Questions under way: as many as [`LEAST_ASKED`] allows in the largest window. Of more the moment
/// is not known.
const MARKS: usize = MOST / LEAST_ASKED + 2;

/// How long the quickest answer counts (draft-ietf-ccwg-bbr, "BBR.MinRTTFilterLen"). Then what is
/// under way is let run out, until only two frames are on the path: else a queue of our own would
/// count as the path, and grow with every such time.
const QUICKEST_FOR: Duration = Duration::from_secs(10);

/// After so long already, when the window has become less than half of what it was since, or as
/// small as it can: the path may be longer by now, or the other side's main thread always late, and
/// a window for a shorter path would become smaller and smaller.
const QUICKEST_IN_DOUBT: Duration = Duration::from_secs(2);

/// What browsers round time to: Firefox and Safari; Chromium to a tenth of it.
const TICK: Duration = Duration::from_millis(1);

/// A question that is under way.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Bytes of the stream before it and with it.
    sent: u64,
    /// Bytes that had come by then, as far as was known.
    received: u64,
    at: Instant,
    /// Whether there was next to nothing under way, so that the answer tells of the path alone.
    alone: bool,
}

/// How much of one stream may be under way: [`GAIN`] times what the path holds, and [`MOMENT`]'s
/// worth, by the best rate of late and the quickest answer.
#[derive(Debug, Default)]
pub struct Window {
    sent: u64,
    received: u64,
    /// `sent` with the last question.
    asked: u64,
    /// At most [`MARKS`], oldest first.
    marks: VecDeque<Mark>,
    /// Bytes a second and since when that is known, at most [`RATES`], oldest first.
    rates: VecDeque<(f64, Instant)>,
    quickest: Option<(Duration, Instant)>,
    /// The largest window since the last time that it drained.
    largest: usize,
    /// Whether what is under way is let run out.
    drains: bool,
}

impl Window {
    /// How many bytes may be under way.
    pub fn size(&self) -> usize {
        if self.drains { LEAST_ASKED } else { self.wide() }
    }

    /// The same while nothing drains.
    fn wide(&self) -> usize {
        let best = self.rates.iter().map(|(rate, _)| *rate).reduce(f64::max);
        let (Some(rate), Some((quickest, _))) = (best, self.quickest) else { return LEAST };
        // a float beyond the range becomes its end
        ((rate * takes(quickest).as_secs_f64()) as usize).clamp(LEAST, MOST)
    }

    /// Bytes under way.
    pub fn under_way(&self) -> u64 {
        self.sent - self.received
    }

    /// Whether a frame may go. What is under way passes the window by one at most.
    pub fn has_room(&self) -> bool {
        self.under_way() < self.size() as u64
    }

    /// Whether the next frame, with so many bytes, should ask.
    pub fn should_ask(&self, bytes: usize) -> bool {
        let every = (self.size() / ASKS).max(LEAST_ASKED) as u64;
        self.drains || self.sent + bytes as u64 - self.asked >= every
    }

    /// Whether to ask without a frame: nothing may go, and no answer is to come. (The window was
    /// larger when there was a question last.)
    pub fn must_ask(&self) -> bool {
        !self.has_room() && self.asked <= self.received
    }

    /// A frame with so many bytes was handed to the browser.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// The frame handed over last, or one without payload, asks.
    pub fn asked(&mut self, now: Instant) {
        self.asked = self.sent;
        if self.marks.len() < MARKS {
            let alone = self.under_way() <= LEAST_ASKED as u64;
            let (sent, received) = (self.sent, self.received);
            self.marks.push_back(Mark { sent, received, at: now, alone });
        }
    }

    /// The other side answers that so many bytes of the stream have come.
    pub fn answered(&mut self, total: u64, now: Instant) {
        if total <= self.received || total > self.sent {
            return; // an old word, or nonsense
        }
        self.received = total;
        let mut last = None;
        while self.marks.front().is_some_and(|mark| mark.sent <= total) {
            last = self.marks.pop_front();
        }
        if let Some(mark) = last {
            self.sample(mark, now);
        }
    }

    fn sample(&mut self, mark: Mark, now: Instant) {
        if mark.received == 0 && mark.sent > (LEAST + FRAME) as u64 {
            // sent before anything was told: nobody knows when
            self.drains = true;
            return;
        }
        let took = now.saturating_duration_since(mark.at);
        if self.quickest.is_none_or(|(quickest, _)| mark.alone || took <= quickest) {
            self.quickest = Some((took, now));
        }
        let keep = RATE_FOR.max(4 * took);
        self.rates.retain(|(_, at)| now.saturating_duration_since(*at) <= keep);
        if self.rates.len() == RATES {
            self.rates.pop_front();
        }
        let bytes = self.received - mark.received;
        self.rates.push_back((bytes as f64 / took.max(TICK).as_secs_f64(), now));

        if mark.alone {
            (self.drains, self.largest) = (false, 0);
        }
        let size = self.wide();
        self.largest = self.largest.max(size);
        let Some((quickest, at)) = self.quickest else { return };
        let age = now.saturating_duration_since(at);
        let shrunk = size < self.largest / 2 || (size == LEAST && took > takes(quickest));
        self.drains |= age > QUICKEST_FOR || (age > QUICKEST_IN_DOUBT && shrunk);
    }
}

/// How long a byte may take there and back where the path alone takes `quickest`.
fn takes(quickest: Duration) -> Duration {
    (quickest + TICK).mul_f64(GAIN) + MOMENT
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[allow(clippy::disallowed_methods, reason = "not in a browser; any moment will do")]
    fn moment() -> Instant {
        Instant::now()
    }

    /// A path that takes `rate` bytes a second, `delay` there and as much back, from a sender that
    /// always has more. A frame waits in the sender's queue until those before it have gone.
    struct Path {
        window: Window,
        rate: f64,
        delay: Duration,
        now: Instant,
        /// When the line is free.
        free: Instant,
        /// Answers under way: when each is here, and what it says.
        answers: VecDeque<(Instant, u64)>,
        /// The most bytes that waited for the line.
        queued: f64,
        /// Milliseconds by which the way back takes longer now and then, as a radio's does.
        swing: u64,
        began: Instant,
    }

    /// How long the swing of a path's delay takes, up and down, in milliseconds.
    const SWING: u64 = 700;

    impl Path {
        fn new(rate: f64, delay: u64) -> Self {
            let (now, delay) = (moment(), Duration::from_millis(delay));
            let (window, answers) = (Window::default(), VecDeque::new());
            let (free, began) = (now, now);
            Self { window, rate, delay, now, free, answers, queued: 0.0, swing: 0, began }
        }

        /// When the answer to what is sent now is here.
        fn answered_at(&self) -> Instant {
            let at = self.free.duration_since(self.began).as_millis() as u64 % SWING;
            let up = at.min(SWING - at) * 2 * self.swing / SWING;
            let here = self.free + 2 * self.delay + Duration::from_millis(up);
            self.answers.back().map_or(here, |(before, _)| here.max(*before))
        }

        /// Sends what may go, then goes on to the next answer.
        fn step(&mut self) {
            while self.window.has_room() {
                let asks = self.window.should_ask(PAYLOAD);
                self.window.sent(PAYLOAD);
                let takes = Duration::from_secs_f64(PAYLOAD as f64 / self.rate);
                self.free = self.free.max(self.now) + takes;
                let waits = self.free.duration_since(self.now).as_secs_f64() * self.rate;
                self.queued = self.queued.max(waits);
                if asks {
                    self.window.asked(self.now);
                    self.answers.push_back((self.answered_at(), self.window.sent));
                }
            }
            if self.window.must_ask() {
                self.window.asked(self.now);
                self.answers.push_back((self.answered_at(), self.window.sent));
            }
            let (at, total) = self.answers.pop_front().unwrap();
            self.now = at;
            self.window.answered(total, at);
        }

        /// Bytes a second that came in `seconds`.
        fn run(&mut self, seconds: u64) -> f64 {
            let (began, before) = (self.now, self.window.received);
            while self.now.duration_since(began) < Duration::from_secs(seconds) {
                self.step();
            }
            let bytes = self.window.received - before;
            bytes as f64 / self.now.duration_since(began).as_secs_f64()
        }
    }

    #[test]
    fn a_slow_line_s_queue_stays_short_from_the_first_byte_on() {
        for delay in [0, 5, 20] {
            let mut path = Path::new(1e6, delay);
            let rate = path.run(60);
            assert!(rate > 0.97e6, "{rate} bytes a second with {delay} ms");
            assert!(path.queued < 0.19e6, "{} bytes waited with {delay} ms", path.queued);
        }
    }

    #[test]
    fn a_long_fast_path_is_filled_within_a_second() {
        let mut path = Path::new(12.5e6, 50);
        path.run(1);
        let rate = path.run(5);
        assert!(rate > 12e6, "{rate} bytes a second");
    }

    #[test]
    fn answers_that_are_late_from_some_moment_on_do_not_slow_a_path_for_long() {
        for late in [20, 50, 80] {
            let mut path = Path::new(10e6, 1);
            path.run(1);
            // there and back
            path.delay = Duration::from_millis(late);
            path.run(5);
            let rate = path.run(20);
            assert!(rate > 9.5e6, "{rate} bytes a second with {late} ms each way");
        }
    }

    #[test]
    fn the_first_answer_after_a_late_announcement_tells_nothing_of_the_rate() {
        let mut now = moment();
        let mut window = Window::default();
        window.sent(50 * MOST);
        assert!(window.must_ask());
        window.asked(now);
        now += Duration::from_secs(2);
        window.answered(50 * MOST as u64, now);
        assert_eq!(window.size(), LEAST_ASKED);
    }

    #[test]
    fn a_delay_that_swings_takes_nothing_from_the_rate() {
        for swing in [20, 50, 100, 150] {
            let mut path = Path { swing, ..Path::new(3e6, 20) };
            path.run(1);
            let rate = path.run(60);
            assert!(rate > 2.8e6, "{rate} bytes a second with up to {swing} ms more");
        }
    }

    #[test]
    fn a_line_that_becomes_slow_is_not_filled_for_long() {
        let mut path = Path::new(10e6, 5);
        path.run(3);
        path.rate = 1e6;
        path.run(6);
        path.queued = 0.0;
        let rate = path.run(5);
        assert!(rate > 0.97e6 && path.queued < 0.19e6, "{rate}, {} waited", path.queued);
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        let now = moment();
        let mut window = Window::default();
        window.sent(PAYLOAD);
        window.asked(now);
        window.answered(u64::MAX, now);
        assert_eq!(window.under_way(), PAYLOAD as u64);
        window.answered(PAYLOAD as u64, now);
        window.answered(5, now);
        assert_eq!(window.under_way(), 0);
    }

    proptest! {
        #[test]
        fn a_window_is_within_its_bounds_and_always_moves(
            steps in prop::collection::vec((0u64..2000, 0u64..3_000_000), 1..200),
        ) {
            let mut now = moment();
            let mut window = Window::default();
            for (millis, answer) in steps {
                while window.has_room() {
                    let asks = window.should_ask(PAYLOAD);
                    window.sent(PAYLOAD);
                    if asks {
                        window.asked(now);
                    }
                }
                if window.must_ask() {
                    window.asked(now);
                }
                prop_assert!(window.asked > window.received);
                prop_assert!(window.marks.len() <= MARKS && window.rates.len() <= RATES);
                prop_assert!((LEAST_ASKED..=MOST).contains(&window.size()));
                now += Duration::from_millis(millis);
                window.answered(window.received + answer.min(window.under_way()), now);
            }
        }
    }
}
