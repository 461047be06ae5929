//! How much a writer gives to another side that tells what has come, and to one that does not.

use std::io::ErrorKind;

use bytes::Bytes;
use futures::{
    AsyncReadExt, AsyncWriteExt, StreamExt,
    channel::mpsc,
    future::{Either, join, select},
};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    channels::{opened, raw},
    pair::{accept, bytes, pair, soon},
};
use crate::{
    js::{DataChannel, Listener, MessageEvent},
    webrtc::{
        Connection, Stream,
        flow::LEAST,
        framing::{
            Decoder, FRAME, Filling, Flag, Frame, MAX_FRAME, Reader, encode_flag, encode_question,
            encode_received,
        },
    },
};

/// More than any of these tests sends, in frames.
const FRAMES: usize = 256;

/// The other side of a stream, by hand.
struct Hand {
    channel: DataChannel,
    frames: mpsc::Receiver<Frame>,
    _listener: Listener,
    /// Payload that has come.
    got: Vec<u8>,
}

impl Hand {
    fn new(connection: &Connection) -> Self {
        let channel = raw(connection);
        channel.take_buffers();
        let (mut tell, frames) = mpsc::channel(FRAMES);
        let mut decoder = Decoder::default();
        let listener = Listener::new(&channel, "message", move |event: MessageEvent| {
            let message: Bytes = event.bytes(MAX_FRAME).unwrap_or_default().into();
            decoder.feed(message, |frame| tell.try_send(frame).unwrap()).unwrap();
        });
        Self { channel, frames, _listener: listener, got: Vec::new() }
    }

    /// A stream that has said `ok`, and where it is one that counts, that.
    async fn stream(a: &mut Connection, b: &mut Connection, mut first: Filling) -> (Self, Stream) {
        let hand = Self::new(a);
        let mut far = soon("the stream", accept(b)).await;
        soon("opening", opened(&hand.channel)).await;
        first.fill(b"ok");
        hand.channel.send(first.messages(Reader::Bytes).0).unwrap();
        let mut said = [0; 2];
        soon("reading", far.read_exact(&mut said)).await.unwrap();
        (hand, far)
    }

    async fn next(&mut self) -> Frame {
        let frame = self.frames.next().await.unwrap();
        self.got.extend_from_slice(&frame.payload);
        frame
    }
}

/// Goes on with `write` until `until` is done, which must come first.
async fn while_writing<T>(write: impl Future<Output = ()> + Unpin, until: impl Future<Output = T>) {
    futures::pin_mut!(until);
    match soon("what was awaited", select(write, until)).await {
        Either::Left(_) => panic!("all was written"),
        Either::Right(_) => {}
    }
}

#[wasm_bindgen_test]
async fn who_counts_is_given_a_window_and_asked_before_more_goes() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut hand, mut far) = Hand::stream(&mut a, &mut b, Filling::counting()).await;
    let core = far.core().unwrap().clone();
    let sent = bytes(1024 * 1024, 1);
    let write = async {
        far.write_all(&sent).await.unwrap();
        far.close().await.unwrap();
    };
    futures::pin_mut!(write);

    let mut asked = 0;
    while_writing(&mut write, async {
        while hand.got.len() < LEAST {
            asked += usize::from(hand.next().await.asks);
        }
    })
    .await;
    // it is asked with every second frame, and nothing more comes before it answers
    assert_eq!(asked, 2);
    assert!(hand.got.len() < LEAST + FRAME);
    assert_eq!(core.held(), (true, hand.got.len() as u64));

    let answer_all = async {
        loop {
            hand.channel.send(&encode_received(hand.got.len() as u64)).unwrap();
            while !{
                let frame = hand.next().await;
                if frame.flag == Some(Flag::Fin) {
                    hand.channel.send(&encode_flag(Flag::FinAck)).unwrap();
                    return;
                }
                frame.asks
            } {}
        }
    };
    soon("the rest", join(write, answer_all)).await;
    assert!(hand.got == sent);
}

