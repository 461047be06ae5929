//! The DHT's client. It dials servers of its own accord, by addresses that strangers named; here those pass the
//! same policy as every other dial ([`dial::rank`]).

use super::dial::{self, Source};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{Endpoint, transport::PortUse},
    identity::Keypair,
    kad,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};
use std::{
    num::NonZeroUsize,
    task::{Context, Poll},
    time::Duration,
};

/// The public network's DHT (specification: Kademlia DHT).
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/ipfs/kad/1.0.0");
/// A query that has not ended by then has met only peers that do not answer.
const QUERY_TIME: Duration = Duration::from_secs(20);
/// Keys that one tab provides at the most: 1000 entries a root (the JavaScript contract) for some tens of roots.
pub const MAX_PROVIDED: usize = 65_536;

type Kad = kad::Behaviour<kad::store::MemoryStore>;

/// A client only: a tab comes and goes too often to hold others' records.
pub struct Dht {
    kad: Kad,
    /// Relays and servers that the person named: taken as they are.
    named: Vec<Multiaddr>,
}

impl Dht {
    /// A client for the peer with this key. `named` are the addresses that the person gave, each ending with `/p2p/<id>`.
    pub fn new(keypair: &Keypair, named: Vec<Multiaddr>) -> Self {
        let id = keypair.public().to_peer_id();
        let store = kad::store::MemoryStoreConfig {
            max_provided_keys: MAX_PROVIDED,
            max_records: 0,
            ..Default::default()
        };
        let mut config = kad::Config::new(PROTOCOL);
        config
            .set_query_timeout(QUERY_TIME)
            .set_parallelism(NonZeroUsize::MIN.saturating_add(2))
            // `route::provide` decides when to say again what is here.
            .set_provider_publication_interval(None)
            .set_publication_interval(None)
            .set_replication_interval(None);
        let store = kad::store::MemoryStore::with_config(id, store);
        let mut kad = kad::Behaviour::with_config(id, store, config);
        kad.set_mode(Some(kad::Mode::Client));
        Self { kad, named }
    }

    /// The queries and keys of the client.
    pub const fn client(&mut self) -> &mut Kad {
        &mut self.kad
    }

    /// All that is known of a peer's addresses, whoever named them. Those of a provider live in the query while it
    /// runs and have no way out of it but the one by which a dial asks for them, so a dial's question is put here
    /// without the dial.
    pub fn addresses(&mut self, peer: PeerId) -> Vec<Multiaddr> {
        let nobody = ConnectionId::new_unchecked(usize::MAX);
        self.kad
            .handle_pending_outbound_connection(nobody, Some(peer), &[], Endpoint::Dialer)
            .unwrap_or_default()
    }

    /// Those of `addrs` that may be dialled.
    fn allowed(&self, peer: PeerId, addrs: Vec<Multiaddr>) -> Vec<Multiaddr> {
        let complete = addrs.into_iter().filter_map(|addr| dial::ending_at(addr, peer));
        let (mut allowed, strange): (Vec<_>, Vec<_>) =
            complete.partition(|addr| self.named.contains(addr));
        allowed.extend(dial::rank(peer, strange, Source::Stranger, &[]));
        allowed
    }
}

impl NetworkBehaviour for Dht {
    type ConnectionHandler = <Kad as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = kad::Event;

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addrs: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let found = self.kad.handle_pending_outbound_connection(connection, peer, addrs, role)?;
        Ok(peer.map(|peer| self.allowed(peer, found)).unwrap_or_default())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.kad.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        addr: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.kad.handle_established_outbound_connection(connection, peer, addr, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.kad.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.kad.on_connection_handler_event(peer, connection, event);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.kad.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(dht: &mut Dht, peer: PeerId) -> Vec<Multiaddr> {
        let id = ConnectionId::new_unchecked(1);
        dht.handle_pending_outbound_connection(id, Some(peer), &[], Endpoint::Dialer).unwrap()
    }

    #[test]
    fn http_02_a_dht_server_at_a_private_address_is_dialled_only_if_the_person_named_it() {
        let keypair = Keypair::generate_ed25519();
        let (friend, stranger) = (PeerId::random(), PeerId::random());
        let named: Multiaddr =
            format!("/ip4/192.168.1.5/tcp/8081/ws/p2p/{friend}").parse().unwrap();
        let mut dht = Dht::new(&keypair, vec![named.clone()]);
        dht.client().add_address(&friend, named.clone());
        let private: Multiaddr = "/ip4/192.168.1.1/tcp/80/ws".parse().unwrap();
        let public: Multiaddr = "/dns4/peer.example/tcp/443/wss".parse().unwrap();
        dht.client().add_address(&friend, private.clone());
        dht.client().add_address(&stranger, private);
        dht.client().add_address(&stranger, public.clone());
        assert_eq!(asked(&mut dht, friend), [named]);
        let public = dial::ending_at(public, stranger).unwrap();
        assert_eq!(asked(&mut dht, stranger), [public]);
        assert_eq!(dht.addresses(stranger).len(), 2, "what is known is told all the same");
    }
}
