//! What blocks of 2 MiB that are made to take much of it take of the memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "common/allocator.rs"]
mod allocator;

use allocator::{alone, measure};
use avocet_dag::codec::{DecodeError, Fault, Value, cbor, json, pb};

const LEN: usize = 2 * 1024 * 1024;
/// What any parser may take beside its input.
const MOST: usize = 32 * 1024 * 1024;

/// `unit` as often as it goes into a block, as the items of one list.
fn cbor_list(unit: &[u8]) -> Vec<u8> {
    let count = (LEN - 5) / unit.len();
    [&[0x9a][..], &(count as u32).to_be_bytes(), &unit.repeat(count)].concat()
}

/// As many entries of keys in order, each with a null, as go into `len` bytes.
fn cbor_map(len: usize) -> Vec<u8> {
    let count = (len - 5) / 6;
    let entries = (0..count as u32).flat_map(|n| {
        let digit = |at: u32| b'0' + (n >> (6 * at) & 63) as u8;
        [0x64, digit(3), digit(2), digit(1), digit(0), 0xf6]
    });
    [&[0xba][..], &(count as u32).to_be_bytes()].concat().into_iter().chain(entries).collect()
}

fn json_list(unit: &str) -> Vec<u8> {
    format!("[{}0]", unit.repeat((LEN - 3) / unit.len())).into_bytes()
}

#[test]
fn cbor_01_and_json_02_no_block_takes_much_memory() {
    let _alone = alone();
    let link = [0xd8, 42, 0x45, 0, 1, 0x55, 0, 0];
    let keys: Vec<String> = (0..20_000).rev().map(|n| format!("\"\\u0041{n:x}\":0")).collect();
    type Links = fn(&[u8]) -> Result<Vec<avocet_dag::Cid>, DecodeError>;
    type Decode = fn(&[u8]) -> Result<Value, DecodeError>;
    let codecs: [(Links, Decode, Vec<Vec<u8>>); 2] = [
        (
            cbor::links,
            cbor::decode,
            vec![
                cbor_list(&[0x80]),
                cbor_list(&[0xa0]),
                cbor_list(&[0x60]),
                cbor_list(&[0x81, 0xf6]),
                cbor_list(&[0x63, 1, 2, 3]),
                cbor_list(&[0x43, 1, 2, 3, 0x83, 0, 0, 0]),
                cbor_list(&[0xa1, 0x61, b'a', 0xa1, 0x61, b'a', 0xf6]),
                cbor_list(&link),
                cbor_list(&[0x1b, 0xff, 0, 0, 0, 0, 0, 0, 0]),
                cbor_map(LEN),
                cbor_map(LEN / 2),
                vec![0x81; LEN],
                vec![0x9f; LEN],
                [vec![0x5a, 0, 0x1f, 0xff, 0xfb], vec![7; LEN - 5]].concat(),
            ],
        ),
        (
            json::links,
            json::decode,
            vec![
                json_list("0,"),
                json_list("[],"),
                json_list("{},"),
                json_list("\"\","),
                json_list("\"\\u0041\","),
                json_list("{\"\":{\"\":0}},"),
                json_list("0.5,"),
                json_list("{\"/\":{\"bytes\":\"\"}},"),
                json_list("{\"/\":\"bafkqaaa\"},"),
                json_list("{\"b\":0,\"a\":0},"),
                format!("{{{}}}", keys.join(",")).into_bytes(),
                format!("\"{}\"", "\\u0041".repeat(LEN / 6)).into_bytes(),
                vec![b'['; LEN],
                "{\"\":".repeat(LEN / 4).into_bytes(),
            ],
        ),
    ];
    let (mut built, mut refused) = (0, 0);
    for (links, decode, blocks) in codecs {
        for block in blocks {
            let head = String::from_utf8_lossy(&block[..20]).into_owned();
            let (found, peak) = measure(|| links(&block));
            assert!(peak <= MOST, "{head:?}: its links take {peak} bytes");
            let (value, peak) = measure(|| decode(&block));
            assert!(peak <= MOST, "{head:?}: its value takes {peak} bytes");
            match value {
                Ok(_) => built += 1,
                Err(DecodeError { fault: Fault::TooMuch, .. }) => refused += 1,
                Err(error) => assert_eq!(found, Err(error), "{head:?}"),
            }
        }
    }
    assert!(built >= 9 && refused >= 9, "{built} and {refused}");
    let tiny = [0x12, 6, 0x0a, 4, 1, 0x55, 0, 0].repeat(LEN / 8);
    let (links, peak) = measure(|| pb::links(&tiny).unwrap().len());
    assert!(links == LEN / 8 && peak <= MOST, "{peak}");
    let (value, peak) = measure(|| pb::to_value(&tiny));
    assert!(value.is_err() && peak <= MOST, "{peak}");
    let fits = [0x12, 6, 0x0a, 4, 1, 0x55, 0, 0].repeat(50_000);
    let (value, peak) = measure(|| pb::to_value(&fits));
    assert!(value.is_ok() && peak <= MOST, "{peak}");
}
