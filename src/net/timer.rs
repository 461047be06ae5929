//! Timers that handlers and behaviours poll.

use crate::platform::Instant;
use futures::FutureExt;
use futures_timer::Delay;
use std::{
    task::{Context, Poll},
    time::Duration,
};

/// Fires once; a poll after that stays ready, where `Delay` itself panics in a browser.
pub struct Timer {
    delay: Option<Delay>,
}

impl Timer {
    /// Fires `after` this long from now.
    pub fn after(after: Duration) -> Self {
        Self { delay: Some(Delay::new(after)) }
    }

    /// Ready from when the time has passed.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(delay) = &mut self.delay {
            std::task::ready!(delay.poll_unpin(cx));
            self.delay = None;
        }
        Poll::Ready(())
    }
}

/// A timer for something that is put off again and again, as what is due moves on with every frame: it stays set where
/// it fires early, and is set again then. A browser's timer costs more than a frame.
#[derive(Default)]
pub struct Alarm(Option<(Instant, Timer)>);

impl Alarm {
    /// Ready with the time it was set for, which may lie before `due`; asked again it is set for what is due then.
    pub fn poll(
        &mut self,
        due: Option<Instant>,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Instant> {
        let Some(due) = due else {
            self.0 = None;
            return Poll::Pending;
        };
        if self.0.as_ref().is_none_or(|(at, _)| *at > due) {
            self.0 = Some((due, Timer::after(due.saturating_duration_since(now))));
        }
        let Some((at, timer)) = &mut self.0 else { return Poll::Pending };
        let at = *at;
        std::task::ready!(timer.poll(cx));
        self.0 = None;
        Poll::Ready(at)
    }
}
