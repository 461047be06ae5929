//! Browser to browser: the transport and the behaviour that arrange a direct connection over a
//! relayed one.
//!
//! A dial goes from the transport to the behaviour, which knows the relayed connections: it takes
//! one, or dials one, opens the signalling stream on it and negotiates. Inbound streams are
//! answered by the behaviour, and the connections that come of it go to the transport. The
//! behaviour has one handler, on relayed connections only.

mod behaviour;
mod dials;
mod handler;
mod peers;
mod transport;

use std::{cell::RefCell, collections::VecDeque, rc::Rc, task::Waker, time::Duration};

pub use behaviour::Behaviour;
use futures::channel::{mpsc, oneshot};
use libp2p::{Multiaddr, PeerId};
use send_wrapper::SendWrapper;
pub use transport::Transport;

use super::{
    Closer, Config, Connection, NegotiationError, Target, Unsupported, limits::MAX_PENDING,
};

/// How long a dial or an inbound negotiation may take: the relayed connection, the signalling and
/// the connecting, together.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Dials under way or waiting at once. A page dials a few holders of a file at a time.
pub const MAX_DIALS: usize = 32;

/// Addresses announced. A page holds reservations with one or two relays.
const MAX_ADDRESSES: usize = 16;

/// Makes the transport and the behaviour of `/webrtc` for the peer `local`, and what closes every
/// connection at once.
///
/// The transport comes before the relay client's in the chain, since that takes any address with
/// a circuit in it. Listen on `/webrtc` to be reachable: for each address `<relay>/p2p-circuit/…`
/// that the relay client has confirmed, `<relay>/p2p-circuit/webrtc/p2p/<local>` is announced.
pub fn new(local: PeerId, config: Config) -> Result<(Transport, Behaviour, Closer), Unsupported> {
    if !crate::js::has_webrtc() {
        return Err(Unsupported);
    }
    let (to_behaviour, requests) = mpsc::channel(MAX_DIALS);
    let board = Rc::new(RefCell::new(Board::default()));
    let closer = Closer::new();
    let transport = Transport::new(to_behaviour, SendWrapper::new(board.clone()));
    let behaviour = Behaviour::new(local, config, closer.clone(), board, requests);
    Ok((transport, behaviour, closer))
}

/// Why a dial failed.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Not an address to listen on: only `/webrtc` itself is.
    #[error("only /webrtc can be listened on, once")]
    Listen,
    /// The relayed connection, over which to signal, could not be had, or closed.
    #[error("no relayed connection to signal over: {0}")]
    Relayed(String),
    /// The peer speaks no signalling, or did not open the stream.
    #[error("no signalling stream: {0}")]
    Signalling(String),
    /// The two did not connect.
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
    /// A direct connection with the peer stands.
    #[error("a direct connection with the peer stands")]
    AlreadyConnected,
    /// [`MAX_DIALS`] are under way.
    #[error("{MAX_DIALS} dials are under way")]
    Busy,
    /// The behaviour is gone, and the swarm with it.
    #[error("the swarm is gone")]
    Gone,
}

/// A dial on its way to the behaviour. Dropping the other end of `reply` cancels it.
#[derive(Debug)]
struct Request {
    target: Target,
    reply: oneshot::Sender<Result<Connection, DialError>>,
}

/// A connection that the other side made.
#[derive(Debug)]
struct Incoming {
    peer: PeerId,
    connection: Connection,
    local_addr: Multiaddr,
    send_back_addr: Multiaddr,
}

/// What the behaviour has for the transport.
#[derive(Debug, Default)]
struct Board {
    /// Whether the transport listens; otherwise inbound streams are turned away.
    listening: bool,
    /// Where we are reachable; at most [`MAX_ADDRESSES`].
    addresses: Vec<Multiaddr>,
    /// At most [`MAX_PENDING`].
    incoming: VecDeque<Incoming>,
    /// The transport's.
    waker: Option<Waker>,
}

impl Board {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn announce(&mut self, address: Multiaddr) {
        if self.addresses.len() < MAX_ADDRESSES && !self.addresses.contains(&address) {
            self.addresses.push(address);
            self.wake();
        }
    }

    fn withdraw(&mut self, address: &Multiaddr) {
        self.addresses.retain(|announced| announced != address);
        self.wake();
    }

    /// Hands a connection over. One that finds no place is closed.
    fn deliver(&mut self, incoming: Incoming) {
        if self.listening && self.incoming.len() < MAX_PENDING {
            self.incoming.push_back(incoming);
            self.wake();
        }
    }
}
