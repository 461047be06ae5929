//! Towards the channel: what it has room for, frames and flags.

use std::{io, task::Context};

use web_time::Instant;

use super::{AHEAD, Core, HIGH_WATER, state::State};
use crate::{
    js::BrowserError,
    webrtc::{
        flow::{LEAST, MOST},
        framing::{Filling, Flag, MAX_FRAME, encode_flag, encode_question, encode_received},
    },
};

impl Core {
    /// Bytes that may be written now; at 0 the writer is woken when there is room.
    pub(super) fn room(&self, state: &mut State, cx: &Context<'_>) -> usize {
        if !self.is_open(state, cx) {
            return 0;
        }
        let room = match self.slot.is_told() {
            true => ahead(state).saturating_sub(state.waiting.cost()),
            false => HIGH_WATER.saturating_sub(self.channel.buffered_amount()),
        };
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

    /// Sends the frame that was filled: behind those that wait, where the other side tells what
    /// has come.
    pub(super) fn send_filling(&self, state: &mut State) -> io::Result<()> {
        let mut filled = std::mem::take(&mut state.filling);
        if self.slot.is_told() {
            state.waiting.push(filled);
            return self.send_waiting(state);
        }
        self.send(state, &mut filled)?;
        filled.clear();
        state.filling = filled;
        Ok(())
    }

    /// Sends of what waits as much as the window lets through.
    fn send_waiting(&self, state: &mut State) -> io::Result<()> {
        if state.waiting.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        while state.window.has_room() {
            let Some(mut frame) = state.waiting.pop() else { return Ok(()) };
            let asks = state.window.should_ask(frame.payload_len());
            if asks {
                frame.ask();
            }
            self.send(state, &mut frame)?;
            if asks {
                state.window.asked(now);
            }
        }
        if state.window.must_ask() {
            // as with a flag: a channel that does not take it is at its end
            let _ = self.channel.send(&encode_question());
            state.window.asked(now);
        }
        Ok(())
    }

    /// Sends all that was written, whatever the window says: nobody is there any more to wait.
    pub(super) fn send_rest(&self, state: &mut State) -> io::Result<()> {
        while let Some(mut frame) = state.waiting.pop() {
            self.send(state, &mut frame)?;
        }
        let mut filled = std::mem::take(&mut state.filling);
        if filled.is_empty() { Ok(()) } else { self.send(state, &mut filled) }
    }

    fn send(&self, state: &mut State, frame: &mut Filling) -> io::Result<()> {
        let bytes = frame.payload_len();
        let (first, second) = frame.messages(self.slot.reader());
        let mut sent = self.channel.send(first);
        if sent.is_ok() && !second.is_empty() {
            sent = self.channel.send(second);
        }
        state.window.sent(bytes);
        sent.map_err(|thrown| {
            state.cut = true;
            state.end_writing();
            state.closing.lose();
            io::Error::new(io::ErrorKind::BrokenPipe, BrowserError::from(thrown))
        })
    }

    /// The other side told what has come: more may go. Wakes the writer before nothing waits.
    pub(super) fn go_on(&self, state: &mut State) {
        let failed = self.send_waiting(state).is_err();
        if (failed || state.waiting.cost() <= ahead(state) / 2)
            && let Some(writer) = state.writer.take()
        {
            // wakers of wasm only queue a task: nothing of ours runs before this returns
            writer.wake();
        }
    }

    /// Sends a flag. A channel that takes none is at its end, and its `close` event says so.
    pub(super) fn send_flag(&self, flag: Option<Flag>) {
        if let Some(flag) = flag {
            let _ = self.channel.send(&encode_flag(flag));
        }
    }

    /// Answers what has come. Who asks and asks, and takes no answer, gets none after a while; one of
    /// ours never has so much unsent.
    pub(super) fn send_count(&self, state: &State) {
        if self.channel.buffered_amount() <= 2 * HIGH_WATER {
            // as with a flag
            let _ = self.channel.send(&encode_received(state.received));
        }
    }
}

/// How far a writer may be ahead of the window: as far again, so that a slow line has no more to
/// send first than it must.
fn ahead(state: &State) -> usize {
    state.window.size().clamp(LEAST, AHEAD)
}

const _: () = assert!(MOST + AHEAD + MAX_FRAME <= 2 * HIGH_WATER, "every answer is sent");
