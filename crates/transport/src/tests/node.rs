//! A peer as a page has it, without what moves blocks.

use std::{future::poll_fn, task::Poll, time::Duration};

use futures::StreamExt;
use futures_timer::Delay;
use libp2p::{
    Multiaddr, PeerId, Stream, Swarm, Transport as _,
    core::{ConnectedPoint, muxing::StreamMuxerBox, upgrade::Version},
    identify,
    identity::Keypair,
    multiaddr::Protocol,
    noise, ping, relay,
    swarm::{
        Config, ConnectionId, NetworkBehaviour, SwarmEvent,
        behaviour::toggle::Toggle,
        dial_opts::{DialOpts, PeerCondition},
    },
    yamux,
};

use super::{given, streams::Streams};
use crate::{
    webrtc::{self, Closer, is_direct, is_webrtc},
    websocket,
};

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    webrtc: Toggle<webrtc::Behaviour>,
    relay: relay::client::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub streams: Streams,
}

pub struct Node {
    pub id: PeerId,
    pub swarm: Swarm<Behaviour>,
    pub closer: Closer,
    /// Connections to others than the relay.
    pub connections: Vec<(ConnectionId, PeerId, ConnectedPoint)>,
    /// Connections to others that a ping has passed over.
    pub pinged: Vec<ConnectionId>,
    /// How many connections to others there were, of both kinds.
    pub relayed_ever: usize,
    pub direct_ever: usize,
    /// Where it can be dialled by `/webrtc`.
    pub addresses: Vec<Multiaddr>,
    /// What others saw us as.
    pub observed: Vec<Multiaddr>,
    /// Why dials failed.
    pub failures: Vec<String>,
}

impl Node {
    pub fn new() -> Self {
        Self::with(Keypair::generate_ed25519(), true, "/test/bytes")
    }

    /// One that speaks signalling by the test's own hand.
    pub fn hostile() -> Self {
        Self::with(Keypair::generate_ed25519(), false, webrtc::signal::PROTOCOL)
    }

    /// One with this key.
    pub fn of(key: Keypair) -> Self {
        Self::with(key, true, "/test/bytes")
    }

    fn with(key: Keypair, signals: bool, protocol: &'static str) -> Self {
        let id = key.public().to_peer_id();
        let (relayed, relay) = relay::client::new(id);
        let (direct, behaviour, closer) = webrtc::new(id, webrtc::Config::default()).unwrap();
        let upgraded = relayed
            .or_transport(websocket::Transport::new())
            .upgrade(Version::V1)
            .authenticate(noise::Config::new(&key).unwrap())
            .multiplex(yamux::Config::default())
            .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
        let transport = direct
            .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
            .or_transport(upgraded)
            .map(|either, _| either.into_inner())
            .boxed();
        let behaviour = Behaviour {
            webrtc: signals.then_some(behaviour).into(),
            relay,
            identify: identify::Behaviour::new(identify::Config::new(
                "/test/1".into(),
                key.public(),
            )),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_secs(1))),
            streams: Streams::new(protocol),
        };
        let config = Config::with_executor(wasm_bindgen_futures::spawn_local)
            .with_idle_connection_timeout(Duration::from_secs(60));
        let swarm = Swarm::new(transport, behaviour, id, config);
        Self {
            id,
            swarm,
            closer,
            connections: Vec::new(),
            pinged: Vec::new(),
            relayed_ever: 0,
            direct_ever: 0,
            addresses: Vec::new(),
            observed: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// A peer that can be dialled.
    pub async fn reachable() -> Self {
        let mut node = Self::new();
        node.listen().await;
        node
    }

    pub async fn listen(&mut self) {
        self.swarm.listen_on(Protocol::WebRTC.into()).unwrap();
        self.swarm.listen_on(relay().with(Protocol::P2pCircuit)).unwrap();
        until("a reservation", &mut [self], |nodes| !nodes[0].addresses.is_empty()).await;
    }

    /// Reserves, without listening for `/webrtc`.
    pub async fn reserve(&mut self) {
        self.swarm.listen_on(relay().with(Protocol::P2pCircuit)).unwrap();
        until("a reservation", &mut [self], |nodes| {
            nodes[0].swarm.external_addresses().next().is_some()
        })
        .await;
    }

    pub fn relayed_address(&self) -> Multiaddr {
        relay().with(Protocol::P2pCircuit).with(Protocol::P2p(self.id))
    }

    pub fn webrtc_address(&self) -> Multiaddr {
        relay().with(Protocol::P2pCircuit).with(Protocol::WebRTC).with(Protocol::P2p(self.id))
    }

    pub fn dial(&mut self, peer: PeerId, address: Multiaddr) {
        let opts = DialOpts::peer_id(peer)
            .addresses(vec![address])
            .condition(PeerCondition::Always)
            .build();
        self.swarm.dial(opts).unwrap();
    }

    /// The direct connections with `peer`.
    pub fn direct(&self, peer: PeerId) -> Vec<ConnectionId> {
        self.with_peer(peer, true)
    }

    /// The relayed ones.
    pub fn relayed(&self, peer: PeerId) -> Vec<ConnectionId> {
        self.with_peer(peer, false)
    }

    fn with_peer(&self, peer: PeerId, direct: bool) -> Vec<ConnectionId> {
        let fits = |point: &ConnectedPoint| is_direct(point) == direct;
        let with = self.connections.iter().filter(|(_, id, point)| *id == peer && fits(point));
        with.map(|(id, ..)| *id).collect()
    }

    /// Whether all that is left with `peer` is one direct connection.
    pub fn settled(&self, peer: PeerId) -> bool {
        self.direct(peer).len() == 1 && self.relayed(peer).is_empty()
    }

    fn record(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let relay = relay_id();
        match event {
            SwarmEvent::NewListenAddr { address, .. } if is_webrtc(&address) => {
                self.addresses.push(address);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.addresses.retain(|known| *known != address);
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. }
                if peer_id != relay =>
            {
                self.relayed_ever += usize::from(!is_direct(&endpoint));
                self.direct_ever += usize::from(is_direct(&endpoint));
                self.connections.push((connection_id, peer_id, endpoint));
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => {
                self.connections.retain(|(id, ..)| *id != connection_id);
            }
            SwarmEvent::OutgoingConnectionError { error, .. } => {
                self.failures.push(error.to_string());
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                connection,
                result: Ok(_),
                ..
            })) => self.pinged.push(connection),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                info,
                ..
            })) => self.observed.push(info.observed_addr),
            _ => {}
        }
    }
}

