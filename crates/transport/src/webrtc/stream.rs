//! A data channel as a byte stream.
//!
//! Writing waits while the browser holds [`HIGH_WATER`] of unsent bytes, and goes on at the
//! channel's own `bufferedamountlow`. Reading takes from a queue that the channel fills by itself:
//! a data channel has no way to tell the sender to wait, so a queue that passes its bound resets
//! the stream.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures::{
    AsyncRead, AsyncWrite, FutureExt,
    future::{Either, select},
};
use futures_timer::Delay;
use send_wrapper::SendWrapper;

use super::{
    closing::{Closing, Read, Write},
    connection::Slot,
    framing::{Decoder, Filling, Flag, Frame, MAX_FRAME, encode_flag},
};
use crate::{
    js::{DataChannel, Event, Listener, MessageEvent, NotTaken},
    queue::ByteQueue,
};

/// Writing waits above this many unsent bytes. js-libp2p's figure; below 16 MiB, where Chromium's
/// `send` throws, and enough for a path of 16 MB/s with 125 ms there and back.
pub const HIGH_WATER: usize = 2 * 1024 * 1024;

/// Writing goes on when the unsent bytes fall to this.
const LOW_WATER: u32 = 1024 * 1024;

/// Unread bytes that a stream holds; one more frame resets it. A Bitswap message of 4 MiB, the
/// 2 MiB that its sender's browser holds by then, and as much again for a reader that is busy.
pub const MAX_UNREAD: usize = 8 * 1024 * 1024;

/// How long a stream that is left may go without any progress before its channel is closed: what
/// js-libp2p waits for its acknowledgement.
const LINGER: Duration = Duration::from_secs(10);

/// A stream of a [`super::Connection`].
///
/// Closing sends what was written and then an end mark, and returns; dropping a stream that was
/// closed, or whose other side had ended, loses nothing. Dropping it earlier resets it.
#[derive(Debug)]
pub struct Stream {
    inner: SendWrapper<Option<Held>>,
}

/// The channel with the handlers on it. The handlers know the channel, never this: dropping it
/// frees all.
#[derive(Debug)]
struct Held {
    core: Rc<Core>,
    _listeners: [Listener; 4],
}

/// What the stream and its channel's handlers share.
#[derive(Debug)]
pub(super) struct Core {
    channel: DataChannel,
    state: RefCell<State>,
    slot: Slot,
}

#[derive(Debug, Default)]
struct State {
    closing: Closing,
    decoder: Decoder,
    unread: ByteQueue,
    filling: Filling,
    /// Why the stream broke, when we know better than "reset".
    fault: Option<Fault>,
    /// The owner is gone: what comes is thrown away.
    left: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    lingerer: Option<Waker>,
}

/// What we found wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Frame(String),
    #[error("a text message on a channel for bytes")]
    Text,
    #[error("more than {MAX_UNREAD} bytes unread on the stream, or its connection's bound reached")]
    Unread,
}

impl Stream {
    /// Takes a channel over. For one that the other side opened this must happen within its
    /// `datachannel` event: what comes before is lost.
    pub(super) fn new(channel: DataChannel, slot: Slot) -> Self {
        channel.take_buffers();
        channel.set_low_threshold(LOW_WATER);
        let core = Rc::new(Core { channel, state: RefCell::default(), slot });
        let on = |kind, handler: fn(&Core)| {
            let core = core.clone();
            Listener::new(&core.channel.clone(), kind, move |_: Event| handler(&core))
        };
        let message = {
            let core = core.clone();
            Listener::new(&core.channel.clone(), "message", move |event| core.on_message(&event))
        };
        let listeners = [
            message,
            on("open", Core::wake_writer),
            on("bufferedamountlow", Core::wake_writer),
            on("close", Core::lose),
        ];
        Self { inner: SendWrapper::new(Some(Held { core, _listeners: listeners })) }
    }

    /// What the connection needs to end the stream with itself.
    pub(super) fn core(&self) -> Option<&Rc<Core>> {
        self.inner.as_ref().map(|held| &held.core)
    }

    fn open_core(&self) -> io::Result<&Rc<Core>> {
        self.core().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.open_core()?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.open_core()?.poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open_core()?.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open_core()?.poll_close(cx)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let Some(held) = Option::take(&mut *self.inner) else { return };
        if held.core.leave() {
            wasm_bindgen_futures::spawn_local(linger(held));
        }
    }
}

/// Keeps a stream that was left until nothing is owed, or nothing moves any more.
async fn linger(held: Held) {
    let core = &held.core;
    let mut unsent = core.channel.buffered_amount();
    loop {
        let over = futures::future::poll_fn(|cx| core.poll_over(cx)).boxed_local();
        match select(over, Delay::new(LINGER)).await {
            Either::Left(_) => break,
            Either::Right(_) => {
                // the time counts from the last progress, so a slow line is not cut off
                let now = core.channel.buffered_amount();
                if (now == 0 && unsent == 0) || (unsent > 0 && now >= unsent) {
                    break;
                }
                unsent = now;
            }
        }
    }
    core.channel.close();
}

impl Core {
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
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

    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
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

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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

    fn poll_close(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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
    fn leave(&self) -> bool {
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

    fn poll_over(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.borrow_mut();
        if state.closing.is_over() {
            return Poll::Ready(());
        }
        state.lingerer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Bytes that the browser has not sent yet.
    #[cfg(test)]
    pub(super) fn unsent(&self) -> usize {
        self.channel.buffered_amount()
    }

    /// Unsent bytes that a lingering stream still answers for.
    pub(super) fn is_lingering(&self) -> bool {
        let state = self.state.borrow();
        state.left && !state.closing.is_over()
    }

    /// The channel's end, or the connection's.
    pub(super) fn lose(&self) {
        let mut state = self.state.borrow_mut();
        state.closing.lose();
        let wakers = state.wakers();
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
        self.slot.changed();
    }

    fn wake_writer(&self) {
        let waker = self.state.borrow_mut().writer.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn on_message(&self, event: &MessageEvent) {
        let taken = match event.bytes(MAX_FRAME) {
            Ok(bytes) => self.take_in(bytes.into()),
            Err(NotTaken::TooLong(length)) => {
                let error = super::framing::FrameError::MessageTooLong(length);
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
        let sent = self.channel.send(state.filling.frame());
        state.filling.clear();
        sent.map_err(|thrown| {
            state.closing.lose();
            io::Error::new(io::ErrorKind::BrokenPipe, crate::js::BrowserError::from(thrown))
        })
    }

    /// Sends a flag. A channel that takes none is at its end, and its `close` event says so.
    fn send_flag(&self, flag: Option<Flag>) {
        if let Some(flag) = flag {
            let _ = self.channel.send(&encode_flag(flag));
        }
    }
}

impl State {
    fn writable(&self) -> io::Result<()> {
        match self.closing.write() {
            Write::Open => Ok(()),
            Write::Finishing | Write::Finished => Err(io::ErrorKind::WriteZero.into()),
            Write::Refused => Err(io::ErrorKind::BrokenPipe.into()),
            Write::Broken => Err(self.broken()),
        }
    }

    fn broken(&self) -> io::Error {
        match &self.fault {
            Some(fault) => io::Error::new(io::ErrorKind::InvalidData, fault.clone()),
            None => io::ErrorKind::ConnectionReset.into(),
        }
    }

    fn wakers(&mut self) -> [Option<Waker>; 3] {
        [self.reader.take(), self.writer.take(), self.lingerer.take()]
    }
}
