//! A data channel as a byte stream.
//!
//! Writing waits for the other side's word of what has come, where it gives one ([`super::flow`]);
//! else while the browser holds [`HIGH_WATER`] of unsent bytes, and goes on at the channel's own
//! `bufferedamountlow`. Reading takes from a queue that the channel fills by itself:
//! a data channel has no way to tell the sender to wait, so a queue that passes its bound resets
//! the stream.

mod core;
mod receiving;
mod sending;
mod state;

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    AsyncRead, AsyncWrite, FutureExt,
    future::{Either, select},
};
use futures_timer::Delay;
use send_wrapper::SendWrapper;

pub(super) use self::core::Core;
use self::state::GATHERING;
use super::connection::Slot;
use crate::js::{DataChannel, Event, Listener};

/// Writing waits above this many unsent bytes. js-libp2p's figure; below 16 MiB, where Chromium's
/// `send` throws, and enough for a path of 16 MB/s with 125 ms there and back.
pub const HIGH_WATER: usize = 2 * 1024 * 1024;

/// Writing goes on when the unsent bytes fall to this.
const LOW_WATER: u32 = 1024 * 1024;

/// Where the other side tells what has come, a writer may be ahead of the window by another window,
/// and by no more than this: enough that an answer need not wait for it, and it is woken once for a
/// quarter of a megabyte.
const AHEAD: usize = 512 * 1024;

/// Unread bytes that a stream holds; one more frame resets it. A Bitswap message of 4 MiB, the
/// 2 MiB that its sender's browser holds by then, and as much again for a reader that is busy.
pub const MAX_UNREAD: usize = 8 * 1024 * 1024;

/// How long a stream that is left may go without any progress before its channel is closed: what
/// js-libp2p waits for its acknowledgement.
const LINGER: Duration = Duration::from_secs(10);

/// A stream of a [`super::Connection`].
///
/// Closing sends what was written and then an end mark, and returns: at once, but that the last of
/// what was written may have to wait for the other side's word of what has come. Dropping a stream that was
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

impl Stream {
    /// Takes a channel over. For one that the other side opened this must happen within its
    /// `datachannel` event: what comes before is lost.
    pub(super) fn new(channel: DataChannel, slot: Slot) -> Self {
        channel.take_buffers();
        channel.set_low_threshold(LOW_WATER);
        let core = Rc::new(Core::new(channel, slot));
        let on = |kind, handler: fn(&Core)| {
            let core = core.clone();
            Listener::new(&core.channel.clone(), kind, move |_: Event| handler(&core))
        };
        let message = {
            let core = core.clone();
            Listener::new(&core.channel.clone(), "message", move |event| {
                if core.on_message(&event) {
                    let core = core.clone();
                    wasm_bindgen_futures::spawn_local(async move {
                        Delay::new(GATHERING).await;
                        core.gathered();
                    });
                }
            })
        };
        let listeners = [
            message,
            on("open", Core::opened),
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
