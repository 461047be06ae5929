//! Bytes over streams.

use futures::{
    AsyncReadExt, AsyncWriteExt,
    future::{join, join4},
};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    channels::{opened, raw},
    pair::{accept, bytes, open, pair, read_all, soon, stream},
};
use crate::webrtc::{
    Connection, Stream, connection,
    framing::{FRAME, Filling, Flag, MAX_FRAME, PAYLOAD, Reader, encode_flag},
    stream::MAX_UNREAD,
};

const MIB: usize = 1024 * 1024;

/// A stream on which the second has said something, so that the first knows that it counts.
async fn told(a: &mut Connection, b: &mut Connection) -> (Stream, Stream) {
    let (mut near, mut far) = stream(a, b).await;
    far.write_all(b"x").await.unwrap();
    far.flush().await.unwrap();
    soon("the word", near.read_exact(&mut [0])).await.unwrap();
    (near, far)
}

#[wasm_bindgen_test]
async fn eight_mebibytes_both_ways_at_once() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (near, far) = stream(&mut a, &mut b).await;
    let (mut near_read, mut near_write) = near.split();
    let (mut far_read, mut far_write) = far.split();
    let (there, back) = (bytes(8 * MIB, 1), bytes(8 * MIB, 2));
    let (mut got_there, mut got_back) = (Vec::new(), Vec::new());
    let all = join4(
        async {
            near_write.write_all(&there).await.unwrap();
            near_write.close().await.unwrap();
        },
        async {
            far_write.write_all(&back).await.unwrap();
            far_write.close().await.unwrap();
        },
        read_all(&mut near_read, &mut got_back),
        read_all(&mut far_read, &mut got_there),
    );
    let (_, _, near_end, far_end) = soon("the transfer", all).await;
    near_end.unwrap();
    far_end.unwrap();
    assert!(got_there == there && got_back == back);
}

/// Full frames are read together, and the last ones must not wait for more.
#[wasm_bindgen_test]
async fn full_frames_reach_a_reader_though_nothing_follows() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    for count in [1, 3, 20] {
        let sent = bytes(count * PAYLOAD, 9);
        let mut got = vec![0; sent.len()];
        let all = join(near.write_all(&sent), far.read_exact(&mut got));
        let (written, read) = soon("the frames", all).await;
        written.unwrap();
        read.unwrap();
        assert!(got == sent);
    }
}

#[wasm_bindgen_test]
async fn a_flag_is_told_though_a_full_frame_stands_behind_it() {
    let (a, mut b) = soon("connecting", pair()).await;
    let channel = raw(&a);
    let (mut far, ()) = join(accept(&mut b), opened(&channel)).await;
    let mut message = encode_flag(Flag::Fin).to_vec();
    let mut filling = Filling::default();
    filling.fill(&vec![7; PAYLOAD]);
    message.extend_from_slice(filling.messages(Reader::Bytes).0);
    assert_eq!(message.len(), FRAME);
    let mut got = Vec::new();
    let send = async { channel.send(&message).unwrap() };
    let (read, ()) = soon("the end", join(read_all(&mut far, &mut got), send)).await;
    read.unwrap();
    assert!(got.is_empty());
}

#[wasm_bindgen_test]
async fn many_streams_at_once_keep_their_bytes_apart() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let mut work = Vec::new();
    for n in 0..40u32 {
        let (mut near, mut far) = stream(&mut a, &mut b).await;
        work.push(async move {
            let sent = bytes(50_000, n);
            let mut got = Vec::new();
            let write = async {
                near.write_all(&sent).await.unwrap();
                near.close().await.unwrap();
            };
            join(write, read_all(&mut far, &mut got)).await.1.unwrap();
            assert!(got == sent, "stream {n}");
        });
    }
    soon("forty streams", futures::future::join_all(work)).await;
}

#[wasm_bindgen_test]
async fn small_writes_wait_for_the_flush_and_fill_frames() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    near.write_all(b"ab").await.unwrap();
    near.write_all(b"cd").await.unwrap();
    soon("the flush", near.flush()).await.unwrap();
    let mut got = [0; 4];
    soon("reading", far.read_exact(&mut got)).await.unwrap();
    assert_eq!(&got, b"abcd");
}

