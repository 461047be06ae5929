//! A browser's WebSocket as a byte stream.
//!
//! Reading: the socket fires `message` for each piece, and the piece waits in a queue. A
//! WebSocket cannot tell its server to wait, so the queue has a bound and the socket is closed
//! beyond it.
//!
//! Writing: the browser takes all that it is given, and says only how much is unsent; it has no
//! event for less of it. So writing waits above a limit ([`HighWater`]), and looks again at the
//! next piece that comes in, and after [`LOOK_AGAIN`]. That timer exists only while a writer
//! waits. And it waits for a turn after each [`A_TURN`].

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::{AsyncRead, AsyncWrite, FutureExt};
use futures_timer::Delay;
use send_wrapper::SendWrapper;
use web_sys::{BinaryType, CloseEvent, WebSocket};

use super::water::HighWater;
use crate::{
    js::{BrowserError, Event, Listener, MessageEvent, NotTaken, Turns},
    queue::ByteQueue,
};

/// Unread bytes that a socket holds; more closes it. 64 windows of 256 KiB, what as many of
/// yamux's streams may have under way.
pub const MAX_UNREAD: usize = 16 * 1024 * 1024;

/// A message above this closes the socket: yamux's and Noise's are at most 64 KiB, and other
/// implementations join some of them.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// When a waiting writer looks again, if nothing came in meanwhile. Browsers make less than 4 ms
/// of no timer that follows another, and a busy page comes late to it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Chromium moves so many bytes to the process that has the network, and the next only when this thread has nothing
/// else to do: whoever writes a megabyte at a time has it stand idle meanwhile.
const A_TURN: usize = 128 * 1024;

/// Why a socket failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// The browser would not even try, an insecure address on a secure page for one.
    #[error("the browser refused: {0}")]
    Refused(#[from] BrowserError),
    /// It did not open. The browser keeps the reason to itself.
    #[error("no connection (close code {0})")]
    NotOpened(u16),
    /// It closed without the closing handshake, or with another code than that of a normal end.
    #[error("closed by the other side or the network (close code {0})")]
    Closed(u16),
    /// The server sent text.
    #[error("a text message on a socket for bytes")]
    Text,
    /// More than [`MAX_UNREAD`] bytes were unread, or a message passed [`MAX_MESSAGE`].
    #[error("more than {MAX_UNREAD} bytes unread")]
    Unread,
}

/// An open WebSocket. Dropping it closes it.
#[derive(Debug)]
pub struct WebSocketStream {
    inner: SendWrapper<Held>,
}

#[derive(Debug)]
struct Held {
    core: Rc<Core>,
    /// Runs while a writer waits.
    look_again: Option<Delay>,
    water: HighWater,
    turns: Turns,
    _listeners: [Listener; 3],
}

#[derive(Debug)]
struct Core {
    socket: WebSocket,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    unread: ByteQueue,
    open: bool,
    /// Bytes written since the browser had its turn.
    written: usize,
    /// How it ended: `Ok` after a closing handshake.
    end: Option<Result<(), SocketError>>,
    reader: Option<Waker>,
    /// Of whoever writes, closes or waits for the opening.
    writer: Option<Waker>,
}

impl WebSocketStream {
    /// Begins to connect; [`WebSocketStream::poll_open`] says when it is done.
    pub(super) fn connect(url: &str) -> Result<Self, SocketError> {
        let socket = WebSocket::new(url).map_err(BrowserError::from)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let core = Rc::new(Core { socket, state: RefCell::default() });
        let opened = {
            let core = core.clone();
            move |_: Event| core.on_open()
        };
        let message = {
            let core = core.clone();
            move |event: MessageEvent| core.on_message(&event)
        };
        // an `error` event is always followed by `close`, which says more
        let closed = {
            let core = core.clone();
            move |event: CloseEvent| core.on_close(&event)
        };
        let turned = {
            let core = core.clone();
            move || core.on_turn()
        };
        let listeners = [
            Listener::new(&core.socket, "open", opened),
            Listener::new(&core.socket, "message", message),
            Listener::new(&core.socket, "close", closed),
        ];
        let (turns, water) = (Turns::new(turned), HighWater::default());
        let held = Held { core, look_again: None, water, turns, _listeners: listeners };
        Ok(Self { inner: SendWrapper::new(held) })
    }

