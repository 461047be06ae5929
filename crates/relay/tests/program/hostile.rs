//! Peers that break yamux and Noise at the relay's real port. The ids are those of the catalogue of bad inputs.

use std::time::Duration;

use libp2p::{
    Multiaddr, Transport,
    core::{
        Endpoint,
        transport::{DialOpts, PortUse},
    },
    futures::{AsyncRead, AsyncWrite},
    identity::Keypair,
    multiaddr::Protocol,
    tcp, websocket,
};
use tokio::time::timeout;

use crate::{
    PATIENCE,
    client::Client,
    process::{Folder, Relay, start},
    raw::{DATA, Raw, SYN, WINDOW_UPDATE, data, head},
};

/// A raw connection to the relay.
async fn connect(relay: &Relay) -> Raw<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    let to: Multiaddr = relay.relay.parse().unwrap();
    let to = to.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect();
    let opts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::Reuse };
    let mut transport = websocket::Config::new(tcp::tokio::Transport::default());
    let socket = transport.dial(to, opts).unwrap().await.unwrap();
    Raw::connect(socket, &Keypair::generate_ed25519()).await
}

/// An honest peer reserves.
async fn still_serves(relay: &Relay) {
    let address: Multiaddr = relay.relay.parse().unwrap();
    Client::new().reserve(&address, PATIENCE).await;
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE + Duration::from_secs(30), work).await.expect("no answer")
}

#[tokio::test]
async fn net_01_and_net_02_yamux_frames_beyond_a_window_are_errors_of_their_connection_alone() {
    let folder = Folder::new("yamux");
    let relay = start(&folder, &[]);
    for frames in [
        head(WINDOW_UPDATE, SYN, 1, u32::MAX),
        [head(WINDOW_UPDATE, SYN, 1, 0), head(WINDOW_UPDATE, 0, 1, u32::MAX)].concat(),
        data(SYN, 1, &vec![0; 262_145]),
        head(DATA, SYN, 1, u32::MAX),
    ] {
        let mut connection = connect(&relay).await;
        // it may be over before all is written
        let _ = connection.send(&frames).await;
        assert!(within(connection.refused()).await);
    }
    still_serves(&relay).await;
    assert!(relay.terminate().success());
}

#[tokio::test]
async fn net_07_flipped_or_replayed_ciphertext_closes_the_connection() {
    let folder = Folder::new("noise");
    let relay = start(&folder, &[]);
    for replay in [false, true] {
        let mut connection = connect(&relay).await;
        match replay {
            true => connection.spoil.replay(),
            false => connection.spoil.flip(),
        }
        connection.send(&head(WINDOW_UPDATE, SYN, 1, 0)).await.unwrap();
        within(connection.closed()).await;
    }
    still_serves(&relay).await;
    assert!(relay.terminate().success());
}
