//! The one loop of the relay: listens, keeps the swarm going, tidies up.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures::StreamExt;
use libp2p::{
    Multiaddr, Transport, TransportError,
    core::upgrade,
    identity::Keypair,
    multiaddr::Protocol,
    noise, relay,
    swarm::{Config, SwarmEvent},
    tcp, websocket, yamux,
};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::{
    behaviour::{Behaviour, BehaviourEvent},
    limits,
    stop::Stopped,
};

/// How often expired records are looked for; what has expired is never given out meanwhile.
const SWEEP: Duration = Duration::from_secs(10 * 60);

/// Why the relay cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SwarmError {
    /// Noise refuses the key.
    #[error("the key cannot be used: {0}")]
    Key(#[from] noise::Error),
    /// The listener cannot be opened.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, TransportError<io::Error>),
    /// The listener went away before it had an address.
    #[error("the listener on {0} ended before it began")]
    NoAddress(SocketAddr),
}

/// The listening relay.
pub struct Swarm {
    swarm: libp2p::Swarm<Behaviour>,
    /// The TCP port, never 0.
    pub port: u16,
}

/// Listens for WebSockets on `host` and `port`; 0 takes a free one.
///
/// `announce` holds the addresses by which others reach it; with none they are those it listens on.
/// They are what a reservation is answered with: without any, no reservation would be of use.
pub async fn listen(
    key: Keypair,
    host: IpAddr,
    port: u16,
    announce: &[Multiaddr],
) -> Result<Swarm, SwarmError> {
    let wanted = SocketAddr::new(host, port);
    let mut swarm = build(key)?;
    let address = Multiaddr::from(host).with(Protocol::Tcp(port)).with(Protocol::Ws("/".into()));
    swarm.listen_on(address).map_err(|e| SwarmError::Listen(wanted, e))?;
    for address in announce {
        swarm.add_external_address(address.clone());
    }
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { address, .. } => {
                listening(&mut swarm, &address, announce.is_empty());
                if let Some(port) = tcp_port(&address) {
                    return Ok(Swarm { swarm, port });
                }
            }
            SwarmEvent::ListenerClosed { .. } => return Err(SwarmError::NoAddress(wanted)),
            _ => {}
        }
    }
}

impl Swarm {
    /// Runs until `stopped` is told. With `announced`, addresses that come later stay its own secret.
    pub async fn run(mut self, announced: bool, mut stopped: Stopped) {
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => match event {
                    SwarmEvent::NewListenAddr { address, .. } => {
                        listening(&mut self.swarm, &address, !announced);
                    }
                    SwarmEvent::ExpiredListenAddr { address, .. } => {
                        info!(%address, "no longer listening");
                        self.swarm.remove_external_address(&address);
                    }
                    event => self.handle(event),
                },
                now = sweep.tick() => self.sweep(now),
                () = stopped.wait() => return,
            }
        }
    }

    fn handle(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, num_established, .. } => {
                debug!(peer = %peer_id, from = %endpoint.get_remote_address(), "connected");
                if num_established.get() == 1 {
                    self.swarm.behaviour_mut().records().set_here(peer_id, true);
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                debug!(peer = %peer_id, ?cause, "disconnected");
                self.swarm.behaviour_mut().records().set_here(peer_id, false);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                debug!(from = %send_back_addr, %error, "connection refused or failed");
            }
            SwarmEvent::ListenerError { error, .. } => warn!(%error, "listener"),
            SwarmEvent::ListenerClosed { reason, .. } => warn!(?reason, "listener closed"),
            SwarmEvent::Behaviour(BehaviourEvent::Relay(event)) => log_relay(&event),
            _ => {}
        }
    }

    fn sweep(&mut self, now: Instant) {
        let connections = self.swarm.network_info().connection_counters().num_established();
        let records = self.swarm.behaviour_mut().records();
        records.sweep(now);
        info!(connections, records = records.len(), "state");
    }
}

fn build(key: Keypair) -> Result<libp2p::Swarm<Behaviour>, SwarmError> {
    let security = noise::Config::new(&key)?;
    let mut muxer = yamux::Config::default();
    muxer.set_max_num_streams(limits::STREAMS);
    let mut websocket =
        websocket::Config::new(tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)));
    websocket.set_max_data_size(limits::WEBSOCKET_MESSAGE);
    let transport = websocket
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(security)
        .multiplex(muxer)
        .timeout(limits::HANDSHAKE)
        .boxed();
    let behaviour = Behaviour::new(&key);
    let config = Config::with_tokio_executor()
        .with_max_negotiating_inbound_streams(limits::NEGOTIATING_STREAMS)
        .with_idle_connection_timeout(limits::IDLE);
    let id = key.public().to_peer_id();
    Ok(libp2p::Swarm::new(transport, behaviour, id, config))
}

fn listening(swarm: &mut libp2p::Swarm<Behaviour>, address: &Multiaddr, external: bool) {
    info!(%address, "listening");
    if external {
        swarm.add_external_address(address.clone());
    }
}

fn tcp_port(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|p| if let Protocol::Tcp(port) = p { Some(port) } else { None })
}

fn log_relay(event: &relay::Event) {
    use relay::Event;
    match event {
        Event::ReservationReqAccepted { src_peer_id: peer, renewed } => {
            info!(%peer, renewed, "reservation");
        }
        Event::ReservationReqDenied { src_peer_id: peer, status } => {
            warn!(%peer, ?status, "reservation denied");
        }
        Event::CircuitReqAccepted { src_peer_id: from, dst_peer_id: to } => {
            info!(%from, %to, "circuit");
        }
        Event::CircuitReqDenied { src_peer_id: from, dst_peer_id: to, status } => {
            info!(%from, %to, ?status, "circuit denied");
        }
        event => debug!(?event, "relay"),
    }
}
