//! The protocols that one peer speaks, joined into one libp2p behaviour.

use super::{exchange, medium};
use libp2p::{
    StreamProtocol, connection_limits, identify, identity::Keypair, kad, ping, relay,
    swarm::NetworkBehaviour,
};
use std::{num::NonZeroUsize, time::Duration};

/// Connections of one tab: what js-libp2p allows a browser.
const MAX_CONNECTIONS: u32 = 100;
/// Inbound connections that have not finished their handshake (js-libp2p's figure).
const MAX_PENDING_INBOUND: u32 = 10;
/// Dials under way at once (js-libp2p's figure): twice ours, since a direct one takes a relayed one beside it, and
/// room for those of the DHT.
const MAX_PENDING_OUTBOUND: u32 = 100;
/// Connections with one peer: a relayed and a direct one, and as many again while two dial each other at once.
const MAX_PER_PEER: u32 = 4;
/// The public network's DHT (specification: Kademlia DHT).
pub const DHT: StreamProtocol = StreamProtocol::new("/ipfs/kad/1.0.0");
/// A query that has not ended by then has met only peers that do not answer.
const QUERY_TIME: Duration = Duration::from_secs(20);
/// Keys that one tab provides at the most: 1000 entries a root (the JavaScript contract) for some tens of roots.
pub const MAX_PROVIDED: usize = 65_536;
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
    /// A client only: a tab comes and goes too often to hold others' records.
    pub dht: kad::Behaviour<kad::store::MemoryStore>,
    /// Blocks, over direct connections.
    pub exchange: exchange::Behaviour,
}

impl Behaviour {
    /// Joins the parts for the peer with this key.
    pub fn new(
        keypair: &Keypair,
        relay: relay::client::Behaviour,
        direct: medium::Direct,
        exchange: exchange::Behaviour,
    ) -> Self {
        let limits = connection_limits::ConnectionLimits::default()
            .with_max_established(Some(MAX_CONNECTIONS))
            .with_max_pending_incoming(Some(MAX_PENDING_INBOUND))
            .with_max_pending_outgoing(Some(MAX_PENDING_OUTBOUND))
            .with_max_established_per_peer(Some(MAX_PER_PEER));
        let identify = identify::Config::new(FAMILY.into(), keypair.public())
            .with_agent_version(AGENT.into())
            .with_push_listen_addr_updates(true);
        Self {
            limits: connection_limits::Behaviour::new(limits),
            relay,
            direct,
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            dht: dht(keypair),
            exchange,
        }
    }
}

fn dht(keypair: &Keypair) -> kad::Behaviour<kad::store::MemoryStore> {
    let id = keypair.public().to_peer_id();
    let store = kad::store::MemoryStoreConfig {
        max_provided_keys: MAX_PROVIDED,
        max_records: 0,
        ..Default::default()
    };
    let mut config = kad::Config::new(DHT);
    config
        .set_query_timeout(QUERY_TIME)
        .set_parallelism(NonZeroUsize::MIN.saturating_add(2))
        // `route::provide` decides when to say again what is here.
        .set_provider_publication_interval(None)
        .set_publication_interval(None)
        .set_replication_interval(None);
    let mut dht =
        kad::Behaviour::with_config(id, kad::store::MemoryStore::with_config(id, store), config);
    dht.set_mode(Some(kad::Mode::Client));
    dht
}
