//! In a browser: WebRTC between browsers, WebSocket to servers, circuits for signalling.

use avocet_transport::{webrtc, websocket};
use futures::future::Either;
use libp2p::{
    Multiaddr, PeerId, Transport,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, timeout::TransportTimeout},
        upgrade::Version,
    },
    identity::Keypair,
    multiaddr::Protocol,
    noise, relay, yamux,
};
use std::time::Duration;

pub use avocet_transport::webrtc::{Behaviour as Direct, Closer, IceServer};

/// A handshake over a WebSocket or a circuit that is not done by then has a peer at its end that does not answer.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum MediumError {
    /// A browser without WebRTC.
    #[error("this browser has no WebRTC: {0}")]
    NoWebRtc(#[from] webrtc::Unsupported),
    /// The noise keys could not be made.
    #[error("no Noise keys: {0}")]
    Noise(#[from] noise::Error),
}

/// The transports of a tab: WebRTC is asked first, since the relay client takes every circuit address.
pub fn build(
    keypair: &Keypair,
    relay: relay::client::Transport,
    ice_servers: Vec<IceServer>,
) -> Result<(Boxed<(PeerId, StreamMuxerBox)>, Direct, Closer), MediumError> {
    let config = webrtc::Config { ice_servers };
    let local = keypair.public().to_peer_id();
    let (direct, behaviour, closer) = webrtc::new(local, config)?;
    let direct = direct.map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)));
    let secured = relay
        .or_transport(websocket::Transport::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair)?)
        .multiplex(yamux::Config::default());
    let secured = TransportTimeout::new(secured, HANDSHAKE);
    let joined = direct.or_transport(secured).map(|either, _| match either {
        Either::Left(direct) => direct,
        Either::Right((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
    });
    Ok((joined.boxed(), behaviour, closer))
}

/// Where a tab listens by itself: for direct connections, announced over every relay that has a place for us.
pub fn listen_addrs() -> Vec<Multiaddr> {
    vec![Multiaddr::empty().with(Protocol::WebRTC)]
}