/// The relay's address, with its id.
pub fn relay() -> Multiaddr {
    let given = given("AVOCET_TEST_RELAY");
    given.expect("the page was given no relay (AVOCET_TEST_RELAY)").parse().unwrap()
}

fn relay_id() -> PeerId {
    match relay().iter().last() {
        Some(Protocol::P2p(id)) => id,
        other => panic!("the relay's address ends with {other:?}"),
    }
}

/// Lets the nodes run until the condition holds.
pub async fn until(what: &str, nodes: &mut [&mut Node], holds: impl Fn(&[&mut Node]) -> bool) {
    let mut limit = Delay::new(Duration::from_secs(30));
    let held = poll_fn(|cx| {
        loop {
            if holds(nodes) {
                return Poll::Ready(true);
            }
            let event = nodes.iter_mut().enumerate().find_map(|(at, node)| {
                match node.swarm.poll_next_unpin(cx) {
                    Poll::Ready(Some(event)) => Some((at, event)),
                    _ => None,
                }
            });
            match event {
                Some((at, event)) => nodes[at].record(event),
                None => break,
            }
        }
        futures::FutureExt::poll_unpin(&mut limit, cx).map(|()| false)
    })
    .await;
    if !held {
        let state = nodes.iter().map(|node| (&node.connections, &node.failures));
        panic!("{what}: not within 30 s; {:#?}", state.collect::<Vec<_>>());
    }
}

/// Lets the nodes run while some work is done.
pub async fn during<T>(nodes: &mut [&mut Node], work: impl Future<Output = T>) -> T {
    futures::pin_mut!(work);
    poll_fn(|cx| {
        for node in nodes.iter_mut() {
            while let Poll::Ready(Some(event)) = node.swarm.poll_next_unpin(cx) {
                node.record(event);
            }
        }
        work.as_mut().poll(cx)
    })
    .await
}

/// A stream from one to the other on a connection: the opener's end first.
pub async fn stream(from: &mut Node, to: &mut Node, connection: ConnectionId) -> (Stream, Stream) {
    let peer = to.id;
    from.swarm.behaviour_mut().streams.open(peer, connection);
    until("a stream", &mut [from, to], |nodes| {
        let came = |at: usize| &nodes[at].swarm.behaviour().streams;
        !came(0).opened.is_empty() && !came(1).inbound.is_empty()
    })
    .await;
    let near = from.swarm.behaviour_mut().streams.opened.pop_front().unwrap();
    let far = to.swarm.behaviour_mut().streams.inbound.pop_front().unwrap();
    (near, far)
}
