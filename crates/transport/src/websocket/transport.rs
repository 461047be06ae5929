//! Dials WebSockets for libp2p.

use std::{
    future::{Pending, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Either, select},
};
use futures_timer::Delay;
use libp2p::{
    Multiaddr,
    core::transport::{
        DialOpts, ListenerId, Transport as Libp2pTransport, TransportError, TransportEvent,
    },
};

use super::{SocketError, WebSocketStream, url};

/// How long a socket may take to open. Browsers try for minutes.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// The libp2p transport for `/ws` and `/wss`. It dials only: a browser cannot listen.
#[derive(Debug, Clone, Default)]
pub struct Transport {}

/// Why a dial failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The socket did not open.
    #[error("{0}: {1}")]
    Socket(String, SocketError),
    /// It took longer than [`TIME_LIMIT`].
    #[error("{0}: no connection within the time limit")]
    TimedOut(String),
}

impl Transport {
    /// Makes the transport.
    pub fn new() -> Self {
        Self {}
    }
}

impl Libp2pTransport for Transport {
    type Output = WebSocketStream;
    type Error = DialError;
    type ListenerUpgrade = Pending<Result<WebSocketStream, DialError>>;
    type Dial = BoxFuture<'static, Result<WebSocketStream, DialError>>;

    fn listen_on(
        &mut self,
        _: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<DialError>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        opts: DialOpts,
    ) -> Result<Self::Dial, TransportError<DialError>> {
        let Some(url) = url(&address).ok().filter(|_| opts.role.is_dialer()) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        Ok(connect(url).boxed())
    }

    fn poll(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, DialError>> {
        Poll::Pending
    }
}

async fn connect(url: String) -> Result<WebSocketStream, DialError> {
    let failed = |error| DialError::Socket(url.clone(), error);
    let mut socket = WebSocketStream::connect(&url).map_err(failed)?;
    let opened = poll_fn(|cx| socket.poll_open(cx)).boxed();
    match select(opened, Delay::new(TIME_LIMIT)).await {
        Either::Left((opened, _)) => opened.map_err(failed)?,
        Either::Right(_) => return Err(DialError::TimedOut(url)),
    }
    Ok(socket)
}