#[wasm_bindgen_test]
async fn who_does_not_count_gets_all_at_once_and_is_asked_nothing() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut hand, mut far) = Hand::stream(&mut a, &mut b, Filling::default()).await;
    let sent = bytes(1024 * 1024, 2);
    soon("writing", far.write_all(&sent)).await.unwrap();
    soon("flushing", far.flush()).await.unwrap();
    let mut counts = Vec::new();
    soon("all of it", async {
        while hand.got.len() < sent.len() {
            let frame = hand.next().await;
            assert!(!frame.asks && frame.flag.is_none());
            counts.push(frame.received);
        }
    })
    .await;
    assert!(hand.got == sent);
    // that it counts is said once
    assert_eq!(counts.iter().flatten().collect::<Vec<_>>(), [&0]);
}

#[wasm_bindgen_test]
async fn a_question_is_answered_with_what_has_come() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut hand, _far) = Hand::stream(&mut a, &mut b, Filling::counting()).await;
    let mut frame = Filling::default();
    frame.fill(b"three");
    frame.ask();
    hand.channel.send(frame.messages(Reader::Bytes).0).unwrap();
    assert_eq!(soon("the answer", hand.next()).await.received, Some(7));
}

#[wasm_bindgen_test]
async fn a_message_full_of_questions_is_answered_once() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut hand, _far) = Hand::stream(&mut a, &mut b, Filling::counting()).await;
    let questions = encode_question().repeat(MAX_FRAME / 4);
    hand.channel.send(&questions).unwrap();
    let mut last = Filling::default();
    last.fill(b"last");
    last.ask();
    hand.channel.send(last.messages(Reader::Bytes).0).unwrap();
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(soon("an answer", hand.next()).await.received);
    }
    assert_eq!(answers, [Some(2), Some(6)]);
}

#[wasm_bindgen_test]
async fn who_closes_hears_that_the_rest_was_not_wanted() {
    for flag in [Flag::Reset, Flag::StopSending] {
        let (mut a, mut b) = soon("connecting", pair()).await;
        let (mut hand, mut far) = Hand::stream(&mut a, &mut b, Filling::counting()).await;
        far.write_all(&vec![7; 2 * LEAST]).await.unwrap();
        assert!(far.core().unwrap().held().0);
        let refuse = async {
            while hand.got.len() < LEAST {
                hand.next().await;
            }
            hand.channel.send(&encode_flag(flag)).unwrap();
        };
        let (closed, ()) = soon("the end", join(far.close(), refuse)).await;
        let error = closed.unwrap_err().kind();
        assert!(matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    }
}

#[wasm_bindgen_test]
async fn a_flush_after_a_reset_does_not_pass_for_one_that_went() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (hand, mut far) = Hand::stream(&mut a, &mut b, Filling::counting()).await;
    far.write_all(b"some").await.unwrap();
    hand.channel.send(&encode_flag(Flag::Reset)).unwrap();
    soon("the reset", far.read_to_end(&mut Vec::new())).await.unwrap_err();
    assert_eq!(far.flush().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[wasm_bindgen_test]
async fn what_waits_goes_when_its_stream_is_dropped_after_all_was_heard() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut hand, mut far) = Hand::stream(&mut a, &mut b, Filling::counting()).await;
    hand.channel.send(&encode_flag(Flag::Fin)).unwrap();
    soon("the end", far.read_to_end(&mut Vec::new())).await.unwrap();
    let sent = bytes(2 * LEAST, 3);
    soon("writing", far.write_all(&sent)).await.unwrap();
    assert!(far.core().unwrap().held().0);
    drop(far);
    soon("all of it", async { while hand.next().await.flag != Some(Flag::Fin) {} }).await;
    assert!(hand.got == sent);
}

#[wasm_bindgen_test]
async fn a_reset_ends_a_writer_that_waits_for_an_answer() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut hand, mut far) = Hand::stream(&mut a, &mut b, Filling::counting()).await;
    let core = far.core().unwrap().clone();
    let write = async {
        let error = far.write_all(&vec![7; 2 * 1024 * 1024]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    };
    let reset = async {
        while hand.got.len() < LEAST {
            hand.next().await;
        }
        hand.channel.send(&encode_flag(Flag::Reset)).unwrap();
    };
    soon("the reset", join(write, reset)).await;
    assert!(!core.held().0);
}
