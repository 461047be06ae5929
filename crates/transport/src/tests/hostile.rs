//! Signalling peers that say garbage, too much, or nothing.

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, future::poll_immediate};
use wasm_bindgen_test::wasm_bindgen_test;

use super::node::{Node, during, until};
use crate::webrtc::tests::pair::soon;

/// A hostile node and a good one with a relayed connection between them, the hostile one dialling.
async fn connected() -> (Node, Node) {
    let mut good = Node::reachable().await;
    let mut bad = Node::hostile();
    let (good_id, bad_id) = (good.id, bad.id);
    bad.dial(good_id, good.relayed_address());
    until("the relayed connection", &mut [&mut bad, &mut good], |nodes| {
        !nodes[0].relayed(good_id).is_empty() && !nodes[1].relayed(bad_id).is_empty()
    })
    .await;
    (bad, good)
}

/// The good one can still be dialled.
async fn still_works(good: &mut Node) {
    let mut other = Node::new();
    let (good_id, other_id) = (good.id, other.id);
    other.dial(good_id, good.webrtc_address());
    until("a good dial afterwards", &mut [&mut other, good], |nodes| {
        nodes[0].settled(good_id) && nodes[1].settled(other_id)
    })
    .await;
}

async fn opened(bad: &mut Node, good: &mut Node) -> libp2p::Stream {
    let good_id = good.id;
    let connection = bad.relayed(good_id)[0];
    bad.swarm.behaviour_mut().streams.open(good_id, connection);
    until("a signalling stream", &mut [bad, good], |nodes| {
        !nodes[0].swarm.behaviour().streams.opened.is_empty()
    })
    .await;
    bad.swarm.behaviour_mut().streams.opened.pop_front().unwrap()
}

#[wasm_bindgen_test]
async fn garbage_on_an_inbound_stream_ends_that_attempt_alone() {
    let (mut bad, mut good) = connected().await;
    let ten_megabytes = [&[0x80, 0xad, 0xe2, 0x04][..], &[0; 4096]].concat();
    let answer_first = [3, 0x08, 1, 0x12, 0];
    let no_sdp = [&[0x0a, 0x08, 0, 0x12, 6][..], b"v=0\r\n!"].concat();
    for garbage in [&[0xff; 64][..], &ten_megabytes, &answer_first, &no_sdp] {
        let mut stream = opened(&mut bad, &mut good).await;
        let work = async {
            let _ = stream.write_all(garbage).await;
            let _ = stream.flush().await;
            let mut rest = Vec::new();
            // it ends, one way or another, and with nothing said
            let _ = stream.read_to_end(&mut rest).await;
            assert!(rest.is_empty());
        };
        during(&mut [&mut bad, &mut good], work).await;
    }
    assert_eq!((good.direct_ever, bad.direct_ever), (0, 0));
    still_works(&mut good).await;
}

#[wasm_bindgen_test]
async fn a_flood_of_silent_streams_takes_two_places() {
    let (mut bad, mut good) = connected().await;
    let mut silent = Vec::new();
    for _ in 0..12 {
        silent.push(opened(&mut bad, &mut good).await);
    }
    let all_but_two = async {
        let mut ends = silent.iter_mut().map(|stream| async {
            let mut byte = [0];
            let _ = stream.read(&mut byte).await;
        });
        let mut ends = ends.by_ref().collect::<futures::stream::FuturesUnordered<_>>();
        for _ in 0..10 {
            ends.next().await;
        }
        assert_eq!(poll_immediate(ends.next()).await, None, "two are waited for");
    };
    during(&mut [&mut bad, &mut good], soon("ten ends", all_but_two)).await;
    still_works(&mut good).await;
}

#[wasm_bindgen_test]
async fn a_peer_that_answers_with_garbage_is_a_failed_dial() {
    let mut bad = Node::hostile();
    bad.reserve().await;
    let mut good = Node::new();
    let bad_id = bad.id;
    good.dial(bad_id, bad.webrtc_address());
    until("the good one's stream", &mut [&mut good, &mut bad], |nodes| {
        !nodes[1].swarm.behaviour().streams.inbound.is_empty()
    })
    .await;
    let mut stream = bad.swarm.behaviour_mut().streams.inbound.pop_front().unwrap();
    let work = async {
        stream.write_all(&[6, 0x08, 1, 0x12, 2, b'h', b'i']).await.unwrap();
        stream.flush().await.unwrap();
    };
    during(&mut [&mut good, &mut bad], work).await;
    until("the failure", &mut [&mut good, &mut bad], |nodes| !nodes[0].failures.is_empty()).await;
    let mut honest = Node::reachable().await;
    let (good_id, honest_id) = (good.id, honest.id);
    good.dial(honest_id, honest.webrtc_address());
    until("a good dial afterwards", &mut [&mut good, &mut honest], |nodes| {
        nodes[0].settled(honest_id) && nodes[1].settled(good_id)
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_peer_that_says_nothing_is_a_dial_that_ends_in_time() {
    let mut bad = Node::hostile();
    bad.reserve().await;
    let mut good = Node::new();
    let bad_id = bad.id;
    good.dial(bad_id, bad.webrtc_address());
    until("the failure", &mut [&mut good, &mut bad], |nodes| !nodes[0].failures.is_empty()).await;
    assert!(good.failures[0].contains("time limit"), "{:?}", good.failures);
    assert_eq!(good.closer.open(), 0);
}
