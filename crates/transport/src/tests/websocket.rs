//! The WebSocket, against the relay's.

use std::{io::ErrorKind, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future::join};
use futures_timer::Delay;
use libp2p::{
    Multiaddr, Transport as _,
    core::{
        Endpoint,
        transport::{DialOpts, PortUse, TransportError},
    },
};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{given, node::relay};
use crate::{
    webrtc::tests::pair::{bytes, read_all, soon},
    websocket::{DialError, Transport, WebSocketStream},
};

const OPTS: DialOpts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::Reuse };
const HELLO: &[u8] = b"\x13/multistream/1.0.0\n";

async fn connect(address: Multiaddr) -> Result<WebSocketStream, DialError> {
    let dial = Transport::new().dial(address, OPTS).unwrap_or_else(|_| panic!("not dialled"));
    soon("opening", dial).await
}

#[wasm_bindgen_test]
async fn bytes_go_both_ways() {
    let mut socket = connect(relay()).await.unwrap();
    socket.write_all(HELLO).await.unwrap();
    socket.flush().await.unwrap();
    let mut got = vec![0; HELLO.len()];
    // the other side may say it in any portions
    soon("the answer", socket.read_exact(&mut got)).await.unwrap();
    assert_eq!(got, HELLO);
}

#[wasm_bindgen_test]
async fn closing_ends_with_the_other_side_s_agreement() {
    let mut socket = connect(relay()).await.unwrap();
    socket.write_all(HELLO).await.unwrap();
    soon("closing", socket.close()).await.unwrap();
    assert_eq!(socket.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[wasm_bindgen_test]
async fn a_reader_is_woken_when_the_socket_ends() {
    let mut socket = connect(relay()).await.unwrap();
    socket.write_all(b"this is no multistream, and the relay closes on it\n").await.unwrap();
    let mut got = Vec::new();
    // an end or an error, as the relay closes; what counts is that the reader hears of it
    let _ = soon("the end", read_all(&mut socket, &mut got)).await;
    assert!(socket.write(b"more").await.is_err());
}

#[wasm_bindgen_test]
async fn a_dialler_is_woken_when_nobody_listens() {
    // port 9 discards, where there is anything at all
    let error = connect("/ip4/127.0.0.1/tcp/9/ws".parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("ws://127.0.0.1:9/"), "{error}");
}

#[wasm_bindgen_test]
async fn a_dial_that_is_dropped_leaves_nothing_behind() {
    for wait in [0, 1, 5, 20] {
        let dial = Transport::new().dial(relay(), OPTS).unwrap_or_else(|_| panic!("not dialled"));
        futures::future::select(dial, Delay::new(Duration::from_millis(wait))).await;
    }
    // whatever the browser still had to say to a closure that is gone would throw here
    Delay::new(Duration::from_millis(200)).await;
}

#[wasm_bindgen_test]
fn other_addresses_are_left_to_other_transports() {
    for address in ["/webrtc", "/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1/ws/p2p-circuit"] {
        let dialled = Transport::new().dial(address.parse().unwrap(), OPTS);
        assert!(matches!(dialled, Err(TransportError::MultiaddrNotSupported(_))), "{address}");
    }
}

/// An echo, where the page was given one (`globalThis.AVOCET_TEST_ECHO`, a multiaddr): the relay
/// takes no bytes without meaning.
async fn echo() -> Option<WebSocketStream> {
    let Some(address) = given("AVOCET_TEST_ECHO") else {
        wasm_bindgen_test::console_log!("left out: the page was given no echo");
        return None;
    };
    Some(connect(address.parse().unwrap()).await.unwrap())
}

#[wasm_bindgen_test]
async fn eight_mebibytes_there_and_back_and_the_writer_waits() {
    let Some(socket) = echo().await else { return };
    let (mut read, mut write) = socket.split();
    let sent = bytes(8 * 1024 * 1024, 21);
    let mut got = vec![0; sent.len()];
    let work = join(
        async {
            for piece in sent.chunks(60_000) {
                write.write_all(piece).await.unwrap();
            }
        },
        read.read_exact(&mut got),
    );
    soon("the echo", work).await.1.unwrap();
    assert!(got == sent);
}

#[wasm_bindgen_test]
async fn a_writer_of_megabytes_lets_the_browser_have_its_turn() {
    let Some(mut socket) = echo().await else { return };
    let sent = bytes(1024 * 1024, 23);
    let mut written = 0;
    while let Some(count) = socket.write(&sent[written..][..16 * 1024]).now_or_never() {
        written += count.unwrap();
    }
    assert_eq!(written, 128 * 1024);
    soon("the rest", socket.write_all(&sent[written..])).await.unwrap();
    let mut got = vec![0; sent.len()];
    soon("the echo", socket.read_exact(&mut got)).await.unwrap();
    assert!(got == sent);
}

#[wasm_bindgen_test]
async fn megabytes_unread_are_kept_until_they_are_read() {
    let Some(mut socket) = echo().await else { return };
    let sent = bytes(4 * 1024 * 1024, 22);
    socket.write_all(&sent).await.unwrap();
    Delay::new(Duration::from_secs(1)).await;
    let mut got = vec![0; sent.len()];
    soon("reading late", socket.read_exact(&mut got)).await.unwrap();
    assert!(got == sent);
}

#[wasm_bindgen_test]
async fn what_nobody_reads_is_bounded_and_the_socket_closed() {
    let Some(mut socket) = echo().await else { return };
    let flood = async {
        loop {
            if let Err(error) = socket.write_all(&[7; 60_000]).await {
                return error;
            }
        }
    };
    let error = soon("the close", flood).await;
    assert!(error.to_string().contains("unread"), "{error}");
}
