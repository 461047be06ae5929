//! An `RTCPeerConnection` as a libp2p connection: its streams are data channels.
//!
//! That the other side has closed is told by the SCTP and DTLS transports under the channels,
//! within milliseconds; `connectionState` would take many seconds. When the connection ends, all
//! its streams end, since the browser does not tell them after a close of our own.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::FutureExt;
use futures_timer::Delay;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use send_wrapper::SendWrapper;

use super::{
    Config,
    stream::{Core, Stream},
};
use crate::js::{
    BrowserError, ChannelEvent, Event, EventTarget, Listener, PeerConnection, StateTarget,
};

/// Channels open at once, of both sides. What rust-libp2p's yamux allows; beyond it the other side
/// means harm, and the connection is closed.
pub const MAX_CHANNELS: usize = 512;

/// Unread bytes that a connection's streams hold together: four streams at their own bound.
pub const MAX_UNREAD: usize = 4 * super::stream::MAX_UNREAD;

/// How long closing waits for streams that were left with bytes still to go.
const DRAIN: Duration = Duration::from_secs(5);

/// The label of the channel that only makes the browsers connect; it is no stream.
pub(super) const INIT: &str = "init";

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// We closed it.
    #[error("closed")]
    Closed,
    /// A better one with the same peer has taken its place.
    #[error("replaced by another connection with the same peer")]
    Replaced,
    /// The other side closed it, or its page went away.
    #[error("closed by the other side")]
    Remote,
    /// The path between the two broke.
    #[error("the path to the other side is gone")]
    Path,
    /// The other side opened more than [`MAX_CHANNELS`].
    #[error("more than {MAX_CHANNELS} channels")]
    TooManyChannels,
    /// The browser refused something.
    #[error("the browser refused: {0}")]
    Browser(#[from] BrowserError),
}

/// A direct connection with another browser.
#[derive(Debug)]
pub struct Connection {
    inner: SendWrapper<Owner>,
}

/// The connection's one owner: holds the handlers, and closes when it goes.
#[derive(Debug)]
struct Owner {
    link: Rc<Link>,
    listeners: Vec<Listener>,
    /// Runs while closing waits for streams.
    drain: Option<Delay>,
}

/// What the connection, its streams and its handlers share.
#[derive(Debug)]
pub(super) struct Link {
    pc: PeerConnection,
    state: RefCell<State>,
    unread: Cell<usize>,
}

#[derive(Debug, Default)]
struct State {
    lost: Option<Lost>,
    connected: bool,
    /// Streams that the other side opened and nobody took: at most [`MAX_CHANNELS`].
    inbound: VecDeque<Stream>,
    /// Every stream whose channel is not done with.
    streams: BTreeMap<u64, Weak<Core>>,
    next_stream: u64,
    inbound_waker: Option<Waker>,
    outbound_waker: Option<Waker>,
    event_waker: Option<Waker>,
    /// Whoever waits for a change: the negotiation, or a close.
    change_waker: Option<Waker>,
}

impl Connection {
    /// A connection that is yet to be negotiated. Its streams are taken in from the start.
    pub(super) fn new(config: &Config, closer: &Closer) -> Result<Self, BrowserError> {
        let pc = PeerConnection::new(&config.ice_servers)?;
        let link = Rc::new(Link { pc, state: RefCell::default(), unread: Cell::new(0) });
        closer.register(&link);
        let channels = {
            let link = Rc::downgrade(&link);
            move |event: ChannelEvent| {
                if let Some(link) = link.upgrade() {
                    link.on_channel(&event);
                }
            }
        };
        let states = {
            let link = Rc::downgrade(&link);
            move |_: Event| {
                if let Some(link) = link.upgrade() {
                    link.on_connection_state();
                }
            }
        };
        let listeners = vec![
            Listener::new(&link.pc, "datachannel", channels),
            Listener::new(&link.pc, "connectionstatechange", states),
        ];
        Ok(Self { inner: SendWrapper::new(Owner { link, listeners, drain: None }) })
    }

    pub(super) fn pc(&self) -> &PeerConnection {
        &self.inner.link.pc
    }

    pub(super) fn link(&self) -> &Rc<Link> {
        &self.inner.link
    }

