//! What a peer is made of, what it tells, and why it may not start.

use crate::{
    fetch::Looking,
    net::{ConnectError, IceServer, MediumError, PeerInfo},
    store::{StoreError, StoreName},
};
use avocet_dag::Cid;
use libp2p::{Multiaddr, PeerId};

/// What a peer is made of.
pub struct Options {
    /// Where its blocks are.
    pub store: StoreName,
    /// Relays to reserve on.
    pub relays: Vec<Multiaddr>,
    /// Servers of the DHT to begin with.
    pub bootstrap: Vec<Multiaddr>,
    /// For WebRTC.
    pub ice_servers: Vec<IceServer>,
}

/// Why a peer did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network's.
    #[error(transparent)]
    Medium(#[from] MediumError),
    /// An address of a relay or a bootstrap peer that does not say whom it leads to.
    #[error(transparent)]
    Addr(#[from] ConnectError),
    /// The key in the store is none.
    #[error("the peer's key in the store is damaged: {0}")]
    Key(#[from] libp2p::identity::DecodingError),
}

/// What happens, for whoever started the peer.
#[derive(Debug)]
pub enum Event {
    /// The first connection with a peer, or the first direct one.
    PeerConnected(PeerInfo),
    /// The last connection with a peer is gone.
    PeerDisconnected(PeerInfo),
    /// The addresses under which others can dial us have changed.
    Addrs(Vec<Multiaddr>),
    /// Somebody is connected.
    Online,
    /// Nobody is.
    Offline,
    /// A block was sent to a peer.
    Sent(Moved),
    /// A wanted block came from a peer.
    Received(Moved),
    /// How the search for a root goes.
    Looking(Looking),
    /// This tab slept, and another one of the page took over its identity: the peer has stopped.
    Replaced,
}

/// A block that went over the wire.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The block's.
    pub cid: Cid,
    /// What it was sent for, as far as that can be told: the root of ours that the peer asked for last.
    pub root: Option<Cid>,
    /// Its size.
    pub bytes: u64,
    /// To or from whom.
    pub peer: PeerId,
}
