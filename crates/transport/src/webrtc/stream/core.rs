//! What a stream and its channel's handlers share: the bytes and flags under way.

use std::{
    cell::RefCell,
    io,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::{
    HIGH_WATER, MAX_UNREAD,
    state::{Fault, State},
};
use crate::{
    js::{BrowserError, DataChannel, MessageEvent, NotTaken},
    webrtc::{
        closing::{Read, Write},
        connection::Slot,
        framing::{Flag, Frame, FrameError, MAX_FRAME, encode_flag},
    },
};

/// What the stream and its channel's handlers share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) channel: DataChannel,
    state: RefCell<State>,
    slot: Slot,
}

impl Core {
    pub(super) fn new(channel: DataChannel, slot: Slot) -> Self {
        Self { channel, state: RefCell::default(), slot }
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
        let mut taken = 0;
        while taken < buf.len() {
            state.writable()?;
            if !self.has_room(&mut state, cx) {
                break;
            }
            taken += state.filling.fill(&buf[taken..]);
            if state.filling.is_full() {
                self.send_filling(&mut state)?;
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
        state.closing.lose();
        let wakers = state.wakers();
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
        self.slot.changed();
    }

    pub(super) fn wake_writer(&self) {
        let waker = self.state.borrow_mut().writer.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn on_message(&self, event: &MessageEvent) {
        let taken = match event.bytes(MAX_FRAME) {
            Ok(bytes) => self.take_in(bytes.into()),
            Err(NotTaken::TooLong(length)) => {
                let error = FrameError::MessageTooLong(length);
                Err(Fault::Frame(error.to_string()))
            }
            Err(NotTaken::Text) => Err(Fault::Text),
        };
        let mut state = self.state.borrow_mut();
        if let Err(fault) = taken {
            self.fail(&mut state, fault);
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
    }

    fn take_in(&self, message: Bytes) -> Result<(), Fault> {
        let mut state = self.state.borrow_mut();
        let mut decoder = std::mem::take(&mut state.decoder);
        let mut fault = None;
        let fed = decoder.feed(message, |frame| {
            if fault.is_none() {
                fault = self.take_frame(&mut state, frame).err();
            }
        });
        state.decoder = decoder;
        match (fault, fed) {
            (Some(fault), _) => Err(fault),
            (None, fed) => fed.map_err(|error| Fault::Frame(error.to_string())),
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

    fn has_room(&self, state: &mut State, cx: &Context<'_>) -> bool {
        self.is_open(state, cx) && {
            let room = self.channel.buffered_amount() < HIGH_WATER;
            if !room {
                state.writer = Some(cx.waker().clone());
            }
            room
        }
    }

    /// Whether the channel takes bytes; the writer is woken when it does, or never will.
    fn is_open(&self, state: &mut State, cx: &Context<'_>) -> bool {
        let open = self.channel.ready_state() == "open";
        if !open {
            state.writer = Some(cx.waker().clone());
        }
        open
    }

    fn send_filling(&self, state: &mut State) -> io::Result<()> {
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
    fn send_flag(&self, flag: Option<Flag>) {
        if let Some(flag) = flag {
            let _ = self.channel.send(&encode_flag(flag));
        }
    }
}