#[wasm_bindgen_test]
async fn what_is_written_before_the_other_side_accepts_is_kept() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let mut near = open(&mut a).await;
    let sent = bytes(MIB, 3);
    near.write_all(&sent).await.unwrap();
    near.close().await.unwrap();
    futures_timer::Delay::new(std::time::Duration::from_millis(300)).await;
    let mut far = accept(&mut b).await;
    let mut got = Vec::new();
    soon("reading", read_all(&mut far, &mut got)).await.unwrap();
    assert!(got == sent);
}

#[wasm_bindgen_test]
async fn a_slow_reader_within_the_bound_gets_everything() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = told(&mut a, &mut b).await;
    let sent = bytes(6 * MIB, 4);
    let write = async {
        near.write_all(&sent).await.unwrap();
        near.close().await.unwrap();
    };
    soon("writing with nobody reading", write).await;
    let mut got = Vec::new();
    soon("reading", read_all(&mut far, &mut got)).await.unwrap();
    assert!(got == sent);
    assert_eq!(b.link().unread(), 0);
}

#[wasm_bindgen_test]
async fn a_reader_that_never_reads_is_bounded_and_the_stream_reset() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = told(&mut a, &mut b).await;
    let flood = vec![7; 64 * 1024];
    let mut most = 0;
    let flooded = async {
        loop {
            most = most.max(b.link().unread());
            if let Err(error) = near.write_all(&flood).await {
                return error;
            }
        }
    };
    let error = soon("the reset", flooded).await;
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(most > MAX_UNREAD / 2 && most <= MAX_UNREAD, "{most} bytes were held");
    let mut got = Vec::new();
    let error = soon("the reader's error", read_all(&mut far, &mut got)).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert_eq!(b.link().unread(), 0);

    // the connection, and its other streams, go on
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    near.write_all(b"still here").await.unwrap();
    near.close().await.unwrap();
    let mut got = String::new();
    soon("another stream", far.read_to_string(&mut got)).await.unwrap();
    assert_eq!(got, "still here");
}

#[wasm_bindgen_test]
async fn the_bound_of_the_connection_holds_over_many_streams() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut held, mut writers) = (Vec::new(), Vec::new());
    // 49 MiB, none of the seven above its own bound; 14 of them may still wait in the sender's
    // browser when all is written, so that 35 are too many for the connection
    for _ in 0..7 {
        let (mut near, far) = stream(&mut a, &mut b).await;
        held.push(far);
        writers.push(async move {
            let written = near.write_all(&vec![7; 7 * MIB]).await;
            if written.is_ok() {
                near.close().await.unwrap();
            }
        });
    }
    soon("seven floods", futures::future::join_all(writers)).await;
    assert!(b.link().unread() <= connection::MAX_UNREAD);
    let (mut whole, mut reset) = (0, 0);
    for mut far in held {
        let mut got = Vec::new();
        match soon("reading", read_all(&mut far, &mut got)).await {
            Ok(()) => whole += usize::from(got.len() == 7 * MIB),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
                reset += 1;
            }
        }
    }
    assert!(reset >= 1 && whole + reset == 7, "{whole} whole, {reset} reset");
    assert_eq!(b.link().unread(), 0);
}

#[wasm_bindgen_test]
async fn a_writer_waits_at_the_high_water_mark_and_goes_on_by_the_event() {
    let (mut a, mut b) = soon("connecting", pair()).await;
    let (mut near, mut far) = stream(&mut a, &mut b).await;
    let sent = bytes(12 * MIB, 5);
    let core = near.core().unwrap().clone();
    let mut got = Vec::new();
    let mut most = 0;
    let write = async {
        for piece in sent.chunks(100_000) {
            near.write_all(piece).await.unwrap();
            most = most.max(core.unsent());
        }
        near.close().await.unwrap();
    };
    soon("the transfer", join(write, read_all(&mut far, &mut got))).await.1.unwrap();
    assert!(got == sent);
    let bound = crate::webrtc::stream::HIGH_WATER + MAX_FRAME;
    assert!(most <= bound, "{most} bytes were unsent");
}
