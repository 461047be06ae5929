//! The meeting point of Avocet peers, as one program.
//!
//! Two pages cannot reach each other until they have exchanged a few kilobytes; this relay carries
//! those (circuit relay v2 over WebSocket, with tight limits), remembers who has what (a Kademlia
//! server that keeps provider records), and serves the page itself. Files never pass through it.
//!
//! In order: [`options`], the [`key`], the [`swarm`] listens, [`http`] listens, one line of JSON on
//! stdout, then both run until SIGTERM or Ctrl-C. It keeps nothing but its key on disk: who
//! provides what is said again by the pages themselves.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    process::ExitCode,
};

use clap::Parser;
use serde::Serialize;
use tokio::net::TcpListener;
use tracing::{error, info};

mod addresses;
mod behaviour;
mod http;
mod key;
mod limits;
mod options;
mod per_ip;
mod records;
mod stop;
mod swarm;

use addresses::{Addresses, Host};
use options::Options;

/// Why the relay cannot run.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Key(#[from] key::KeyError),
    #[error(transparent)]
    Swarm(#[from] swarm::SwarmError),
    #[error("cannot serve the page on {0}: {1}")]
    Page(SocketAddr, io::Error),
    #[error("cannot listen for signals: {0}")]
    Signal(io::Error),
    #[error("cannot say on stdout that it is ready: {0}")]
    Stdout(io::Error),
}

/// The line on stdout.
#[derive(Serialize)]
struct Ready {
    page: String,
    relay: String,
}

/// What is logged unless RUST_LOG says otherwise. Kademlia would warn that it knows no other server:
/// here that is as it should be.
const LOGS: &str = "info,libp2p_kad=error,libp2p_swarm=warn";

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(LOGS));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Failure> {
    let signals = stop::signals().map_err(Failure::Signal)?;
    let key = key::load_or_make(&options.data())?;
    let id = key.public().to_peer_id();
    let announced = !options.announce.is_empty();
    let swarm = swarm::listen(key, options.host, options.ws_port, &options.announce).await?;

    let wanted = SocketAddr::new(options.host, options.port);
    let listener = TcpListener::bind(wanted).await.map_err(|e| Failure::Page(wanted, e))?;
    let bound = listener.local_addr().map_err(|e| Failure::Page(wanted, e))?;
    let addresses = Addresses {
        id,
        ws_port: swarm.port,
        announce: options.announce,
        public_url: options.public_url,
    };
    announce_ready(&addresses, bound).map_err(Failure::Stdout)?;

    let (stop, stopped) = stop::channel();
    let site = http::Site { www: options.www, addresses, ice_servers: options.ice_server };
    let page = tokio::spawn(http::serve(listener, site, stopped.clone()));
    let network = tokio::spawn(swarm.run(announced, stopped));
    signals.await;
    info!("ending");
    stop.stop();
    // Neither fails, and what is left of them ends with the program.
    let _ = tokio::join!(page, network);
    Ok(())
}

fn announce_ready(addresses: &Addresses, bound: SocketAddr) -> io::Result<()> {
    let reached = SocketAddr::new(reached(bound.ip()), bound.port());
    let page = match &addresses.public_url {
        Some(url) => url.to_string(),
        None => format!("http://{reached}/"),
    };
    let relays = addresses.relays(&Host::Ip(reached.ip()));
    let relay = relays.first().map(ToString::to_string).unwrap_or_default();
    info!(page, relay, "ready");
    let line = serde_json::to_string(&Ready { page, relay })?;
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// The address to name for one that is listened on: "all of them" is none that can be opened, so it
/// becomes the one that the default route uses (asked of the system; nothing is sent).
fn reached(host: IpAddr) -> IpAddr {
    if !host.is_unspecified() {
        return host;
    }
    let outward = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // An address reserved for documentation (RFC 5737): it lies behind the default route.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    };
    outward().map_or(Ipv4Addr::LOCALHOST.into(), |address: SocketAddr| address.ip())
}
