//! What the network is made of, what it tells, and its start.

use super::{
    behaviour::Behaviour,
    dht::Dht,
    dials::Dials,
    discovery::Discovery,
    exchange::{self, Exchange},
    handle::{COMMANDS, Handle},
    medium::{self, IceServer, MediumError},
    relays::Relays,
    swarm::Network,
    table::PeerInfo,
};
use crate::platform;
use futures::channel::mpsc;
use libp2p::{Multiaddr, Swarm, identity::Keypair, relay, swarm};
use std::{collections::HashSet, rc::Rc, time::Duration};

/// A connection on which nothing is kept alive is closed after this long. A reservation and an exchange keep
/// theirs; what is left are dials that were given up and signalling.
const IDLE: Duration = Duration::from_secs(30);
/// Streams of one connection that may be negotiating (js-libp2p allows 32 a protocol).
const NEGOTIATING: usize = 64;

/// What the network is made of.
pub struct Options {
    /// Who we are.
    pub keypair: Keypair,
    /// Relays to reserve on, each ending with `/p2p/<id>`.
    pub relays: Vec<Multiaddr>,
    /// Servers of the DHT to begin with, each ending with `/p2p/<id>`.
    pub bootstrap: Vec<Multiaddr>,
    /// For WebRTC.
    pub ice_servers: Vec<IceServer>,
}

/// What happens on the network, for whoever started it.
#[derive(Debug)]
pub enum Event {
    /// The first connection with a peer, or the first direct one.
    Connected(PeerInfo),
    /// The last connection with a peer is gone.
    Disconnected(PeerInfo),
    /// The addresses under which others can dial us have changed.
    Addrs(Vec<Multiaddr>),
    /// Somebody is connected.
    Online,
    /// Nobody is.
    Offline,
    /// A server of the DHT has come: what is here can be told to it. Again whenever it comes back.
    DhtReady,
    /// Of the exchange.
    Exchange(exchange::Event),
}

/// Starts the loop as a task of its own; it ends with [`Handle::stop`] or with the last handle.
pub fn start(options: Options, on_event: impl Fn(Event) + 'static) -> Result<Handle, MediumError> {
    let local = options.keypair.public().to_peer_id();
    let (relay_transport, relay) = relay::client::new(local);
    let (transport, direct, closer) =
        medium::build(&options.keypair, relay_transport, options.ice_servers)?;
    let exchange = Exchange::new(local);
    let named = options.relays.iter().chain(&options.bootstrap).cloned().collect();
    let behaviour = Behaviour::new(
        &options.keypair,
        relay,
        direct,
        Dht::new(local, named),
        exchange::Behaviour::new(exchange.clone()),
    );
    let config = swarm::Config::with_executor(platform::spawn)
        .with_idle_connection_timeout(IDLE)
        .with_max_negotiating_inbound_streams(NEGOTIATING);
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let handle =
        Handle { local, commands, table: Rc::default(), addrs: Rc::default(), exchange, closer };
    let network = Network {
        swarm: Swarm::new(transport, behaviour, local, config),
        relays: Relays::new(&options.relays, platform::now()),
        bootstrap: options.bootstrap,
        dials: Dials::default(),
        parked: Vec::new(),
        discovery: Discovery::default(),
        table: handle.table.clone(),
        addrs: handle.addrs.clone(),
        dht_servers: HashSet::new(),
        online: false,
        on_event: Box::new(on_event),
    };
    platform::spawn(network.run(inbox));
    Ok(handle)
}
