//! Dialling by `/webrtc`, from the relay to the bytes.

use std::time::Duration;

use futures::{AsyncWriteExt, future::join};
use futures_timer::Delay;
use libp2p::{identity::Keypair, multiaddr::Protocol};
use wasm_bindgen_test::wasm_bindgen_test;

use super::node::{Node, during, relay, stream, until};
use crate::webrtc::{
    is_webrtc,
    tests::pair::{bytes, read_all},
};

const MIB: usize = 1024 * 1024;

/// Long enough for whatever would still happen to happen.
async fn a_while(nodes: &mut [&mut Node]) {
    during(nodes, Delay::new(Duration::from_secs(2))).await;
}

async fn sixteen_mebibytes(from: &mut Node, to: &mut Node) {
    let connection = from.direct(to.id)[0];
    let (mut near, mut far) = stream(from, to, connection).await;
    let sent = bytes(16 * MIB, 11);
    let mut got = Vec::new();
    let write = async {
        near.write_all(&sent).await.unwrap();
        near.close().await.unwrap();
    };
    let transfer = join(write, read_all(&mut far, &mut got));
    during(&mut [from, to], transfer).await.1.unwrap();
    assert!(got == sent);
}

#[wasm_bindgen_test]
async fn a_dial_ends_with_one_direct_connection_that_carries_everything() {
    let mut b = Node::reachable().await;
    assert_eq!(b.addresses, [b.webrtc_address()]);
    let mut a = Node::new();
    a.dial(b.id, b.webrtc_address());
    let (a_id, b_id) = (a.id, b.id);
    until("one direct connection", &mut [&mut a, &mut b], |nodes| {
        nodes[0].settled(b_id) && nodes[1].settled(a_id)
    })
    .await;
    let (near, far) = (a.direct(b_id)[0], b.direct(a_id)[0]);
    until("pings", &mut [&mut a, &mut b], |nodes| {
        nodes[0].pinged.contains(&near) && nodes[1].pinged.contains(&far)
    })
    .await;
    sixteen_mebibytes(&mut a, &mut b).await;
    sixteen_mebibytes(&mut b, &mut a).await;
    for (node, peer) in [(&a, b_id), (&b, a_id)] {
        assert!(node.settled(peer));
        assert_eq!((node.relayed_ever, node.direct_ever), (1, 1));
    }
    // what the listener told the dialler of itself, for js-libp2p's sake
    let dialler =
        relay().with(Protocol::P2pCircuit).with(Protocol::WebRTC).with(Protocol::P2p(a_id));
    assert!(a.observed.contains(&dialler), "{:?}", a.observed);
}

#[wasm_bindgen_test]
async fn a_relayed_connection_that_stands_is_used_and_closed() {
    let mut b = Node::reachable().await;
    let mut a = Node::new();
    let (a_id, b_id) = (a.id, b.id);
    a.dial(b_id, b.relayed_address());
    until("the relayed connection", &mut [&mut a, &mut b], |nodes| {
        !nodes[0].relayed(b_id).is_empty() && !nodes[1].relayed(a_id).is_empty()
    })
    .await;
    // the other direction: the one who was dialled by relay dials by webrtc
    b.dial(a_id, a.webrtc_address());
    until("no listener, no connection", &mut [&mut a, &mut b], |nodes| {
        !nodes[1].failures.is_empty()
    })
    .await;
    a.dial(b_id, b.webrtc_address());
    until("one direct connection", &mut [&mut a, &mut b], |nodes| {
        nodes[0].settled(b_id) && nodes[1].settled(a_id)
    })
    .await;
    assert_eq!((a.relayed_ever, b.relayed_ever), (1, 1));
}

#[wasm_bindgen_test]
async fn two_that_dial_each_other_at_once_end_with_one_connection() {
    for round in 0..6 {
        let mut a = Node::reachable().await;
        let mut b = Node::reachable().await;
        let (a_id, b_id) = (a.id, b.id);
        if round % 2 == 1 {
            // signalling begins at once on both sides when a relayed connection stands
            a.dial(b_id, b.relayed_address());
            until("the relayed connection", &mut [&mut a, &mut b], |nodes| {
                !nodes[0].relayed(b_id).is_empty() && !nodes[1].relayed(a_id).is_empty()
            })
            .await;
        }
        a.dial(b_id, b.webrtc_address());
        b.dial(a_id, a.webrtc_address());
        let settled = |nodes: &[&mut Node]| nodes[0].settled(b_id) && nodes[1].settled(a_id);
        until("one direct connection", &mut [&mut a, &mut b], settled).await;
        a_while(&mut [&mut a, &mut b]).await;
        assert!(settled(&[&mut a, &mut b]), "round {round}");
        assert_eq!((a.direct_ever, b.direct_ever), (1, 1), "round {round}");
        // both dials took the one connection: neither has failed
        assert!(
            a.failures.is_empty() && b.failures.is_empty(),
            "{:?} {:?}",
            a.failures,
            b.failures
        );
        assert!(a.connections[0].2.is_dialer() && b.connections[0].2.is_dialer());
    }
}

