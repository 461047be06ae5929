//! The client beside libp2p's own servers, in one process, by names that a lookup gives it as on the public network.

use super::{Contact, Dht, Event, PROTOCOL, QueryId};
use crate::platform;
use avocet_dag::varint;
use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt,
    future::{BoxFuture, ready},
};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, Transport,
    core::{
        Endpoint,
        muxing::StreamMuxerBox,
        transport::{
            Boxed, DialOpts, ListenerId, MemoryTransport, PortUse, TransportError, TransportEvent,
        },
        upgrade::{DeniedUpgrade, ReadyUpgrade, Version},
    },
    identify,
    identity::Keypair,
    kad,
    multiaddr::Protocol,
    noise,
    swarm::{
        self, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, SubstreamProtocol, SwarmEvent, ToSwarm, handler::ConnectionEvent,
    },
    yamux,
};
use std::{
    collections::HashSet,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

/// What was dialled, in that order.
type Dialled = Arc<Mutex<Vec<Multiaddr>>>;

/// Servers by name: `/dns4/<n>.example/tcp/443/wss` leads to `/memory/<n>`. What is dialled is noted.
struct Named {
    memory: MemoryTransport,
    dialled: Dialled,
}

fn name(n: u64) -> Multiaddr {
    format!("/dns4/s{n}.example/tcp/443/wss").parse().unwrap()
}

fn memory(addr: &Multiaddr) -> Option<Multiaddr> {
    match addr.iter().next() {
        Some(Protocol::Dns4(host)) => {
            let n = host.strip_prefix('s')?.strip_suffix(".example")?.parse().ok()?;
            Some(Multiaddr::empty().with(Protocol::Memory(n)))
        }
        _ => None,
    }
}

impl Transport for Named {
    type Output = <MemoryTransport as Transport>::Output;
    type Error = <MemoryTransport as Transport>::Error;
    type ListenerUpgrade = <MemoryTransport as Transport>::ListenerUpgrade;
    type Dial = <MemoryTransport as Transport>::Dial;

    fn listen_on(
        &mut self,
        id: ListenerId,
        addr: Multiaddr,
    ) -> Result<(), TransportError<Self::Error>> {
        self.memory.listen_on(id, addr)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.memory.remove_listener(id)
    }

    fn dial(
        &mut self,
        addr: Multiaddr,
        opts: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        self.dialled.lock().unwrap().push(addr.clone());
        let there = memory(&addr).ok_or(TransportError::MultiaddrNotSupported(addr))?;
        self.memory.dial(there, opts)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.memory).poll(cx)
    }
}

fn transport(key: &Keypair, dialled: Dialled) -> Boxed<(PeerId, StreamMuxerBox)> {
    let named = Named { memory: MemoryTransport::default(), dialled };
    named
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(key).unwrap())
        .multiplex(yamux::Config::default())
        .boxed()
}

/// A behaviour of servers or clients beside identify, without which nobody knows who is a server.
#[derive(NetworkBehaviour)]
struct With<B: NetworkBehaviour> {
    inner: B,
    identify: identify::Behaviour,
}

fn swarm<B: NetworkBehaviour>(key: &Keypair, inner: B, dialled: Dialled) -> Swarm<With<B>> {
    let config = identify::Config::new("test".into(), key.public()).with_cache_size(0);
    let behaviour = With { inner, identify: identify::Behaviour::new(config) };
    let config = swarm::Config::with_executor(platform::spawn)
        .with_idle_connection_timeout(Duration::from_secs(30));
    Swarm::new(transport(key, dialled), behaviour, key.public().to_peer_id(), config)
}

fn key(n: u64) -> Keypair {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&n.to_be_bytes());
    Keypair::ed25519_from_bytes(seed).unwrap()
}

fn id(n: u64) -> PeerId {
    key(n).public().to_peer_id()
}

fn run<F: Future>(test: F) -> F::Output {
    platform::block_on(test).unwrap()
}

/// A server of libp2p that knows `others` by their names.
fn server(n: u64, others: impl Iterator<Item = u64>) {
    let key = key(n);
    let local = key.public().to_peer_id();
    let mut kad = kad::Behaviour::new(local, kad::store::MemoryStore::new(local));
    kad.set_mode(Some(kad::Mode::Server));
    for other in others.filter(|other| *other != n) {
        kad.add_address(&id(other), name(other));
    }
    listen(n, swarm(&key, kad, Arc::default()));
}

fn listen<B: NetworkBehaviour>(n: u64, mut swarm: Swarm<With<B>>) {
    swarm.listen_on(Multiaddr::empty().with(Protocol::Memory(n))).unwrap();
    platform::spawn(async move { while swarm.next().await.is_some() {} });
}

/// Claims to be a server, and answers every request with these bytes, or never.
struct Rogue(Option<Vec<u8>>);

struct RogueHandler {
    answer: Option<Vec<u8>>,
    running: Vec<BoxFuture<'static, ()>>,
}

