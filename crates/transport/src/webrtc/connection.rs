//! An `RTCPeerConnection` as a libp2p connection: its streams are data channels.
//!
//! That the other side has closed is told by the SCTP and DTLS transports under the channels,
//! within milliseconds; `connectionState` would take many seconds. When the connection ends, all
//! its streams end, since the browser does not tell them after a close of our own.

mod closer;
mod link;

use std::{
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use futures::FutureExt;
use futures_timer::Delay;
use libp2p::{
    core::muxing::{StreamMuxer, StreamMuxerEvent},
    noise,
};
use send_wrapper::SendWrapper;

pub use self::closer::Closer;
pub(super) use self::link::{Link, Slot};
use super::{Config, framing::Reader, stream::Stream};
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
    /// The other side is there, and shows another certificate than it must.
    #[error("the other side's certificate is not the one expected")]
    Certificate,
    /// The other side opened more than [`MAX_CHANNELS`].
    #[error("more than {MAX_CHANNELS} channels")]
    TooManyChannels,
    /// The browser refused something.
    #[error("the browser refused: {0}")]
    Browser(#[from] BrowserError),
}

/// A direct connection with another browser, or with a server.
#[derive(Debug)]
pub struct Connection {
    inner: SendWrapper<Owner>,
}

/// The connection's one owner: holds the handlers, and closes when it goes.
#[derive(Debug)]
struct Owner {
    link: Rc<Link>,
    listeners: Vec<Listener>,
    /// What proved who the other side is. Its channel is done with, and stays open where the other
    /// side does not close it.
    handshake: Option<noise::Output<Stream>>,
    /// Runs while closing waits for streams.
    drain: Option<Delay>,
}

impl Connection {
    /// A connection with a browser, yet to be negotiated. Its streams are taken in from the start.
    pub(super) fn new(config: &Config, closer: &Closer) -> Result<Self, BrowserError> {
        Self::with(PeerConnection::new(&config.ice_servers)?, Reader::Bytes, closer)
    }

    /// The same with a server, whose software may be of any kind and whose address is known.
    pub(super) fn to_server(closer: &Closer) -> Result<Self, BrowserError> {
        Self::with(PeerConnection::new(&[])?, Reader::Messages, closer)
    }

    fn with(pc: PeerConnection, reader: Reader, closer: &Closer) -> Result<Self, BrowserError> {
        let link = Rc::new(Link::new(pc, reader));
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
        Ok(Self {
            inner: SendWrapper::new(Owner { link, listeners, handshake: None, drain: None }),
        })
    }

    pub(super) fn pc(&self) -> &PeerConnection {
        &self.inner.link.pc
    }

    pub(super) fn link(&self) -> &Rc<Link> {
        &self.inner.link
    }

    /// The stream over the channel that both sides make unasked, before there is an offer.
    pub(super) fn agreed_stream(&self) -> Result<Stream, BrowserError> {
        self.inner.link.agreed_stream()
    }

    /// Keeps the stream of a handshake that is over as long as the connection.
    pub(super) fn keep(&mut self, handshake: noise::Output<Stream>) {
        self.inner.handshake = Some(handshake);
    }

    /// Waits until the browsers are connected.
    pub(super) async fn connected(&self) -> Result<(), Lost> {
        poll_fn(|cx| self.inner.link.poll_connected(cx)).await
    }

    /// Waits until the connection is over.
    pub(super) async fn lost(&self) -> Lost {
        poll_fn(|cx| self.inner.link.poll_lost(cx)).await
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
        self.inner.link.poll_inbound(cx)
    }

    fn poll_outbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, Lost>> {
        self.inner.link.poll_outbound(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        if self.inner.link.is_alive() {
            futures::ready!(self.poll_drained(cx));
            self.inner.link.lose(Lost::Closed);
        }
        Poll::Ready(Ok(()))
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, Lost>> {
        self.inner.link.poll_lost(cx).map(Err)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.link.lose(Lost::Closed);
    }
}
