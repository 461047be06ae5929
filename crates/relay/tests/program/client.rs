//! A peer as a tab is one, natively: WebSocket, relay client, Kademlia client.

use std::{collections::HashSet, time::Duration};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport,
    core::upgrade::Version,
    identify,
    identity::Keypair,
    kad::{self, store::MemoryStore},
    multiaddr::Protocol,
    noise, ping, relay,
    swarm::{Config, NetworkBehaviour, SwarmEvent},
    tcp, websocket, yamux,
};
use tokio::time::timeout;

#[derive(NetworkBehaviour)]
struct Behaviour {
    relay: relay::client::Behaviour,
    kad: kad::Behaviour<MemoryStore>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

pub struct Client(Swarm<Behaviour>);

impl Client {
    pub fn new() -> Self {
        let key = Keypair::generate_ed25519();
        let id = key.public().to_peer_id();
        let (relayed, relay) = relay::client::new(id);
        let websocket = websocket::Config::new(tcp::tokio::Transport::default());
        let transport = relayed
            .or_transport(websocket)
            .upgrade(Version::V1Lazy)
            .authenticate(noise::Config::new(&key).unwrap())
            .multiplex(yamux::Config::default())
            .boxed();
        let mut kad = kad::Behaviour::new(id, MemoryStore::new(id));
        kad.set_mode(Some(kad::Mode::Client));
        let identify = identify::Config::new("/test".into(), key.public());
        let behaviour = Behaviour {
            relay,
            kad,
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
        };
        let config =
            Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(60));
        Self(Swarm::new(transport, behaviour, id, config))
    }

    pub fn id(&self) -> PeerId {
        *self.0.local_peer_id()
    }

    /// Keeps it going; never ends by itself.
    pub async fn run(&mut self) {
        loop {
            self.0.select_next_some().await;
        }
    }

    /// Connects, and waits until Kademlia knows the other side too where that is the relay.
    pub async fn connect(&mut self, address: &Multiaddr, patience: Duration) {
        let direct = !address.iter().any(|p| p == Protocol::P2pCircuit);
        self.0.dial(address.clone()).unwrap();
        self.until(patience, |event| match event {
            SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::RoutingUpdated { .. })) => {
                Some(())
            }
            SwarmEvent::ConnectionEstablished { endpoint, .. }
                if !direct && endpoint.is_relayed() =>
            {
                Some(())
            }
            SwarmEvent::OutgoingConnectionError { error, .. } => panic!("{error}"),
            _ => None,
        })
        .await;
    }

    /// Reserves at the relay; gives the address by which others get through.
    pub async fn reserve(&mut self, relay: &Multiaddr, patience: Duration) -> Multiaddr {
        self.connect(relay, patience).await;
        self.0.listen_on(relay.clone().with(Protocol::P2pCircuit)).unwrap();
        self.until(patience, |event| match event {
            SwarmEvent::NewListenAddr { address, .. } => Some(address.clone()),
            SwarmEvent::ListenerClosed { reason, .. } => panic!("{reason:?}"),
            _ => None,
        })
        .await
    }

    /// Says at the relay that it has `key`, under one address.
    pub async fn provide(&mut self, key: &[u8], address: &Multiaddr, patience: Duration) {
        self.0.add_external_address(address.clone());
        self.0.behaviour_mut().kad.start_providing(kad::RecordKey::new(&key)).unwrap();
        self.until(patience, |event| match event {
            SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed {
                result: kad::QueryResult::StartProviding(result),
                ..
            })) => {
                assert!(result.is_ok(), "{result:?}");
                Some(())
            }
            _ => None,
        })
        .await;
    }

    /// Who has `key`.
    pub async fn find(&mut self, key: &[u8], patience: Duration) -> HashSet<PeerId> {
        self.0.behaviour_mut().kad.get_providers(kad::RecordKey::new(&key));
        let mut found = HashSet::new();
        self.until(patience, |event| match event {
            SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed {
                result: kad::QueryResult::GetProviders(Ok(result)),
                step,
                ..
            })) => {
                if let kad::GetProvidersOk::FoundProviders { providers, .. } = result {
                    found.extend(providers.iter().copied());
                }
                step.last.then_some(())
            }
            _ => None,
        })
        .await;
        found
    }

    async fn until<T>(
        &mut self,
        patience: Duration,
        mut seen: impl FnMut(&SwarmEvent<BehaviourEvent>) -> Option<T>,
    ) -> T {
        let wait = async {
            loop {
                let event = self.0.select_next_some().await;
                if let Some(result) = seen(&event) {
                    return result;
                }
            }
        };
        timeout(patience, wait).await.expect("no answer")
    }
}