    /// Ready when the socket is open, or has failed to.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        let mut state = self.inner.core.state.borrow_mut();
        match &state.end {
            Some(Err(error)) => Poll::Ready(Err(error.clone())),
            Some(Ok(())) => Poll::Ready(Err(SocketError::NotOpened(1000))),
            None if state.open => Poll::Ready(Ok(())),
            None => {
                state.writer = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncRead for WebSocketStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.inner.core.state.borrow_mut();
        let read = state.unread.read(buf);
        if read > 0 || buf.is_empty() {
            return Poll::Ready(Ok(read));
        }
        match &state.end {
            Some(Ok(())) => Poll::Ready(Ok(0)),
            Some(Err(error)) => Poll::Ready(Err(broken(error))),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for WebSocketStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Held { core, look_again, water, turns, .. } = &mut *self.inner;
        let mut state = core.state.borrow_mut();
        match &state.end {
            Some(Ok(())) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            None => {}
        }
        if state.written >= A_TURN {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let unsent = || core.socket.buffered_amount() as usize;
        while unsent() >= water.limit() {
            state.writer = Some(cx.waker().clone());
            let timer = look_again.get_or_insert_with(|| Delay::new(LOOK_AGAIN));
            futures::ready!(timer.poll_unpin(cx));
            *look_again = Some(Delay::new(LOOK_AGAIN));
            water.stood_at(unsent());
        }
        if look_again.take().is_some() {
            water.drained_to(unsent());
        }
        match core.socket.send_with_u8_array(buf) {
            Ok(()) => {
                state.written += buf.len();
                if state.written >= A_TURN {
                    turns.ask();
                }
                Poll::Ready(Ok(buf.len()))
            }
            Err(thrown) => Poll::Ready(Err(broken(&BrowserError::from(thrown).into()))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Closes the socket after all that was written, and waits for the other side to agree. A
    /// WebSocket has no half that stays open: what is on its way to us is lost.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let core = &self.inner.core;
        let mut state = core.state.borrow_mut();
        if state.end.is_some() {
            return Poll::Ready(Ok(()));
        }
        core.close();
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.core.close();
    }
}

impl Core {
    fn on_open(&self) {
        let mut state = self.state.borrow_mut();
        state.open = true;
        let waker = state.writer.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    fn on_message(&self, event: &MessageEvent) {
        let mut state = self.state.borrow_mut();
        if state.end.is_some() {
            return;
        }
        let fault = match event.bytes(MAX_MESSAGE) {
            Ok(bytes) => {
                let taken = state.unread.push(bytes.into(), MAX_UNREAD);
                (!taken).then_some(SocketError::Unread)
            }
            Err(NotTaken::TooLong(_)) => Some(SocketError::Unread),
            Err(NotTaken::Text) => Some(SocketError::Text),
        };
        if let Some(fault) = fault {
            state.end = Some(Err(fault));
            self.close();
        }
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn on_turn(&self) {
        let mut state = self.state.borrow_mut();
        state.written = 0;
        let waker = state.writer.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    fn on_close(&self, event: &CloseEvent) {
        let mut state = self.state.borrow_mut();
        let end = match (state.open, event.code()) {
            (false, code) => Err(SocketError::NotOpened(code)),
            // 1000: normal; 1001: going away; 1005: the other side gave no code
            (true, 1000 | 1001 | 1005) if event.was_clean() => Ok(()),
            (true, code) => Err(SocketError::Closed(code)),
        };
        state.end.get_or_insert(end);
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn close(&self) {
        // it throws only for codes and reasons, of which there are none
        let _ = self.socket.close();
    }
}

fn broken(error: &SocketError) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, error.clone())
}
