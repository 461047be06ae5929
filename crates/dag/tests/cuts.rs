//! Where files are cut: where Kubo cuts them, however they come.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use avocet_dag::unixfs::{Chunker, Chunking};
use bytes::Bytes;
use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit, StreamCipher},
};
use common::twin;
use proptest::{prelude::*, sample::Index};
use sha2::{Digest, Sha256};

/// The lengths of the chunks of what comes in these pieces.
fn lengths(chunking: Chunking, pieces: impl IntoIterator<Item = Bytes>) -> Vec<usize> {
    let mut chunker = Chunker::of(chunking);
    let mut lengths = Vec::new();
    for piece in pieces {
        chunker.push(piece);
        while let Some(chunk) = chunker.next_chunk() {
            lengths.push(chunk.len());
        }
    }
    lengths.extend(chunker.finish().map(|chunk| chunk.len()));
    lengths
}

fn pieces(bytes: &Bytes, size: usize) -> impl Iterator<Item = Bytes> {
    let ends = (0..bytes.len()).step_by(size);
    ends.map(move |start| bytes.slice(start..bytes.len().min(start + size)))
}

fn random(count: usize) -> Bytes {
    let mut bytes = vec![0; count];
    ChaCha20::new(&Sha256::digest("cuts"), &[0; 12].into()).apply_keystream(&mut bytes);
    bytes.into()
}

fn text() -> Bytes {
    let line = |number: u64| format!("{number} bottles of beer, {}\n", number * number);
    (0..60_000).map(line).collect::<String>().into()
}

/// The chunks that boxo 0.43 makes of these bytes.
fn check(bytes: &Bytes, name: &str, expected: &[usize]) {
    for size in [77, 4096, 1 << 20, usize::MAX] {
        let lengths = lengths(name.parse().unwrap(), pieces(bytes, size));
        assert_eq!(lengths, expected, "{name} in pieces of {size}");
    }
}

/// As [`check`], of so many chunks that only their hash stands here.
fn check_hash(bytes: &Bytes, name: &str, count: usize, hash: &str) {
    let lengths = lengths(name.parse().unwrap(), pieces(bytes, 100_000));
    assert_eq!(lengths.len(), count, "{name}");
    let text: String = lengths.iter().map(|length| format!("{length},")).collect();
    let digest: String =
        Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, hash, "{name}");
}

#[test]
fn buzhash_cuts_where_kubo_cuts() {
    let random = random(3_000_000);
    check(
        &random,
        "buzhash",
        &[
            147_633, 235_284, 359_243, 136_661, 148_517, 235_208, 150_328, 150_167, 255_942,
            360_821, 238_588, 229_226, 352_382,
        ],
    );
    check(
        &text(),
        "buzhash",
        &[164_460, 259_359, 524_288, 180_799, 253_992, 316_510, 142_226, 138_588, 2419],
    );
    // zeros hash to zero: every chunk is as small as it may be
    let zeros = Bytes::from(vec![0; 3 * 131_072 + 1]);
    check(&zeros, "buzhash", &[131_072, 131_072, 131_072, 1]);
}

#[test]
fn rabin_cuts_where_kubo_cuts() {
    let random = random(3_000_000);
    check(
        &random,
        "rabin",
        &[
            168_854, 271_152, 154_113, 345_828, 160_218, 274_108, 296_690, 393_216, 349_945,
            89_116, 228_154, 268_606,
        ],
    );
    check(
        &random,
        "rabin-100000-300000-400000",
        &[
            168_854, 271_152, 154_113, 345_828, 160_218, 274_108, 296_690, 395_312, 347_849,
            121_750, 195_520, 268_606,
        ],
    );
    check(&text(), "rabin", &[393_216, 393_216, 118_149, 163_632, 372_747, 393_216, 148_465]);
    check(&vec![0; 200_000].into(), "rabin", &[87_381, 87_381, 25_238]);
}

#[test]
fn small_rabin_chunks_are_cut_where_kubo_cuts() {
    let known = [
        (random(3_000_000), "rabin-16-17-18", 168_408, "c246da98d40ee114"),
        (random(3_000_000), "rabin-16-64-128", 43_861, "812fa4b0bb35b667"),
        (random(3_000_000), "rabin-300-1000-3000", 3715, "4269fea808756874"),
        (random(3_000_000), "rabin-512-1024-2048", 2275, "8c7866b82d48d8e6"),
        (text(), "rabin-16-17-18", 111_855, "956b134be91e1659"),
        (text(), "rabin-16-64-128", 24_312, "6ca7fab4670cbb7c"),
        (text(), "rabin-300-1000-3000", 1869, "e4be769bef36d616"),
        (text(), "rabin-512-1024-2048", 1325, "f62772437ce44665"),
    ];
    for (bytes, name, count, hash) in known {
        check_hash(&bytes, name, count, hash);
    }
}

#[test]
fn a_chunk_in_one_piece_is_not_copied() {
    let bytes = random(1_000_000);
    for name in ["size-1000", "rabin-1000", "buzhash"] {
        let mut chunker = Chunker::of(name.parse().unwrap());
        chunker.push(bytes.clone());
        let mut at = bytes.as_ptr() as usize;
        while let Some(chunk) = chunker.next_chunk() {
            assert_eq!(chunk.as_ptr() as usize, at, "{name}");
            at += chunk.len();
        }
    }
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn rabin_cuts_where_the_slow_twin_cuts(
        (min, to_avg, to_max) in (16..300usize, 1..2000usize, 1..4000usize),
        length in 0..6000usize,
        start in any::<Index>(),
        sizes in prop::collection::vec(1..500usize, 1..8),
    ) {
        let random = random(20_000);
        let start = start.index(random.len() - length);
        let bytes = random.slice(start..start + length);
        let avg = min + to_avg;
        let chunking = Chunking::Rabin { min, avg, max: avg + to_max };
        let mut left = bytes.clone();
        let pieces = sizes.iter().cycle().map_while(|size| {
            (!left.is_empty()).then(|| left.split_to(left.len().min(*size)))
        });
        let expected: Vec<_> =
            twin::chunks(chunking, &bytes).iter().map(|chunk| chunk.len()).collect();
        prop_assert_eq!(lengths(chunking, pieces), expected);
    }
}
