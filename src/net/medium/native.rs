//! Natively: libp2p's transport within one process, for tests of everything above the wire.

use libp2p::{
    Multiaddr, PeerId, Transport,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, MemoryTransport},
        upgrade::Version,
    },
    identity::Keypair,
    multiaddr::Protocol,
    noise, relay,
    swarm::dummy,
    yamux,
};

pub use avocet_transport::webrtc::IceServer;

/// There are no browsers to dial here.
pub type Direct = dummy::Behaviour;

/// Nothing to close but what the swarm closes itself.
#[derive(Debug, Clone)]
pub struct Closer;

impl Closer {
    /// Does nothing.
    pub fn close_all(&self) {}
}

/// The transport, the behaviour that belongs to it, and what closes its connections.
pub type Medium = (Boxed<(PeerId, StreamMuxerBox)>, Direct, Closer);

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum MediumError {
    /// The noise keys could not be made.
    #[error("no Noise keys: {0}")]
    Noise(#[from] noise::Error),
}

/// Circuits and connections within this process.
pub fn build(
    keypair: &Keypair,
    relay: relay::client::Transport,
    _: Vec<IceServer>,
) -> Result<Medium, MediumError> {
    let transport = relay
        .or_transport(MemoryTransport::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair)?)
        .multiplex(yamux::Config::default());
    Ok((transport.boxed(), dummy::Behaviour, Closer))
}

/// An address within this process.
pub fn listen_addrs() -> Vec<Multiaddr> {
    vec![Multiaddr::empty().with(Protocol::Memory(0))]
}
