//! The protocols that one peer speaks, joined into one libp2p behaviour.

use super::{dht::Dht, exchange, medium};
use libp2p::{
    connection_limits, identify, identity::Keypair, ping, relay, swarm::NetworkBehaviour,
};

/// Connections of one tab: what js-libp2p allows a browser.
const MAX_CONNECTIONS: u32 = 100;
/// Inbound connections that have not finished their handshake (js-libp2p's figure).
const MAX_PENDING_INBOUND: u32 = 10;
/// Dials under way at once (js-libp2p's figure): twice ours, since a direct one takes a relayed one beside it, and
/// room for those of the DHT.
const MAX_PENDING_OUTBOUND: u32 = 100;
/// Connections with one peer: a relayed and a direct one, and as many again while two dial each other at once.
const MAX_PER_PEER: u32 = 4;
/// Identify's name for the protocol family (specification: identify).
const FAMILY: &str = "ipfs/0.1.0";
/// How we name ourselves to others.
const AGENT: &str = concat!("avocet/", env!("CARGO_PKG_VERSION"));

/// See the module.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    /// First, so that a connection past the limits costs nothing.
    limits: connection_limits::Behaviour,
    /// Reservations, and circuits for signalling.
    pub relay: relay::client::Behaviour,
    /// Direct connections between browsers; nothing where there are none.
    pub direct: medium::Direct,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    /// Who has what.
    pub dht: Dht,
    /// Blocks, over direct connections.
    pub exchange: exchange::Behaviour,
}

impl Behaviour {
    /// Joins the parts for the peer with this key.
    pub fn new(
        keypair: &Keypair,
        relay: relay::client::Behaviour,
        direct: medium::Direct,
        dht: Dht,
        exchange: exchange::Behaviour,
    ) -> Self {
        let limits = connection_limits::ConnectionLimits::default()
            .with_max_established(Some(MAX_CONNECTIONS))
            .with_max_pending_incoming(Some(MAX_PENDING_INBOUND))
            .with_max_pending_outgoing(Some(MAX_PENDING_OUTBOUND))
            .with_max_established_per_peer(Some(MAX_PER_PEER));
        let identify = identify::Config::new(FAMILY.into(), keypair.public())
            .with_agent_version(AGENT.into())
            .with_push_listen_addr_updates(true)
            // What others say of their own addresses is no reason to dial them: `dial` decides.
            .with_cache_size(0);
        Self {
            limits: connection_limits::Behaviour::new(limits),
            relay,
            direct,
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            dht,
            exchange,
        }
    }
}