impl ConnectionHandler for RogueHandler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Infallible;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = DeniedUpgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, (), Infallible>> {
        self.running.retain_mut(|one| one.poll_unpin(cx).is_pending());
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<Self::InboundProtocol, DeniedUpgrade>,
    ) {
        if let ConnectionEvent::FullyNegotiatedInbound(stream) = event {
            let (mut stream, answer) = (stream.protocol, self.answer.clone());
            self.running.push(Box::pin(async move {
                let mut request = [0; 64];
                let _ = stream.read(&mut request).await;
                match answer {
                    Some(answer) => {
                        let _ = stream.write_all(&answer).await;
                        let _ = stream.flush().await;
                        let _ = stream.read(&mut request).await;
                    }
                    None => std::future::pending().await,
                }
            }));
        }
    }
}

impl NetworkBehaviour for Rogue {
    type ConnectionHandler = RogueHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<RogueHandler, ConnectionDenied> {
        Ok(RogueHandler { answer: self.0.clone(), running: Vec::new() })
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<RogueHandler, ConnectionDenied> {
        Ok(RogueHandler { answer: self.0.clone(), running: Vec::new() })
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: Infallible) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, Infallible>> {
        Poll::Pending
    }
}

fn rogue(n: u64, answer: Option<Vec<u8>>) {
    listen(n, swarm(&key(n), Rogue(answer), Arc::default()));
}

/// Our client, which knows these servers by name.
struct Client {
    swarm: Swarm<With<Dht>>,
    dialled: Dialled,
}

impl Client {
    fn new(n: u64, named: &[u64]) -> Self {
        let named = named.iter().map(|n| name(*n).with_p2p(id(*n)).unwrap()).collect();
        let (key, dialled) = (key(n), Dialled::default());
        let dht = Dht::new(key.public().to_peer_id(), named);
        Self { swarm: swarm(&key, dht, dialled.clone()), dialled }
    }

    /// The outcome of the query: who has it, and how many servers were told.
    async fn outcome(&mut self, query: QueryId) -> (Vec<Contact>, usize) {
        let mut found: Vec<Contact> = Vec::new();
        loop {
            let event = self.swarm.select_next_some().await;
            match event {
                SwarmEvent::Behaviour(WithEvent::Inner(Event::Providers(of, providers))) => {
                    assert_eq!(of, query);
                    for one in providers {
                        if !found.contains(&one) {
                            found.push(one);
                        }
                    }
                }
                SwarmEvent::Behaviour(WithEvent::Inner(Event::Ended(of, told))) if of == query => {
                    return (found, told);
                }
                _ => {}
            }
        }
    }

    async fn find(&mut self, key: &[u8]) -> Vec<Contact> {
        let query = self.swarm.behaviour_mut().inner.find(key.to_vec());
        self.outcome(query).await.0
    }

    async fn provide(&mut self, key: &[u8]) -> usize {
        let query = self.swarm.behaviour_mut().inner.provide(key.to_vec());
        self.outcome(query).await.1
    }

    fn dialled(&self) -> Vec<Multiaddr> {
        self.dialled.lock().unwrap().clone()
    }
}

fn relayed(n: u64) -> Multiaddr {
    format!("/dns4/relay.example/tcp/443/wss/p2p/{}/p2p-circuit/webrtc", id(n)).parse().unwrap()
}

#[test]
fn what_one_provides_another_finds_with_its_addresses() {
    run(async {
        server(1000, std::iter::empty());
        let mut first = Client::new(1, &[1000]);
        let ours = relayed(2).with_p2p(id(1)).unwrap();
        first.swarm.add_external_address(ours.clone());
        assert_eq!(first.provide(b"a key").await, 1);
        platform::spawn(async move { while first.swarm.next().await.is_some() {} });
        let mut second = Client::new(2, &[1000]);
        let contact = Contact { id: id(1), addrs: vec![ours] };
        // The record may still be on its way.
        let found = loop {
            let found = second.find(b"a key").await;
            if !found.is_empty() {
                break found;
            }
        };
        assert_eq!(found, [contact]);
        assert_eq!(second.find(b"another key").await, []);
        assert_eq!(second.dialled().len(), 1, "one connection for all");
    });
}

#[test]
fn of_thirty_servers_with_one_known_the_twenty_closest_are_told_and_found() {
    run(async {
        let all = 1100..1130;
        for n in all.clone() {
            // Each knows the seven after it.
            server(n, (1..8).map(|step| 1100 + (n - 1100 + step) % 30));
        }
        let mut first = Client::new(3, &[1100]);
        first.swarm.add_external_address(relayed(2));
        assert_eq!(first.provide(b"key").await, 20);
        let asked: HashSet<_> = first.dialled().into_iter().collect();
        assert!(asked.len() >= 20 && asked.len() == first.dialled().len());
        platform::spawn(async move { while first.swarm.next().await.is_some() {} });
        let mut second = Client::new(4, &[1117]);
        let found = second.find(b"key").await;
        assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), [id(3)]);
        assert!(!found[0].addrs.is_empty());
    });
}

