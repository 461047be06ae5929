//! A one-shot timer that handlers and behaviours poll.

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