#[wasm_bindgen_test]
async fn dialling_a_connected_peer_again_keeps_the_one_connection() {
    let mut b = Node::reachable().await;
    let mut a = Node::reachable().await;
    let (a_id, b_id) = (a.id, b.id);
    let settled = |nodes: &[&mut Node]| nodes[0].settled(b_id) && nodes[1].settled(a_id);
    a.dial(b_id, b.webrtc_address());
    until("one direct connection", &mut [&mut a, &mut b], settled).await;
    let before = a.direct(b_id);
    a.dial(b_id, b.webrtc_address());
    until("the refusal", &mut [&mut a, &mut b], |nodes| !nodes[0].failures.is_empty()).await;
    assert!(a.failures[0].contains("stands"), "{:?}", a.failures);
    assert_eq!(a.direct(b_id), before);
}

#[wasm_bindgen_test]
async fn a_page_that_comes_back_as_the_same_peer_replaces_its_old_connection() {
    let mut b = Node::reachable().await;
    let key = Keypair::generate_ed25519();
    let mut old = Node::of(key.clone());
    let (a_id, b_id) = (old.id, b.id);
    old.dial(b_id, b.webrtc_address());
    until("the first", &mut [&mut old, &mut b], |nodes| {
        nodes[0].settled(b_id) && nodes[1].settled(a_id)
    })
    .await;
    let first = b.direct(a_id);
    // the old page is there, and says nothing any more
    let mut new = Node::of(key);
    new.dial(b_id, b.webrtc_address());
    until("the second", &mut [&mut new, &mut b], |nodes| {
        nodes[0].settled(b_id) && nodes[1].settled(a_id) && nodes[1].direct(a_id) != first
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_page_that_goes_away_is_noticed_at_once() {
    let mut b = Node::reachable().await;
    let mut a = Node::new();
    let (a_id, b_id) = (a.id, b.id);
    a.dial(b_id, b.webrtc_address());
    until("one direct connection", &mut [&mut a, &mut b], |nodes| {
        nodes[0].settled(b_id) && nodes[1].settled(a_id)
    })
    .await;
    a.closer.close_all();
    until("the end on both sides", &mut [&mut a, &mut b], |nodes| {
        nodes.iter().all(|node| node.connections.is_empty())
    })
    .await;
    // and it can be dialled anew
    a.dial(b_id, b.webrtc_address());
    until("one direct connection", &mut [&mut a, &mut b], |nodes| {
        nodes[0].settled(b_id) && nodes[1].settled(a_id)
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_peer_that_is_not_there_is_a_failed_dial() {
    let mut a = Node::new();
    let absent = Node::new();
    a.dial(absent.id, absent.webrtc_address());
    // the relayed dial fails, and with it ours
    until("both failures", &mut [&mut a], |nodes| nodes[0].failures.len() == 2).await;
    assert!(a.failures[1].contains("no relayed connection"), "{:?}", a.failures);
}

#[wasm_bindgen_test]
async fn a_relay_that_is_left_takes_the_addresses_with_it() {
    let mut b = Node::reachable().await;
    assert!(b.addresses.iter().all(is_webrtc));
    let relay = match relay().iter().last() {
        Some(Protocol::P2p(id)) => id,
        _ => return,
    };
    b.swarm.disconnect_peer_id(relay).unwrap();
    until("the withdrawal", &mut [&mut b], |nodes| nodes[0].addresses.is_empty()).await;
}

#[wasm_bindgen_test]
async fn a_dial_that_is_given_up_leaves_nothing_behind() {
    let mut b = Node::reachable().await;
    let mut a = Node::new();
    let (a_id, b_id) = (a.id, b.id);
    for steps in 0..6 {
        a.dial(b_id, b.webrtc_address());
        during(&mut [&mut a, &mut b], Delay::new(Duration::from_millis(steps * 30))).await;
        // this drops the dial, at whatever point it is
        let _ = a.swarm.disconnect_peer_id(b_id);
    }
    let _ = a.swarm.disconnect_peer_id(b_id);
    // the relayed connections that were dialled for it go too
    until("all to be over", &mut [&mut a, &mut b], |nodes| {
        nodes.iter().all(|node| node.connections.is_empty())
    })
    .await;
    a_while(&mut [&mut a, &mut b]).await;
    assert!(a.connections.is_empty() && b.connections.is_empty());
    // the other side takes five negotiations a second from one peer: it may refuse the first
    for _ in 0..5 {
        let refused = a.failures.len();
        a.dial(b_id, b.webrtc_address());
        until("one direct connection, or a refusal", &mut [&mut a, &mut b], |nodes| {
            (nodes[0].settled(b_id) && nodes[1].settled(a_id)) || nodes[0].failures.len() > refused
        })
        .await;
        if a.settled(b_id) {
            break;
        }
        a_while(&mut [&mut a, &mut b]).await;
    }
    until("one direct connection", &mut [&mut a, &mut b], |nodes| {
        nodes[0].settled(b_id) && nodes[1].settled(a_id)
    })
    .await;
}

#[wasm_bindgen_test]
fn a_browser_without_webrtc_says_so() {
    let (page, name) = (js_sys::global(), "RTCPeerConnection".into());
    let there = js_sys::Reflect::get(&page, &name).unwrap();
    js_sys::Reflect::set(&page, &name, &wasm_bindgen::JsValue::UNDEFINED).unwrap();
    let made = crate::webrtc::new(libp2p::PeerId::random(), crate::webrtc::Config::default());
    js_sys::Reflect::set(&page, &name, &there).unwrap();
    assert_eq!(made.err(), Some(crate::webrtc::Unsupported));
}
