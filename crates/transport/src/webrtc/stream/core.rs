//! What a stream and its channel's handlers share: the bytes and flags under way.

use std::{
    cell::RefCell,
    io,
    task::{Context, Poll, Waker},
};

use super::state::State;
use crate::{
    js::DataChannel,
    webrtc::{
        closing::{Read, Write},
        connection::Slot,
        framing::{FRAME, Filling, Reader},
    },
};

/// What the stream and its channel's handlers share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) channel: DataChannel,
    pub(super) state: RefCell<State>,
    pub(super) slot: Slot,
}

impl Core {
    pub(super) fn new(channel: DataChannel, slot: Slot) -> Self {
        let filling = match slot.reader() {
            Reader::Bytes => Filling::counting(),
            // what is no browser does not count, and need not hear of it
            Reader::Messages => Filling::default(),
        };
        let open = channel.ready_state() == "open";
        let state = State { open, filling, ..State::default() };
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
                room = room.saturating_sub(FRAME);
            }
        }
        if taken == 0 && !buf.is_empty() { Poll::Pending } else { Poll::Ready(Ok(taken)) }
    }

    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state.borrow_mut();
        if state.filling.is_empty() && !state.cut {
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
            if !state.waiting.is_empty() {
                state.writer = Some(cx.waker().clone());
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
        if state.closing.read() == Read::Finished && is_open {
            let _ = self.send_rest(&mut state);
        }
        state.end_writing();
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

    /// Whether frames wait for the other side's word, and how many bytes went without one.
    #[cfg(test)]
    pub(in crate::webrtc) fn held(&self) -> (bool, u64) {
        let state = self.state.borrow();
        (!state.waiting.is_empty(), state.window.under_way())
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
        state.end_writing();
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
}