#[test]
fn with_no_server_or_only_dead_ones_a_query_ends_with_nothing() {
    run(async {
        let mut nobody = Client::new(5, &[]);
        assert_eq!((nobody.find(b"key").await, nobody.provide(b"key").await), (vec![], 0));
        let mut dead = Client::new(6, &[1201, 1202, 1203, 1204]);
        assert_eq!((dead.find(b"key").await, dead.provide(b"key").await), (vec![], 0));
        assert_eq!(dead.dialled().len(), 8, "the person named them: they are tried again");
    });
}

#[test]
fn silent_servers_hold_up_nobody_for_longer_than_their_time() {
    run(async {
        let silent = 1301..1305;
        silent.clone().for_each(|n| rogue(n, None));
        server(1300, silent.clone());
        let named: Vec<_> = (1300..1305).collect();
        let mut client = Client::new(7, &named);
        let began = platform::now();
        assert_eq!(client.provide(b"key").await, 1);
        let took = began.elapsed();
        assert!(Duration::from_secs(9) < took && took < Duration::from_secs(20), "{took:?}");
    });
}

/// A message of the server: each of these as a closer peer and as a provider, with its length.
fn answer(contacts: &[(PeerId, Multiaddr)]) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| {
        let mut out = vec![number << 3 | 2];
        varint::write(bytes.len() as u64, &mut out);
        [out.as_slice(), bytes].concat()
    };
    let mut body = Vec::new();
    for (id, addr) in contacts {
        let contact = [field(1, &id.to_bytes()), field(2, addr.as_ref())].concat();
        body.extend(field(8, &contact));
        body.extend(field(9, &contact));
    }
    let mut whole = Vec::new();
    varint::write(body.len() as u64, &mut whole);
    [whole, body].concat()
}

#[test]
fn http_02_a_server_at_a_private_address_is_dialled_only_if_the_person_named_it() {
    run(async {
        let private = ["/ip4/192.168.1.1/tcp/80/ws", "/ip4/127.0.0.1/tcp/1/ws", "/memory/1401"];
        let mut told: Vec<_> =
            (1401..).zip(private).map(|(n, addr)| (id(n), addr.parse().unwrap())).collect();
        told.push((id(1404), name(1404)));
        // What a browser has no way to.
        told.push((id(1405), "/ip4/93.184.216.34/tcp/4001".parse().unwrap()));
        rogue(1400, Some(answer(&told)));
        let mut client = Client::new(8, &[1400]);
        let found = client.find(b"key").await;
        assert_eq!(found.len(), 5, "what is known is told all the same");
        let dialled: Vec<_> = client.dialled();
        let expected = [1400, 1404].map(|n| name(n).with_p2p(id(n)).unwrap());
        assert_eq!(dialled, expected);
        let home: Multiaddr =
            format!("/ip4/192.168.1.5/tcp/8081/ws/p2p/{}", id(9)).parse().unwrap();
        let dialled = Dialled::default();
        let dht = Dht::new(id(10), vec![home.clone()]);
        let swarm = swarm(&key(10), dht, dialled.clone());
        let mut client = Client { swarm, dialled };
        client.find(b"key").await;
        assert_eq!(client.dialled(), [home]);
    });
}

#[test]
fn net_05_garbage_and_more_peers_than_there_may_be_leave_the_query_to_the_honest() {
    run(async {
        let many: Vec<_> = (0..150).map(|n| (id(20_000 + n), name(20_000 + n))).collect();
        rogue(1501, Some(answer(&many)));
        rogue(1502, Some(vec![0xff; 64]));
        rogue(1503, Some(vec![3, 0xff, 0xff, 0xff]));
        rogue(1504, Some(vec![40, 1]));
        // More than 16 KiB.
        rogue(1505, Some([vec![0x80, 0x80, 0x7f], vec![0; 40_000]].concat()));
        server(1500, std::iter::empty());
        let mut honest = Client::new(11, &[1500]);
        honest.swarm.add_external_address(relayed(2));
        assert_eq!(honest.provide(b"key").await, 1);
        platform::spawn(async move { while honest.swarm.next().await.is_some() {} });
        let named: Vec<_> = (1500..1506).collect();
        let mut client = Client::new(12, &named);
        let found = client.find(b"key").await;
        assert!(found.iter().any(|one| one.id == id(11)));
        assert!(found.len() <= 101, "a hundred of the one, and the honest one");
        assert!(client.dialled().len() <= 6 + 20);
    });
}

#[test]
fn what_is_unprovided_or_finished_asks_nothing_more() {
    run(async {
        rogue(1600, None);
        let mut client = Client::new(13, &[1600]);
        let dht = &mut client.swarm.behaviour_mut().inner;
        let (found, told) = (dht.find(b"key".to_vec()), dht.provide(b"key".to_vec()));
        client
            .swarm
            .by_ref()
            .filter(|event| ready(matches!(event, SwarmEvent::ConnectionEstablished { .. })))
            .next()
            .await;
        let began = platform::now();
        client.swarm.behaviour_mut().inner.unprovide(b"key");
        assert_eq!(client.outcome(told).await, (vec![], 0));
        client.swarm.behaviour_mut().inner.finish(found);
        assert_eq!(client.outcome(found).await, (vec![], 0));
        assert!(began.elapsed() < Duration::from_secs(3));
    });
}
