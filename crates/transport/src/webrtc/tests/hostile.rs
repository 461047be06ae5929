//! Another side that means harm, or does not know better.

use std::io::ErrorKind;

use futures::{AsyncReadExt, AsyncWriteExt, future::join};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    channels::{opened, raw},
    pair::{accept, answer, dial, open, over, pair, pipe, say, soon, stream},
};
use crate::webrtc::{
    Closer, NegotiationError,
    connection::{Lost, MAX_CHANNELS},
    signal::{MAX_MESSAGE, Message, SignalError},
};

#[wasm_bindgen_test]
async fn net_09_oversized_message_ends_its_stream_and_no_other() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let channel = raw(&a);
    let mut far = soon("the stream", accept(&mut b)).await;
    soon("opening", opened(&channel)).await;
    channel.send(&[0; 16 * 1024 + 1]).unwrap();
    let mut got = Vec::new();
    let error = soon("the error", far.read_to_end(&mut got)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("16385"), "{error}");

    let (mut near, mut far) = stream(&mut a, &mut b).await;
    near.write_all(b"ok").await.unwrap();
    near.close().await.unwrap();
    soon("another stream", far.read_to_end(&mut got)).await.unwrap();
    assert_eq!(got, b"ok");
}

#[wasm_bindgen_test]
async fn net_09_unknown_flag_is_ignored_on_the_channel() {
    let (a, mut b) = soon("connecting", pair()).await;
    let channel = raw(&a);
    let mut far = soon("the stream", accept(&mut b)).await;
    soon("opening", opened(&channel)).await;
    channel.send(&[2, 0x08, 99]).unwrap();
    // and a frame whose length comes as a message of its own, as js-libp2p sends it
    channel.send(&[4]).unwrap();
    channel.send(&[0x12, 2, b'h', b'i']).unwrap();
    channel.send(&[2, 0x08, 0]).unwrap();
    let mut got = Vec::new();
    soon("reading", far.read_to_end(&mut got)).await.unwrap();
    assert_eq!(got, b"hi");
}

#[wasm_bindgen_test]
async fn net_09_frame_that_is_none_ends_its_stream() {
    for message in [&[0xff, 0xff, 0xff][..], &[2, 0x12, 0x7f], &[1, 0x0b]] {
        let (a, mut b) = soon("connecting", pair()).await;
        let channel = raw(&a);
        let mut far = soon("the stream", accept(&mut b)).await;
        soon("opening", opened(&channel)).await;
        channel.send(message).unwrap();
        let mut got = Vec::new();
        let error = soon("the error", far.read_to_end(&mut got)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}

#[wasm_bindgen_test]
async fn net_10_a_thousand_channels_close_the_connection() {
    let (a, mut b) = soon("connecting", pair()).await;
    let mut channels = Vec::new();
    for _ in 0..1000 {
        // the browser itself may run out first
        channels.extend(a.pc().create_data_channel("").ok());
    }
    assert!(channels.len() > MAX_CHANNELS);
    assert_eq!(soon("the end", over(&mut b)).await, Lost::TooManyChannels);
    assert_eq!(b.link().open_streams(), 0);
}

#[wasm_bindgen_test]
async fn net_10_our_own_streams_wait_at_the_same_bound() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let mut mine = Vec::new();
    for _ in 0..MAX_CHANNELS {
        mine.push(open(&mut a).await);
    }
    let next = futures::future::poll_immediate(open(&mut a)).await;
    assert!(next.is_none());
    let both = async {
        let mut theirs = Vec::new();
        for _ in 0..MAX_CHANNELS {
            theirs.push(accept(&mut b).await);
        }
        drop((mine, theirs));
        open(&mut a).await
    };
    soon("a place", both).await;
}

#[wasm_bindgen_test]
async fn garbage_in_place_of_an_offer_ends_the_attempt() {
    let (mut near, far) = pipe();
    let closer = Closer::new();
    say(&mut near, &Message::Offer { sdp: "v=0\r\nnonsense".into(), settles_ties: true }).await;
    let error = soon("the error", answer(far, &closer)).await.unwrap_err();
    assert!(matches!(error, NegotiationError::Browser(_)), "{error}");

    let (mut near, far) = pipe();
    near.write_all(&[0x07, 1, 2, 3]).await.unwrap();
    near.close().await.unwrap();
    let error = soon("the error", answer(far, &closer)).await.unwrap_err();
    assert!(matches!(error, NegotiationError::Signal(SignalError::Ended)), "{error}");
}

#[wasm_bindgen_test]
async fn garbage_in_place_of_an_answer_ends_the_attempt() {
    let (near, mut far) = pipe();
    let closer = Closer::new();
    say(&mut far, &Message::Answer("nonsense".into())).await;
    let error = soon("the error", dial(near, &closer)).await.unwrap_err();
    assert!(matches!(error, NegotiationError::Browser(_)), "{error}");
    assert_eq!(closer.open(), 0);
}

#[wasm_bindgen_test]
async fn a_message_of_ten_megabytes_ends_the_attempt_at_its_length() {
    let (near, mut far) = pipe();
    let closer = Closer::new();
    // the length alone: 10,000,000
    far.write_all(&[0x80, 0xad, 0xe2, 0x04]).await.unwrap();
    let error = soon("the error", dial(near, &closer)).await.unwrap_err();
    assert!(error.to_string().contains(&MAX_MESSAGE.to_string()), "{error}");
}

#[wasm_bindgen_test]
async fn candidates_that_are_none_are_skipped() {
    let (near, dialler) = pipe();
    let (far, listener) = pipe();
    let closer = Closer::new();
    // the two ends are joined here, and nonsense goes ahead of what the dialler says after its offer
    let (from_dialler, mut to_dialler) = near.split();
    let (from_listener, mut to_listener) = far.split();
    let there = async {
        let mut from_dialler = from_dialler;
        let mut piece = vec![0; 64 * 1024];
        let mut first = true;
        while let Ok(read @ 1..) = from_dialler.read(&mut piece).await {
            to_listener.write_all(&piece[..read]).await.unwrap();
            if std::mem::take(&mut first) {
                for nonsense in ["{", "[]", "17", "{\"candidate\":\"x\",\"sdpMid\":\"9\"}", "\"\""]
                {
                    let message = Message::Candidate(nonsense.into());
                    to_listener.write_all(&message.encode()).await.unwrap();
                }
            }
        }
        to_listener.close().await.unwrap();
    };
    let back = async {
        let _ = futures::io::copy(from_listener, &mut to_dialler).await;
        to_dialler.close().await.unwrap();
    };
    let connect = join(dial(dialler, &closer), answer(listener, &closer));
    let ((a, b), ..) = soon("connecting", futures::future::join3(connect, there, back)).await;
    let (mut a, mut b) = (a.unwrap(), b.unwrap());
    let _stream = soon("a stream", stream(&mut a, &mut b)).await;
}
