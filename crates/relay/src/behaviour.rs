//! What the relay does on the network, and how much of it.

use std::num::NonZeroU32;

use libp2p::{
    PeerId, StreamProtocol,
    connection_limits::{self, ConnectionLimits},
    identify,
    identity::Keypair,
    kad, ping, relay,
    swarm::NetworkBehaviour,
};

use crate::{limits, per_ip::PerIp, records::Records};

/// The DHT that all of IPFS speaks.
const KAD: StreamProtocol = StreamProtocol::new("/ipfs/kad/1.0.0");

/// All protocols of the relay. The limits come first: they refuse before others prepare.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    limits: connection_limits::Behaviour,
    per_ip: PerIp,
    relay: relay::Behaviour,
    kad: kad::Behaviour<Records>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

impl Behaviour {
    /// The behaviour of the relay with this key.
    pub fn new(key: &Keypair) -> Self {
        let id = key.public().to_peer_id();
        let agent = concat!("avocet-relay/", env!("CARGO_PKG_VERSION"));
        let identify = identify::Config::new("/avocet/1.0.0".into(), key.public())
            .with_agent_version(agent.into());
        Self {
            limits: connection_limits::Behaviour::new(connections()),
            per_ip: PerIp::new(limits::CONNECTIONS_PER_IP),
            relay: relay::Behaviour::new(id, circuits()),
            kad: dht(id),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
        }
    }

    /// The provider records.
    pub fn records(&mut self) -> &mut Records {
        self.kad.store_mut()
    }
}

fn connections() -> ConnectionLimits {
    ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits::PENDING))
        .with_max_established_incoming(Some(limits::CONNECTIONS))
        .with_max_established_per_peer(Some(limits::CONNECTIONS_PER_PEER))
        // The relay answers, it dials nobody.
        .with_max_pending_outgoing(Some(0))
        .with_max_established_outgoing(Some(0))
}

fn circuits() -> relay::Config {
    let config = relay::Config {
        max_reservations: limits::RESERVATIONS,
        max_reservations_per_peer: limits::RESERVATIONS_PER_PEER,
        reservation_duration: limits::RESERVATION,
        reservation_rate_limiters: Vec::new(),
        max_circuits: limits::CIRCUITS,
        max_circuits_per_peer: limits::CIRCUITS_PER_PEER,
        max_circuit_duration: limits::CIRCUIT,
        max_circuit_bytes: limits::CIRCUIT_BYTES,
        circuit_src_rate_limiters: Vec::new(),
    };
    // By peer only: behind a proxy all have the proxy's address, and `per_ip` bounds the peers.
    let burst = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    config
        .reservation_rate_per_peer(burst(limits::RESERVATION_BURST), limits::RESERVATION_EVERY)
        .circuit_src_per_peer(burst(limits::CIRCUIT_BURST), limits::CIRCUIT_EVERY)
}

fn dht(id: PeerId) -> kad::Behaviour<Records> {
    let mut config = kad::Config::new(KAD);
    config
        .set_max_packet_size(limits::KAD_MESSAGE)
        .set_provider_record_ttl(Some(limits::RECORD_TTL))
        // It provides and stores nothing of its own, so there is nothing to say again.
        .set_provider_publication_interval(None)
        .set_publication_interval(None)
        .set_replication_interval(None)
        .set_periodic_bootstrap_interval(None)
        // Tabs come and go and cannot be dialled: none of them belongs into a routing table.
        .set_kbucket_inserts(kad::BucketInserts::Manual);
    let mut kad = kad::Behaviour::with_config(id, Records::default(), config);
    kad.set_mode(Some(kad::Mode::Server));
    kad
}
