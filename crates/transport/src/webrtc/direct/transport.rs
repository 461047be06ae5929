//! Dials servers for libp2p.

use std::{
    future::Pending,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{FutureExt, future::BoxFuture};
use libp2p::{
    Multiaddr, PeerId,
    core::transport::{
        DialOpts, ListenerId, Transport as Libp2pTransport, TransportError, TransportEvent,
    },
    noise,
};
use send_wrapper::SendWrapper;

use super::{
    AddressError, Target,
    dial::{DialError, dial},
};
use crate::webrtc::connection::{Closer, Connection};

/// The libp2p transport for `/webrtc-direct`. It dials only: a browser cannot listen.
pub struct Transport {
    noise: noise::Config,
    closer: Closer,
}

impl Transport {
    /// Makes the transport. `noise` holds our identity; `closer`, of [`crate::webrtc::new`], closes
    /// these connections too.
    pub fn new(noise: noise::Config, closer: Closer) -> Self {
        Self { noise, closer }
    }
}

impl Libp2pTransport for Transport {
    type Output = (PeerId, Connection);
    type Error = DialError;
    type ListenerUpgrade = Pending<Result<Self::Output, DialError>>;
    type Dial = BoxFuture<'static, Result<Self::Output, DialError>>;

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
        match Target::parse(&address) {
            Ok(target) if opts.role.is_dialer() => {
                let dial = dial(target, self.noise.clone(), self.closer.clone());
                Ok(SendWrapper::new(dial).boxed())
            }
            Ok(_) | Err(AddressError::NotDirect) => {
                Err(TransportError::MultiaddrNotSupported(address))
            }
            Err(error) => Err(TransportError::Other(error.into())),
        }
    }

    fn poll(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, DialError>> {
        Poll::Pending
    }
}
