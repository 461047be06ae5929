//! In a browser: WebRTC between browsers, WebSocket and WebRTC to servers, circuits for signalling.

use avocet_transport::{webrtc, websocket};
use futures::future::Either;
use libp2p::{
    Multiaddr, PeerId, Transport,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, OptionalTransport, timeout::TransportTimeout},
        upgrade::Version,
    },
    identity::Keypair,
    multiaddr::Protocol,
    noise, relay,
    swarm::behaviour::toggle::Toggle,
    yamux,
};
use std::time::Duration;

pub use avocet_transport::webrtc::IceServer;

/// Direct connections between browsers; nothing in a browser without WebRTC, which still has its files and
/// may dial servers.
pub type Direct = Toggle<webrtc::Behaviour>;

/// Closes direct connections at once.
#[derive(Clone)]
pub struct Closer(Option<webrtc::Closer>);

impl Closer {
    /// For a page that goes away.
    pub fn close_all(&self) {
        if let Some(closer) = &self.0 {
            closer.close_all();
        }
    }
}

/// A handshake over a WebSocket or a circuit that is not done by then has a peer at its end that does not answer.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// The transport, the behaviour that belongs to it, and what closes its connections.
pub type Medium = (Boxed<(PeerId, StreamMuxerBox)>, Direct, Closer);

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum MediumError {
    /// The noise keys could not be made.
    #[error("no Noise keys: {0}")]
    Noise(#[from] noise::Error),
}

/// The transports of a tab: WebRTC is asked first, since the relay client takes every circuit address.
pub fn build(
    keypair: &Keypair,
    relay: relay::client::Transport,
    ice_servers: Vec<IceServer>,
) -> Result<Medium, MediumError> {
    let config = webrtc::Config { ice_servers };
    let local = keypair.public().to_peer_id();
    let noise = noise::Config::new(keypair)?;
    let (direct, behaviour, closer) = match webrtc::new(local, config) {
        Ok((browsers, behaviour, closer)) => {
            let servers = webrtc::direct::Transport::new(noise.clone(), closer.clone());
            let both = browsers.or_transport(servers).map(|either, _| match either {
                Either::Left(connected) | Either::Right(connected) => connected,
            });
            (OptionalTransport::some(both), Some(behaviour), Some(closer))
        }
        Err(webrtc::Unsupported) => (OptionalTransport::none(), None, None),
    };
    let direct = direct.map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)));
    let secured = relay
        .or_transport(websocket::Transport::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default());
    let secured = TransportTimeout::new(secured, HANDSHAKE);
    let joined = direct.or_transport(secured).map(|either, _| match either {
        Either::Left(direct) => direct,
        Either::Right((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
    });
    Ok((joined.boxed(), behaviour.into(), Closer(closer)))
}

/// Where a tab listens by itself: for direct connections, announced over every relay that has a place for us.
pub fn listen_addrs() -> Vec<Multiaddr> {
    vec![Multiaddr::empty().with(Protocol::WebRTC)]
}
