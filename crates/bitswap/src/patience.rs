//! How long a peer is waited for: all the timers of one peer, and what they decide.
//!
//! - A second without a byte of what was asked: others are asked too, and the peer is pinged.
//! - Three seconds without a sign of life and an unanswered ping: the peer is given up.
//! - A message that is under way but hardly moves: the peer is closed.
//!
//! Time that our own tab slept is taken out by [`Patience::shift`].

use std::time::Duration;

use avocet_dag::varint;
use web_time::Instant;

/// After this long without a byte a want is asked of others too.
pub const STALL: Duration = Duration::from_secs(1);
/// After this long without a sign of life, a ping unanswered, a peer is given up.
pub const GIVE_UP: Duration = Duration::from_secs(3);
/// How long a ping may take: sent at [`STALL`], it is due at [`GIVE_UP`].
const PING_WAIT: Duration = Duration::from_secs(2);
/// Over this long a message under way must have moved at [`MIN_RATE`]; Helia gives a message
/// ten seconds in all.
pub const TRICKLE: Duration = Duration::from_secs(10);
/// Bytes a second, below which a message is not worth its stream. The slowest uplink that one
/// still shares files over is thirty times as fast.
pub const MIN_RATE: usize = 1024;
/// For how long a peer that stalled, and then owes nothing, is left alone: this for the first
/// time, twice as long for each time more, up to [`AVOID_MOST`].
const AVOID: Duration = Duration::from_secs(1);
const AVOID_MOST: Duration = Duration::from_secs(32);

/// What is to be done about a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Ask others for what it owes.
    Stalled,
    /// See whether it lives.
    Ping,
    /// It is gone.
    GiveUp,
    /// It keeps a message open that does not move.
    Trickling,
}

/// One peer's timers.
#[derive(Debug)]
pub(crate) struct Patience {
    /// Whether it owes us a block.
    busy: bool,
    /// When it last sent a block that we had asked for, or since when it owes one.
    progress: Instant,
    /// The last byte of a message that is still under way. It counts as progress until the
    /// message turns out to bring nothing.
    byte: Instant,
    /// Bytes that came of messages not yet complete.
    under_way: usize,
    /// Since when the messages under way are watched, and what came since.
    watch: Option<(Instant, usize)>,
    /// The last sign of life of any kind.
    heard: Instant,
    stalled: bool,
    /// Stalls since it last delivered.
    stalls: u32,
    /// Until when nothing new is asked of it, once it owes nothing.
    avoid: Option<Instant>,
    ping: Option<Instant>,
    next_ping: Instant,
}

