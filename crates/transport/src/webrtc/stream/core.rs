//! What a stream and its channel's handlers share: the bytes and flags under way.

use std::{
    cell::RefCell,
    io,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use web_time::Instant;

use super::{
    MAX_UNREAD,
    state::{Fault, State, Waking},
};
use crate::{
    js::{DataChannel, MessageEvent, NotTaken},
    webrtc::{
        closing::{Read, Write},
        connection::Slot,
        framing::{Flag, Frame, FrameError, MAX_FRAME, MAX_PAYLOAD},
    },
};

/// A frame with this much payload is one of many: implementations fill frames to [`MAX_PAYLOAD`]
/// or a few bytes less.
const FULL: usize = MAX_PAYLOAD - 16;

/// What a message of the channel brought.
enum Frames {
    /// Only a part of a frame.
    None,
    /// A frame that ends something, for all that can be told.
    Last,
    /// A full frame: more are on their way.
    More,
}

/// What the stream and its channel's handlers share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) channel: DataChannel,
    pub(super) state: RefCell<State>,
    pub(super) slot: Slot,
}

impl Core {
    pub(super) fn new(channel: DataChannel, slot: Slot) -> Self {
        let state = State { open: channel.ready_state() == "open", ..State::default() };
        Self { channel, state: RefCell::new(state), slot }
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state.borrow_mut();
        let before = state.unread.cost();
        let read = state.unread.read(buf);
        self.slot.uncharge(before - state.unread.cost());
        if read > 0 || buf.is_empty() {
            return Poll::Ready(Ok(read));
        }
        match state.closing.read() {
            Read::Finished => Poll::Ready(Ok(0)),
            Read::Broken => Poll::Ready(Err(state.broken())),
            Read::Open | Read::Stopped => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.state.borrow_mut();
        state.writable()?;
        let mut room = self.room(&mut state, cx);
        let mut taken = 0;
        while taken < buf.len() && room > 0 {
            taken += state.filling.fill(&buf[taken..]);
            if state.filling.is_full() {
                self.send_filling(&mut state)?;
                room = room.saturating_sub(MAX_FRAME);
            }
        }
        if taken == 0 && !buf.is_empty() { Poll::Pending } else { Poll::Ready(Ok(taken)) }
    }

    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state.borrow_mut();
        if state.filling.is_empty() {
            return Poll::Ready(Ok(()));
        }
        state.writable()?;
        if !self.is_open(&mut state, cx) {
            return Poll::Pending;
        }
        Poll::Ready(self.send_filling(&mut state))
    }

    pub(super) fn poll_close(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        futures::ready!(self.poll_flush(cx))?;
        let mut state = self.state.borrow_mut();
        if state.closing.write() == Write::Open {
            if !self.is_open(&mut state, cx) {
                return Poll::Pending;
            }
            let fin = state.closing.finish_writing();
            self.send_flag(fin);
        }
        Poll::Ready(Ok(()))
    }

    /// The owner lets go. Whether something is still owed.
    pub(super) fn leave(&self) -> bool {
        let mut state = self.state.borrow_mut();
        state.left = true;
        let is_open = self.channel.ready_state() == "open";
        if state.closing.read() == Read::Finished && is_open && !state.filling.is_empty() {
            let _ = self.send_filling(&mut state);
        }
        self.drop_unread(&mut state);
        let flag = state.closing.leave();
        self.send_flag(flag);
        let owed = is_open && !state.closing.is_over();
        if !owed {
            self.channel.close();
        }
        owed
    }

    pub(super) fn poll_over(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.borrow_mut();
        if state.closing.is_over() {
            return Poll::Ready(());
        }
        state.lingerer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Bytes that the browser has not sent yet.
    #[cfg(test)]
    pub(in crate::webrtc) fn unsent(&self) -> usize {
        self.channel.buffered_amount()
    }

    /// Unsent bytes that a lingering stream still answers for.
    pub(in crate::webrtc) fn is_lingering(&self) -> bool {
        let state = self.state.borrow();
        state.left && !state.closing.is_over()
    }

    /// The channel's end, or the connection's.
    pub(in crate::webrtc) fn lose(&self) {
        let mut state = self.state.borrow_mut();
        state.open = false;
        state.closing.lose();
        let wakers = state.wakers();
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
        self.slot.changed();
    }

    /// The channel's `open`.
    pub(super) fn opened(&self) {
        self.state.borrow_mut().open = true;
        self.wake_writer();
    }

    pub(super) fn wake_writer(&self) {
        let waker = self.state.borrow_mut().writer.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

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
        match (fault, fed) {
            (Some(fault), _) => Err(fault),
            (None, Ok(())) => Ok(frames),
            (None, Err(error)) => Err(Fault::Frame(error.to_string())),
        }
    }

    fn take_frame(&self, state: &mut State, frame: Frame) -> Result<(), Fault> {
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
        self.send_flag(reset);
        self.drop_unread(state);
        state.fault = Some(fault);
    }

    fn drop_unread(&self, state: &mut State) {
        self.slot.uncharge(state.unread.cost());
        state.unread.clear();
    }
}
