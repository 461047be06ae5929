//! What a connection, its streams and its handlers share.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
};

use super::{INIT, Lost, MAX_CHANNELS, MAX_UNREAD};
use crate::{
    js::{BrowserError, ChannelEvent, DataChannel, PeerConnection},
    webrtc::{
        framing::Reader,
        stream::{Core, Stream},
    },
};

/// What the connection, its streams and its handlers share.
#[derive(Debug)]
pub(crate) struct Link {
    pub(super) pc: PeerConnection,
    reader: Reader,
    state: RefCell<State>,
    unread: Cell<usize>,
    /// Whether the other side counts what comes, as we do: then each tells the other.
    told: Cell<bool>,
}

#[derive(Debug, Default)]
struct State {
    lost: Option<Lost>,
    connected: bool,
    /// Streams that the other side opened and nobody took: at most [`MAX_CHANNELS`].
    inbound: VecDeque<Stream>,
    /// Every stream whose channel is not done with.
    streams: HashMap<u64, Weak<Core>>,
    next_stream: u64,
    inbound_waker: Option<Waker>,
    outbound_waker: Option<Waker>,
    event_waker: Option<Waker>,
    /// Whoever waits for a change: the negotiation, or a close.
    change_waker: Option<Waker>,
}

impl Link {
    pub(super) fn new(pc: PeerConnection, reader: Reader) -> Self {
        Self { pc, reader, state: RefCell::default(), unread: Cell::new(0), told: Cell::new(false) }
    }