impl Patience {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            busy: false,
            progress: now,
            byte: now,
            under_way: 0,
            watch: None,
            heard: now,
            stalled: false,
            stalls: 0,
            avoid: None,
            ping: None,
            next_ping: now,
        }
    }

    /// A block is asked of it, and it owed none before.
    pub(crate) fn asking(&mut self, now: Instant) {
        self.busy = true;
        self.stalled = false;
        self.progress = now;
    }

    /// It owes nothing any more.
    pub(crate) const fn idle(&mut self) {
        self.busy = false;
    }

    /// Bytes of a message came.
    pub(crate) fn receiving(&mut self, bytes: usize, now: Instant) {
        self.alive(now);
        self.byte = now;
        self.under_way += bytes;
        self.watch.get_or_insert((now, 0)).1 += bytes;
    }

    /// A message of `size` bytes is complete. Gives how many of them had not been told before.
    pub(crate) fn received(&mut self, size: usize, now: Instant) -> usize {
        self.alive(now);
        let told = self.under_way.min(size);
        // the length before it may have been told too
        self.forget(size + varint::len(size as u64), now);
        size - told
    }

    /// A message broke off after `bytes`.
    pub(crate) fn forget(&mut self, bytes: usize, now: Instant) {
        self.under_way = self.under_way.saturating_sub(bytes);
        self.watch = if self.under_way == 0 { None } else { Some((now, 0)) };
    }

    /// It sent a block that we had asked for.
    pub(crate) fn delivered(&mut self, now: Instant) {
        self.alive(now);
        self.progress = now;
        self.stalled = false;
        self.stalls = 0;
        self.avoid = None;
    }

    /// A sign of life.
    pub(crate) const fn alive(&mut self, now: Instant) {
        self.heard = now;
        self.ping = None;
    }

    /// It takes blocks that we write: it lives, though a ping may be stuck behind them.
    pub(crate) const fn taking(&mut self, now: Instant) {
        self.heard = now;
    }

    /// As if it had stalled: what it owes is asked of others.
    pub(crate) fn distrust(&mut self, now: Instant) {
        if !self.stalled {
            self.stall(now);
        }
    }

    /// Time passed that does not count against it.
    pub(crate) fn shift(&mut self, gap: Duration) {
        self.progress += gap;
        self.byte += gap;
        self.heard += gap;
        self.next_ping += gap;
        let watch = self.watch.as_mut().map(|(since, _)| since);
        for time in [watch, self.ping.as_mut(), self.avoid.as_mut()].into_iter().flatten() {
            *time += gap;
        }
    }

    /// Whether something new may be asked of it. If not now, `Err` tells when, if ever.
    pub(crate) fn usable(&self, now: Instant) -> Result<(), Option<Instant>> {
        match self.avoid {
            _ if self.busy && self.stalled => Err(None),
            Some(until) if now < until => Err(Some(until)),
            _ => Ok(()),
        }
    }

    /// Whether it may be counted on: it can be asked, and what it was asked last came.
    pub(crate) fn is_reliable(&self, now: Instant) -> bool {
        self.usable(now).is_ok() && !self.on_probation()
    }

    /// Whether it stalled and has not delivered since.
    pub(crate) const fn on_probation(&self) -> bool {
        self.stalls > 0
    }

    /// Since when nothing came of what it owes.
    pub(crate) fn quiet_since(&self) -> Instant {
        if self.under_way > 0 { self.progress.max(self.byte) } else { self.progress }
    }

    /// Bytes that came of messages not yet complete.
    pub(crate) const fn under_way(&self) -> usize {
        self.under_way
    }

    /// When [`check`](Self::check) may have something to say.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let stall = (self.busy && !self.stalled).then(|| self.quiet_since() + STALL);
        let ping = self.wants_ping().then_some(self.next_ping);
        let trickle = self.watch.map(|(since, _)| since + TRICKLE);
        [stall, ping, self.give_up_at(), trickle].into_iter().flatten().min()
    }

    /// What is to be done now, one thing at a time.
    pub(crate) fn check(&mut self, now: Instant) -> Option<Verdict> {
        if self.give_up_at().is_some_and(|at| now >= at) {
            return Some(Verdict::GiveUp);
        }
        if let Some((since, bytes)) = self.watch.filter(|(since, _)| now >= *since + TRICKLE) {
            let seconds = now.saturating_duration_since(since).as_secs() as usize;
            if now >= self.byte + TRICKLE {
                self.forget(self.under_way, now); // whatever it was, it comes no more
            } else if bytes < MIN_RATE * seconds {
                return Some(Verdict::Trickling);
            } else {
                self.watch = Some((now, 0));
            }
        }
        if self.busy && !self.stalled && now >= self.quiet_since() + STALL {
            self.stall(now);
            return Some(Verdict::Stalled);
        }
        if self.wants_ping() && now >= self.next_ping {
            self.ping = Some(now);
            self.next_ping = now + PING_WAIT;
            return Some(Verdict::Ping);
        }
        None
    }

    const fn wants_ping(&self) -> bool {
        self.busy && self.stalled && self.ping.is_none()
    }

    fn give_up_at(&self) -> Option<Instant> {
        self.ping.map(|sent| (sent + PING_WAIT).max(self.heard + GIVE_UP))
    }

    fn stall(&mut self, now: Instant) {
        self.stalled = true;
        self.avoid = Some(now + (AVOID * (1 << self.stalls.min(5))).min(AVOID_MOST));
        self.stalls += 1;
        self.next_ping = self.next_ping.max(now);
    }
}

