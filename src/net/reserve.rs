//! When to ask a relay for a reservation again: pure, the time is an argument.

use crate::platform::Instant;
use std::time::Duration;

/// The first wait after a relay was lost. Short, because a relay that restarts is back within a second.
pub const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait between two tries: whoever opens a laptop finds the peer back within this time.
pub const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// A try that neither stands nor fails within this time counts as failed. A TCP dial and three round trips
/// need far less, even over a satellite.
pub const TRY_LIMIT: Duration = Duration::from_secs(20);

/// Where the reservation on one relay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing is under way; the next try is due then.
    Waiting(Instant),
    /// Asked since then.
    Trying(Instant),
    /// The relay holds a place for us.
    Reserved,
}

/// The reservation on one relay, tried again with a growing wait.
#[derive(Debug)]
pub struct Reservation {
    state: State,
    wait: Duration,
}

impl Reservation {
    /// A reservation whose first try is due at once.
    pub fn new(now: Instant) -> Self {
        Self { state: State::Waiting(now), wait: FIRST_WAIT }
    }

    /// Whether a try is under way.
    pub fn is_trying(&self) -> bool {
        matches!(self.state, State::Trying(_))
    }

    /// Whether a try is due; then it counts as begun.
    pub fn begin_if_due(&mut self, now: Instant) -> bool {
        match self.state {
            State::Waiting(at) if at <= now => {
                self.state = State::Trying(now);
                true
            }
            _ => false,
        }
    }

    /// Whether the try under way has taken too long and must be ended.
    pub fn is_overdue(&self, now: Instant) -> bool {
        matches!(self.state, State::Trying(since) if now >= since + TRY_LIMIT)
    }

    /// The relay took us: the next loss begins with the first wait again.
    pub fn accepted(&mut self) {
        if matches!(self.state, State::Waiting(_)) {
            return;
        }
        self.state = State::Reserved;
        self.wait = FIRST_WAIT;
    }

    /// The try failed or the reservation was lost. `jitter` in 0.0..1.0 spreads the tabs of a relay that restarts.
    pub fn lost(&mut self, now: Instant, jitter: f64) {
        if matches!(self.state, State::Waiting(_)) {
            return;
        }
        let spread = self.wait.mul_f64(0.75 + 0.25 * jitter.clamp(0.0, 1.0));
        self.state = State::Waiting(now + spread);
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }

    /// The browser says that it is online again: whatever waits is due now.
    pub fn hurry(&mut self, now: Instant) {
        self.wait = FIRST_WAIT;
        if let State::Waiting(at) = &mut self.state {
            *at = now.min(*at);
        }
    }

    /// When this wants to be looked at next.
    pub fn due(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(at) => Some(at),
            State::Trying(since) => Some(since + TRY_LIMIT),
            State::Reserved => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_half_a_second_to_fifteen() {
        let mut now = crate::platform::now();
        let mut reservation = Reservation::new(now);
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(reservation.begin_if_due(now));
            reservation.lost(now, 1.0);
            let due = reservation.due().unwrap();
            waits.push(due - now);
            assert!(!reservation.begin_if_due(due - Duration::from_millis(1)));
            now = due;
        }
        assert_eq!(waits[0], FIRST_WAIT);
        assert_eq!(waits[1], FIRST_WAIT * 2);
        assert_eq!(*waits.last().unwrap(), LONGEST_WAIT);
        assert!(waits.is_sorted());
    }

    #[test]
    fn a_success_begins_again_with_the_first_wait() {
        let now = crate::platform::now();
        let mut reservation = Reservation::new(now);
        for _ in 0..5 {
            let due = reservation.due().unwrap();
            assert!(reservation.begin_if_due(due));
            reservation.lost(due, 1.0);
        }
        let due = reservation.due().unwrap();
        assert!(reservation.begin_if_due(due));
        reservation.accepted();
        assert_eq!(reservation.due(), None);
        reservation.lost(due, 1.0);
        assert_eq!(reservation.due(), Some(due + FIRST_WAIT));
    }

    #[test]
    fn two_losses_of_one_try_count_once() {
        let now = crate::platform::now();
        let mut reservation = Reservation::new(now);
        assert!(reservation.begin_if_due(now));
        reservation.lost(now, 1.0);
        let due = reservation.due();
        reservation.lost(now, 1.0);
        assert_eq!(reservation.due(), due);
    }

    #[test]
    fn a_try_that_never_answers_is_overdue() {
        let now = crate::platform::now();
        let mut reservation = Reservation::new(now);
        assert!(reservation.begin_if_due(now));
        assert!(!reservation.is_overdue(now));
        assert_eq!(reservation.due(), Some(now + TRY_LIMIT));
        assert!(reservation.is_overdue(now + TRY_LIMIT));
    }

    #[test]
    fn an_answer_to_a_try_that_was_given_up_does_not_count() {
        let now = crate::platform::now();
        let mut reservation = Reservation::new(now);
        assert!(reservation.begin_if_due(now));
        reservation.lost(now + TRY_LIMIT, 1.0);
        reservation.accepted();
        assert!(reservation.due().is_some());
    }

    #[test]
    fn online_again_makes_it_due_at_once() {
        let now = crate::platform::now();
        let mut reservation = Reservation::new(now);
        assert!(reservation.begin_if_due(now));
        reservation.lost(now, 1.0);
        reservation.hurry(now);
        assert!(reservation.begin_if_due(now));
    }
}
