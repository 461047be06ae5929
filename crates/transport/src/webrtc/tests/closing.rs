//! Ends: of streams, of connections, and of negotiations.

use std::io::ErrorKind;

use futures::{
    AsyncReadExt, AsyncWriteExt,
    future::{join, poll_immediate},
};
use libp2p::core::muxing::StreamMuxerExt;
use wasm_bindgen_test::wasm_bindgen_test;

use super::pair::{answer, bytes, close, dial, over, pair, pipe, read_all, soon, stream};
use crate::webrtc::{Closer, connection::Lost};

const MIB: usize = 1024 * 1024;

#[wasm_bindgen_test]
async fn closing_with_bytes_in_flight_loses_nothing() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    let sent = bytes(2 * MIB, 6);
    near.write_all(&sent).await.unwrap();
    near.close().await.unwrap();
    drop(near);
    let mut got = Vec::new();
    soon("reading", read_all(&mut far, &mut got)).await.unwrap();
    assert!(got == sent);
}

#[wasm_bindgen_test]
async fn closing_the_connection_waits_for_streams_that_were_left() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    let sent = bytes(4 * MIB, 7);
    let mut got = Vec::new();
    let send = async {
        near.write_all(&sent).await.unwrap();
        near.close().await.unwrap();
        drop(near);
        close(a).await;
    };
    let read = async {
        read_all(&mut far, &mut got).await.unwrap();
        far.close().await.unwrap();
        drop(far);
    };
    soon("both", join(send, read)).await;
    assert!(got == sent);
    assert_eq!(soon("the other side's end", over(&mut b)).await, Lost::Remote);
}

#[wasm_bindgen_test]
async fn a_half_that_is_closed_leaves_the_other_open() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    let ask = async {
        near.write_all(b"question").await.unwrap();
        near.close().await.unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let reply = async {
        let mut question = String::new();
        far.read_to_string(&mut question).await.unwrap();
        far.write_all(question.to_uppercase().as_bytes()).await.unwrap();
        // no close: whoever has heard all and leaves, has said all
        drop(far);
    };
    let (answer, ()) = soon("question and answer", join(ask, reply)).await;
    assert_eq!(answer, "QUESTION");
}

#[wasm_bindgen_test]
async fn leaving_in_the_middle_resets_the_other_side() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    near.write_all(b"half a").await.unwrap();
    near.flush().await.unwrap();
    drop(near);
    let mut got = Vec::new();
    let error = soon("the reset", read_all(&mut far, &mut got)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(far.write(b"more").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[wasm_bindgen_test]
async fn whoever_reads_no_more_stops_the_writer() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    far.close().await.unwrap();
    drop(far);
    let flood = async {
        loop {
            if let Err(error) = near.write_all(&[7; 4096]).await {
                return error;
            }
            near.flush().await.ok();
        }
    };
    assert_eq!(soon("the refusal", flood).await.kind(), ErrorKind::BrokenPipe);
}

#[wasm_bindgen_test]
async fn channels_are_gone_when_both_sides_have_finished() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    for _ in 0..20 {
        let (mut near, mut far) = stream(&mut a, &mut b).await;
        near.close().await.unwrap();
        far.close().await.unwrap();
    }
    let none_left = async {
        while a.link().open_streams() > 0 || b.link().open_streams() > 0 {
            futures_timer::Delay::new(std::time::Duration::from_millis(20)).await;
        }
    };
    soon("the channels' end", none_left).await;
}

#[wasm_bindgen_test]
async fn the_other_side_s_close_is_noticed_before_the_browser_says_so() {
    let (mut a, b) = soon("connecting", pair()).await;
    drop(b);
    // had ICE been first, the reason would be `Lost::Path`
    assert_eq!(soon("the end", over(&mut a)).await, Lost::Remote);
}

#[wasm_bindgen_test]
async fn streams_end_with_their_connection_on_both_sides() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    drop(a);
    let mut got = Vec::new();
    let mine = soon("my stream", read_all(&mut near, &mut got)).await.unwrap_err();
    let theirs = soon("their stream", read_all(&mut far, &mut got)).await.unwrap_err();
    assert_eq!(
        (mine.kind(), theirs.kind()),
        (ErrorKind::ConnectionReset, ErrorKind::ConnectionReset)
    );
}

#[wasm_bindgen_test]
async fn the_closer_ends_all_at_once_and_opening_afterwards_fails() {
    let closer = Closer::new();
    let (near, far) = pipe();
    let (a, b) = soon("connecting", join(dial(near, &closer), answer(far, &closer))).await;
    let (mut a, mut b) = (a.unwrap(), b.unwrap());
    closer.close_all();
    let opened = poll_immediate(std::future::poll_fn(|cx| a.poll_outbound_unpin(cx))).await;
    assert_eq!(opened.unwrap().unwrap_err(), Lost::Closed);
    assert_eq!(over(&mut b).await, Lost::Closed);
    assert!(a.pc().create_data_channel("").is_err(), "a closed connection throws");
}

#[wasm_bindgen_test]
async fn a_dial_dropped_anywhere_on_the_way_leaves_nothing_behind() {
    let closer = Closer::new();
    for steps in 0..12 {
        let (near, far) = pipe();
        let (dialler, listener) = (dial(near, &closer), answer(far, &closer));
        futures::pin_mut!(dialler, listener);
        for _ in 0..steps {
            assert!(poll_immediate(&mut dialler).await.is_none_or(|done| done.is_ok()));
            if poll_immediate(&mut listener).await.is_some() {
                break;
            }
            futures_timer::Delay::new(std::time::Duration::from_millis(5)).await;
        }
    }
    // whatever the browser still had to say to a closure that is gone would throw here
    futures_timer::Delay::new(std::time::Duration::from_millis(200)).await;
    assert_eq!(closer.open(), 0);
}