    /// Waits until the browsers are connected.
    pub(super) async fn connected(&self) -> Result<(), Lost> {
        futures::future::poll_fn(|cx| {
            let mut state = self.inner.link.state.borrow_mut();
            if let Some(lost) = &state.lost {
                return Poll::Ready(Err(lost.clone()));
            }
            if state.connected {
                return Poll::Ready(Ok(()));
            }
            state.change_waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Waits until the connection is over.
    pub(super) async fn lost(&self) -> Lost {
        futures::future::poll_fn(|cx| {
            let mut state = self.inner.link.state.borrow_mut();
            if let Some(lost) = &state.lost {
                return Poll::Ready(lost.clone());
            }
            state.change_waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Watches the transports under the channels, which exist once it is connected.
    pub(super) fn watch_transports(&mut self) {
        let owner = &mut *self.inner;
        let sctp = owner.link.pc.sctp();
        let dtls = sctp.as_ref().and_then(StateTarget::transport);
        for transport in [sctp, dtls].into_iter().flatten() {
            let link = Rc::downgrade(&owner.link);
            let target = EventTarget::clone(&transport);
            let check = move || {
                let ended = matches!(transport.state().as_str(), "closed" | "failed");
                if let Some(link) = link.upgrade().filter(|_| ended) {
                    link.lose(Lost::Remote);
                }
            };
            // it may have ended before anyone listened
            check();
            owner.listeners.push(Listener::new(&target, "statechange", move |_: Event| check()));
        }
    }

    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let owner = &mut *self.inner;
        if !owner.link.has_lingering(cx) {
            return Poll::Ready(());
        }
        owner.drain.get_or_insert_with(|| Delay::new(DRAIN)).poll_unpin(cx)
    }
}

impl StreamMuxer for Connection {
    type Substream = Stream;
    type Error = Lost;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, Lost>> {
        let mut state = self.inner.link.state.borrow_mut();
        if let Some(stream) = state.inbound.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        state.check()?;
        state.inbound_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_outbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, Lost>> {
        let link = &self.inner.link;
        {
            let mut state = link.state.borrow_mut();
            state.check()?;
            if state.streams.len() >= MAX_CHANNELS {
                state.outbound_waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        let channel = link.pc.create_data_channel("").map_err(BrowserError::from)?;
        Poll::Ready(Ok(link.stream(channel)))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        if self.inner.link.state.borrow().lost.is_none() {
            futures::ready!(self.poll_drained(cx));
            self.inner.link.lose(Lost::Closed);
        }
        Poll::Ready(Ok(()))
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, Lost>> {
        let mut state = self.inner.link.state.borrow_mut();
        state.check()?;
        state.event_waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.link.lose(Lost::Closed);
    }
}

impl Link {
    /// Whether the connection stands.
    pub(super) fn is_alive(&self) -> bool {
        self.state.borrow().lost.is_none()
    }

    /// Ends the connection with all its streams, and tells everyone who waits. Only the first
    /// reason counts.
    pub(super) fn lose(&self, reason: Lost) {
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
    pub(super) fn unread(&self) -> usize {
        self.unread.get()
    }

    /// Streams whose channels are not done with.
    #[cfg(test)]
    pub(super) fn open_streams(&self) -> usize {
        self.state.borrow().streams.len()
    }

    fn on_connection_state(&self) {
        match self.pc.connection_state().as_str() {
            "connected" => {
                let mut state = self.state.borrow_mut();
                state.connected = true;
                let waker = state.change_waker.take();
                drop(state);
                waker.into_iter().for_each(Waker::wake);
            }
            "failed" => self.lose(Lost::Path),
            "closed" => self.lose(Lost::Remote),
            _ => {}
        }
    }

    fn on_channel(self: &Rc<Self>, event: &ChannelEvent) {
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

    fn stream(self: &Rc<Self>, channel: crate::js::DataChannel) -> Stream {
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

    fn has_lingering(&self, cx: &Context<'_>) -> bool {
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
pub(super) struct Slot {
    link: Weak<Link>,
    id: u64,
}

impl Slot {
    /// How many more unread bytes the connection allows.
    pub(super) fn room(&self) -> usize {
        self.link.upgrade().map_or(0, |link| MAX_UNREAD.saturating_sub(link.unread.get()))
    }

    /// Counts unread bytes.
    pub(super) fn charge(&self, bytes: usize) {
        if let Some(link) = self.link.upgrade() {
            link.unread.set(link.unread.get() + bytes);
        }
    }

    /// Counts bytes as read.
    pub(super) fn uncharge(&self, bytes: usize) {
        if let Some(link) = self.link.upgrade() {
            link.unread.set(link.unread.get().saturating_sub(bytes));
        }
    }

    /// Tells a close that waits that something may be over.
    pub(super) fn changed(&self) {
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

/// Closes every connection at once; for the page's `pagehide`, where nothing can be awaited.
#[derive(Debug, Clone, Default)]
pub struct Closer {
    links: SendWrapperDefault<Rc<RefCell<Vec<Weak<Link>>>>>,
}

/// [`SendWrapper`] with a default.
#[derive(Debug, Clone)]
struct SendWrapperDefault<T>(SendWrapper<T>);

impl<T: Default> Default for SendWrapperDefault<T> {
    fn default() -> Self {
        Self(SendWrapper::new(T::default()))
    }
}

impl Closer {
    /// Closes all, those being negotiated too. The other sides notice at once, where a page that
    /// just goes away is noticed after 17 s.
    pub fn close_all(&self) {
        let links = std::mem::take(&mut *self.links.0.borrow_mut());
        links.iter().filter_map(Weak::upgrade).for_each(|link| link.lose(Lost::Closed));
    }

    /// How many connections are not over.
    #[cfg(test)]
    pub(crate) fn open(&self) -> usize {
        let links = self.links.0.borrow();
        links.iter().filter_map(Weak::upgrade).filter(|link| link.is_alive()).count()
    }

    fn register(&self, link: &Rc<Link>) {
        let mut links = self.links.0.borrow_mut();
        links.retain(|link| link.strong_count() > 0);
        links.push(Rc::downgrade(link));
    }
}