#[allow(clippy::disallowed_methods, reason = "a test needs some instant to begin at")]
#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Lets time pass until nothing is due; gives what was decided, with its time in ms.
    fn run(patience: &mut Patience, start: Instant, until: u64) -> Vec<(u64, Verdict)> {
        let mut all = Vec::new();
        while let Some(at) = patience.timeout().filter(|at| *at <= start + ms(until)) {
            while let Some(verdict) = patience.check(at) {
                all.push(((at - start).as_millis() as u64, verdict));
                if matches!(verdict, Verdict::GiveUp | Verdict::Trickling) {
                    return all;
                }
            }
        }
        all
    }

    #[test]
    fn silence_is_stall_and_ping_after_one_second_and_the_end_after_three() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        assert_eq!(patience.timeout(), None);
        patience.asking(start);
        let all = run(&mut patience, start, 60_000);
        let expected = [(1000, Verdict::Stalled), (1000, Verdict::Ping), (3000, Verdict::GiveUp)];
        assert_eq!(all, expected);
    }

    #[test]
    fn an_answered_ping_keeps_the_peer_and_another_follows() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.asking(start);
        assert_eq!(run(&mut patience, start, 1000).len(), 2);
        patience.alive(start + ms(1200));
        let all = run(&mut patience, start, 60_000);
        assert_eq!(all, [(3000, Verdict::Ping), (5000, Verdict::GiveUp)]);
    }

    #[test]
    fn bytes_of_a_large_block_are_progress_and_other_messages_are_not() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.asking(start);
        for step in 1..20 {
            patience.receiving(16 * 1024, start + ms(step * 900));
            assert!(run(&mut patience, start, step * 900 + 899).is_empty());
        }
        // the message was complete and brought nothing: the second had passed long ago
        patience.received(19 * 16 * 1024, start + ms(17_200));
        assert_eq!(patience.check(start + ms(17_200)), Some(Verdict::Stalled));
    }

    #[test]
    fn time_that_we_slept_does_not_count() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.asking(start);
        patience.shift(ms(60_000));
        assert_eq!(patience.check(start + ms(60_500)), None);
        assert_eq!(patience.check(start + ms(61_000)), Some(Verdict::Stalled));
    }

    #[test]
    fn a_message_that_hardly_moves_is_the_end() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        let mut all = Vec::new();
        for step in 0..12 {
            patience.receiving(1, start + ms(step * 900));
            all.extend(run(&mut patience, start, step * 900 + 899));
        }
        assert_eq!(all, [(10_000, Verdict::Trickling)]);
        // one that does not move at all is forgotten
        let mut patience = Patience::new(start);
        patience.receiving(5000, start);
        assert_eq!(run(&mut patience, start, 60_000), []);
        assert_eq!(patience.under_way(), 0);
        // a kilobyte a second is enough
        let mut patience = Patience::new(start);
        for step in 0..60 {
            patience.receiving(1024, start + ms(step * 900));
            assert!(run(&mut patience, start, step * 900 + 899).is_empty());
        }
    }

    #[test]
    fn who_stalled_is_left_alone_longer_each_time() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        let mut now = start;
        for wait in [1, 2, 4, 8, 16, 32, 32] {
            patience.asking(now);
            now += STALL;
            assert_eq!(patience.check(now), Some(Verdict::Stalled));
            assert_eq!(patience.usable(now), Err(None));
            patience.idle();
            assert_eq!(patience.usable(now), Err(Some(now + Duration::from_secs(wait))));
            now += Duration::from_secs(wait);
            assert_eq!(patience.usable(now), Ok(()));
            assert!(patience.on_probation());
        }
        patience.delivered(now);
        assert!(!patience.on_probation());
    }
}
