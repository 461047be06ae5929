//! From the channel: frames, flags and counts, and when the reader hears of them.

use std::task::Waker;

use bytes::Bytes;
use web_time::Instant;

use super::{
    Core, MAX_UNREAD,
    state::{Fault, State, Waking},
};
use crate::{
    js::{MessageEvent, NotTaken},
    webrtc::{
        closing::{Read, Write},
        framing::{Flag, Frame, FrameError, MAX_FRAME, PAYLOAD},
    },
};

/// A frame with this much payload is one of many: other implementations fill frames to
/// [`MAX_FRAME`] or a few bytes less.
const FULL: usize = PAYLOAD;

/// What a message of the channel brought.
enum Frames {
    /// Only a part of a frame.
    None,
    /// A frame that ends something, for all that can be told.
    Last,
    /// A full frame: more are on their way.
    More,
}

impl Core {
    /// Takes a message in. Whether the reader should be woken [`GATHERING`](super::state::GATHERING) from now.
    pub(super) fn on_message(&self, event: &MessageEvent) -> bool {
        let taken = match event.bytes(MAX_FRAME) {
            Ok(bytes) => self.take_in(bytes.into()),
            Err(NotTaken::TooLong(length)) => {
                let error = FrameError::MessageTooLong(length);
                Err(Fault::Frame(error.to_string()))
            }
            Err(NotTaken::Text) => Err(Fault::Text),
        };
        let mut state = self.state.borrow_mut();
        match taken {
            Ok(Frames::None) => return false,
            Ok(Frames::More) => match state.gather(Instant::now()) {
                Waking::Now => {}
                Waking::Later => return true,
                Waking::Awaited => return false,
            },
            Ok(Frames::Last) => {}
            Err(fault) => self.fail(&mut state, fault),
        }
        let over = state.closing.is_over();
        if over {
            // both sides have all; closing still delivers the acknowledgement that is queued
            self.channel.close();
        }
        let wakers = state.wakers();
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
        if over {
            self.slot.changed();
        }
        false
    }

    /// Wakes the reader for what has gathered.
    pub(super) fn gathered(&self) {
        let mut state = self.state.borrow_mut();
        state.gathering = None;
        let reader = if state.unread.is_empty() { None } else { state.reader.take() };
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn take_in(&self, message: Bytes) -> Result<Frames, Fault> {
        let mut state = self.state.borrow_mut();
        let mut decoder = std::mem::take(&mut state.decoder);
        let mut fault = None;
        let mut frames = Frames::None;
        let fed = decoder.feed(message, |frame| {
            if frame.flag.is_none() && frame.payload.is_empty() {
                // a question, an answer, or what we do not know: nothing to read
                self.take_count(&mut state, &frame);
                return;
            }
            let more = frame.flag.is_none() && frame.payload.len() >= FULL;
            // What must be told at once stays so, whatever stands behind it in the message.
            frames = match frames {
                Frames::None | Frames::More if more => Frames::More,
                _ => Frames::Last,
            };
            if fault.is_none() {
                fault = self.take_frame(&mut state, frame).err();
            }
        });
        state.decoder = decoder;
        // once, however many questions a message holds
        if std::mem::take(&mut state.asked) {
            self.send_count(&state);
        }
        match (fault, fed) {
            (Some(fault), _) => Err(fault),
            (None, Ok(())) => Ok(frames),
            (None, Err(error)) => Err(Fault::Frame(error.to_string())),
        }
    }

    /// What a frame says beside the specification.
    fn take_count(&self, state: &mut State, frame: &Frame) {
        state.received = state.received.saturating_add(frame.payload.len() as u64);
        if let Some(total) = frame.received {
            self.slot.tell();
            state.window.answered(total, Instant::now());
            self.go_on(state);
        }
        state.asked |= frame.asks;
    }

    fn take_frame(&self, state: &mut State, frame: Frame) -> Result<(), Fault> {
        self.take_count(state, &frame);
        if state.closing.read() == Read::Open && !state.left {
            let before = state.unread.cost();
            let limit = MAX_UNREAD.min(before + self.slot.room());
            let taken = state.unread.push(frame.payload, limit);
            self.slot.charge(state.unread.cost() - before);
            if !taken {
                return Err(Fault::Unread);
            }
        }
        if let Some(flag) = frame.flag {
            let answer = state.closing.handle(flag);
            if matches!(state.closing.write(), Write::Refused | Write::Broken) {
                state.end_writing();
            }
            self.send_flag(answer);
            if flag == Flag::Reset {
                self.drop_unread(state);
            }
        }
        Ok(())
    }

    /// Resets the stream for something that the other side did.
    fn fail(&self, state: &mut State, fault: Fault) {
        tracing::debug!(%fault, "stream reset");
        let reset = state.closing.reset();
        state.end_writing();
        self.send_flag(reset);
        self.drop_unread(state);
        state.fault = Some(fault);
    }

    /// Lets go of what nobody will read.
    pub(super) fn drop_unread(&self, state: &mut State) {
        self.slot.uncharge(state.unread.cost());
        state.unread.clear();
    }
}
