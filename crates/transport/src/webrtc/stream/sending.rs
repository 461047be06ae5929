//! Towards the channel: what it has room for, frames and flags.

use std::{io, task::Context};

use super::{Core, HIGH_WATER, state::State};
use crate::{
    js::BrowserError,
    webrtc::framing::{Flag, encode_flag},
};

impl Core {
    /// Bytes that may be handed to the channel now; at 0 the writer is woken when there is room.
    pub(super) fn room(&self, state: &mut State, cx: &Context<'_>) -> usize {
        if !self.is_open(state, cx) {
            return 0;
        }
        let room = HIGH_WATER.saturating_sub(self.channel.buffered_amount());
        if room == 0 {
            state.writer = Some(cx.waker().clone());
        }
        room
    }

    /// Whether the channel takes bytes; the writer is woken when it does, or never will.
    pub(super) fn is_open(&self, state: &mut State, cx: &Context<'_>) -> bool {
        if !state.open {
            state.writer = Some(cx.waker().clone());
        }
        state.open
    }

    pub(super) fn send_filling(&self, state: &mut State) -> io::Result<()> {
        let (first, second) = state.filling.messages(self.slot.reader());
        let mut sent = self.channel.send(first);
        if sent.is_ok() && !second.is_empty() {
            sent = self.channel.send(second);
        }
        state.filling.clear();
        sent.map_err(|thrown| {
            state.closing.lose();
            io::Error::new(io::ErrorKind::BrokenPipe, BrowserError::from(thrown))
        })
    }

    /// Sends a flag. A channel that takes none is at its end, and its `close` event says so.
    pub(super) fn send_flag(&self, flag: Option<Flag>) {
        if let Some(flag) = flag {
            let _ = self.channel.send(&encode_flag(flag));
        }
    }
}