    pub(super) fn poll_connected(&self, cx: &Context<'_>) -> Poll<Result<(), Lost>> {
        let mut state = self.state.borrow_mut();
        state.check()?;
        if state.connected {
            return Poll::Ready(Ok(()));
        }
        state.change_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn poll_lost(&self, cx: &Context<'_>) -> Poll<Lost> {
        let mut state = self.state.borrow_mut();
        if let Some(lost) = &state.lost {
            return Poll::Ready(lost.clone());
        }
        state.event_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn poll_inbound(&self, cx: &Context<'_>) -> Poll<Result<Stream, Lost>> {
        let mut state = self.state.borrow_mut();
        if let Some(stream) = state.inbound.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        state.check()?;
        state.inbound_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn poll_outbound(self: &Rc<Self>, cx: &Context<'_>) -> Poll<Result<Stream, Lost>> {
        let mut state = self.state.borrow_mut();
        state.check()?;
        if state.streams.len() >= MAX_CHANNELS {
            state.outbound_waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        let channel = self.pc.create_data_channel("").map_err(BrowserError::from)?;
        Poll::Ready(Ok(self.stream(channel)))
    }

    /// The stream over the channel that both sides make unasked.
    pub(super) fn agreed_stream(self: &Rc<Self>) -> Result<Stream, BrowserError> {
        self.pc.create_agreed_channel().map(|channel| self.stream(channel))
    }

    /// Whether the connection stands.
    pub(in crate::webrtc) fn is_alive(&self) -> bool {
        self.state.borrow().lost.is_none()
    }

    /// Ends the connection with all its streams, and tells everyone who waits. Only the first
    /// reason counts.
    pub(in crate::webrtc) fn lose(&self, reason: Lost) {
        let mut state = self.state.borrow_mut();
        if state.lost.is_some() {
            return;
        }
        tracing::debug!(%reason, "connection over");
        state.lost = Some(reason);
        let unclaimed = std::mem::take(&mut state.inbound);
        let streams = std::mem::take(&mut state.streams);
        let wakers = state.wakers();
        drop(state);
        drop(unclaimed);
        self.pc.close();
        streams.values().filter_map(Weak::upgrade).for_each(|stream| stream.lose());
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Unread bytes of all its streams.
    #[cfg(test)]
    pub(in crate::webrtc) fn unread(&self) -> usize {
        self.unread.get()
    }

    /// Streams whose channels are not done with.
    #[cfg(test)]
    pub(in crate::webrtc) fn open_streams(&self) -> usize {
        self.state.borrow().streams.len()
    }

    pub(super) fn on_connection_state(&self) {
        match self.pc.connection_state().as_str() {
            "connected" => {
                let mut state = self.state.borrow_mut();
                state.connected = true;
                let waker = state.change_waker.take();
                drop(state);
                waker.into_iter().for_each(Waker::wake);
            }
            "failed" if self.is_refused() => self.lose(Lost::Certificate),
            "failed" => self.lose(Lost::Path),
            "closed" => self.lose(Lost::Remote),
            _ => {}
        }
    }

    pub(super) fn on_channel(self: &Rc<Self>, event: &ChannelEvent) {
        let channel = event.channel();
        if channel.label() == INIT {
            return;
        }
        if self.state.borrow().streams.len() >= MAX_CHANNELS {
            self.lose(Lost::TooManyChannels);
            return;
        }
        if !self.is_alive() {
            return;
        }
        let stream = self.stream(channel);
        let mut state = self.state.borrow_mut();
        state.inbound.push_back(stream);
        let waker = state.inbound_waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether it failed in spite of a path: what came over it was not from whom it should be.
    fn is_refused(&self) -> bool {
        let path = matches!(self.pc.ice_connection_state().as_str(), "connected" | "completed");
        path && !self.state.borrow().connected
    }

    fn stream(self: &Rc<Self>, channel: DataChannel) -> Stream {
        let mut state = self.state.borrow_mut();
        let id = state.next_stream;
        state.next_stream += 1;
        let slot = Slot { link: Rc::downgrade(self), id };
        let stream = Stream::new(channel, slot);
        if let Some(core) = stream.core() {
            state.streams.insert(id, Rc::downgrade(core));
        }
        stream
    }

    pub(super) fn has_lingering(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state.borrow_mut();
        let lingering =
            state.streams.values().filter_map(Weak::upgrade).any(|core| core.is_lingering());
        if lingering {
            state.change_waker = Some(cx.waker().clone());
        }
        lingering
    }
}

impl State {
    fn check(&self) -> Result<(), Lost> {
        self.lost.clone().map_or(Ok(()), Err)
    }

    fn wakers(&mut self) -> [Option<Waker>; 4] {
        [
            self.inbound_waker.take(),
            self.outbound_waker.take(),
            self.event_waker.take(),
            self.change_waker.take(),
        ]
    }
}

/// A stream's place in its connection: counts it until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    link: Weak<Link>,
    id: u64,
}

impl Slot {
    /// How the other side reads.
    pub(in crate::webrtc) fn reader(&self) -> Reader {
        self.link.upgrade().map_or(Reader::Bytes, |link| link.reader)
    }

    /// Whether the other side tells what has come, and is told.
    pub(in crate::webrtc) fn is_told(&self) -> bool {
        self.link.upgrade().is_some_and(|link| link.told.get())
    }

    /// The other side counts what comes.
    pub(in crate::webrtc) fn tell(&self) {
        if let Some(link) = self.link.upgrade() {
            link.told.set(true);
        }
    }

    /// How many more unread bytes the connection allows.
    pub(in crate::webrtc) fn room(&self) -> usize {
        self.link.upgrade().map_or(0, |link| MAX_UNREAD.saturating_sub(link.unread.get()))
    }

    /// Counts unread bytes.
    pub(in crate::webrtc) fn charge(&self, bytes: usize) {
        if let Some(link) = self.link.upgrade() {
            link.unread.set(link.unread.get() + bytes);
        }
    }

    /// Counts bytes as read.
    pub(in crate::webrtc) fn uncharge(&self, bytes: usize) {
        if let Some(link) = self.link.upgrade() {
            link.unread.set(link.unread.get().saturating_sub(bytes));
        }
    }

    /// Tells a close that waits that something may be over.
    pub(in crate::webrtc) fn changed(&self) {
        let waker = self.link.upgrade().and_then(|it| it.state.borrow_mut().change_waker.take());
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(link) = self.link.upgrade() else { return };
        // a stream that goes while the connection's state is in use is one that the connection
        // itself has already counted out
        if let Ok(mut state) = link.state.try_borrow_mut() {
            state.streams.remove(&self.id);
            let wakers = [state.outbound_waker.take(), state.change_waker.take()];
            drop(state);
            wakers.into_iter().flatten().for_each(Waker::wake);
        }
    }
}
