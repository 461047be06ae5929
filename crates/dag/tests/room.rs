//! Files and directories whose inner blocks are as large as blocks get: they are read in little
//! memory, whatever comes first.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "common/allocator.rs"]
mod allocator;
mod common;

use std::collections::HashSet;

use allocator::{alone, measure};
use avocet_dag::{
    Block, Cid, MAX_BLOCK,
    codec::pb::{self, Link},
    unixfs::{Data, Kind, ListError, Listing, MAX_HELD, Reader, Window},
    varint,
};
use bytes::Bytes;
use common::{Store, dag_pb, murmur};

const MIB: usize = 1 << 20;

/// A block of this message and these links, filled up with `pad` bytes that mean nothing.
fn padded(store: &mut Store, data: &Data<'_>, links: &[(Cid, String)], pad: usize) -> Cid {
    let links: Vec<_> = links
        .iter()
        .map(|(cid, name)| Link { cid: cid.clone(), name: Some(name.as_bytes()), tsize: Some(1) })
        .collect();
    let mut message = data.encode();
    varint::write(15 << 3 | 2, &mut message);
    varint::write(pad as u64, &mut message);
    message.resize(message.len() + pad, 0);
    store.put(dag_pb(pb::encode(&links, Some(&message))))
}

/// An inner node of nearly the largest size, with bytes of its own before those of its parts.
fn wide(store: &mut Store, own: &[u8], parts: &[(Cid, u64)]) -> (Cid, u64) {
    let mut data = Data::new(Kind::File);
    data.data = Some(own);
    data.blocksizes = parts.iter().map(|(_, size)| *size).collect();
    let size = own.len() as u64 + data.blocksizes.iter().sum::<u64>();
    data.filesize = Some(size);
    let links: Vec<_> = parts.iter().map(|(cid, _)| (cid.clone(), String::new())).collect();
    let pad = MAX_BLOCK - 20_000;
    (padded(store, &data, &links, pad), size)
}

/// How blocks come that were asked for.
#[derive(Debug, Clone, Copy)]
enum Order {
    First,
    Last,
}

impl Order {
    fn pick(self, asked: &mut Vec<Cid>) -> Cid {
        match self {
            Self::First => asked.remove(0),
            Self::Last => asked.pop().unwrap(),
        }
    }
}

/// Reads a whole file. Gives its bytes, how many blocks it took, and how many were asked for at
/// once.
fn read(store: &Store, root: &Cid, window: Window, order: Order) -> (Vec<u8>, usize, usize) {
    let mut reader = Reader::<Bytes>::new(root.clone(), .., window);
    let (mut asked, mut out) = (Vec::new(), Vec::new());
    let (mut blocks, mut most) = (0, 0);
    while !reader.is_done() {
        asked.extend(reader.wants());
        most = most.max(asked.len());
        assert_eq!(asked.iter().collect::<HashSet<_>>().len(), asked.len(), "asked for twice");
        if !asked.is_empty() {
            blocks += 1;
            let block = store.get(&order.pick(&mut asked));
            // a copy, so that what the reader keeps counts
            let copy = Bytes::copy_from_slice(block.bytes());
            let copy = Block::verify(block.cid().clone(), copy).unwrap();
            assert!(reader.give(&copy).unwrap());
        }
        while let Some(bytes) = reader.read().unwrap() {
            out.extend_from_slice(&bytes);
        }
    }
    (out, blocks, most)
}

/// 24 wide nodes, each with 100 leaves: more than a window reaches. And what they hold.
fn wide_nodes(store: &mut Store) -> (Vec<(Cid, u64)>, Vec<u8>) {
    let mut expected = Vec::new();
    let mut nodes = Vec::new();
    for node in 0..24_u8 {
        let own = [node, 255];
        expected.extend(own);
        let parts: Vec<_> = (0..100_u8)
            .map(|leaf| {
                expected.extend([node, leaf, 7]);
                (store.put_raw(&[node, leaf, 7]), 3)
            })
            .collect();
        nodes.push(wide(store, &own, &parts));
    }
    (nodes, expected)
}

#[test]
fn inner_nodes_ahead_wait_for_room() {
    let _alone = alone();
    let mut store = Store::default();
    let (nodes, expected) = wide_nodes(&mut store);
    let root = store.put_file(&nodes);
    for order in [Order::First, Order::Last] {
        let window = Window { blocks: 64, bytes: 16 * MIB };
        let ((out, blocks, _), took) = measure(|| read(&store, &root, window, order));
        assert!(out == expected, "{order:?}");
        // each of the nodes once, and once more if there was no room at first; each leaf once
        assert!(blocks <= 1 + 2 * 24 + 2400, "{order:?}: {blocks} blocks");
        assert!(took < MAX_HELD + 4 * MIB, "{order:?}: {took} bytes");
    }
}

#[test]
fn what_is_read_next_takes_the_room_of_nodes_further_on() {
    let _alone = alone();
    let mut store = Store::default();
    let (nodes, mut expected) = wide_nodes(&mut store);
    // a deep beginning, whose nodes all have something left to be read
    let (mut first, mut before, mut after) = ((store.put_raw(b"deep"), 4), vec![], vec![]);
    for level in 0..8_u8 {
        let tails: Vec<_> = (0..70_u8).map(|leaf| [level, leaf, 9]).collect();
        let mut parts = vec![first];
        parts.extend(tails.iter().map(|tail| (store.put_raw(tail), 3)));
        first = wide(&mut store, &[level], &parts);
        before.insert(0, level);
        after.extend(tails.concat());
    }
    expected.splice(0..0, [before, b"deep".to_vec(), after].concat());
    let root = store.put_file(&[&[first], &nodes[..]].concat());
    for order in [Order::First, Order::Last] {
        let window = Window { blocks: 64, bytes: 16 * MIB };
        let ((out, ..), took) = measure(|| read(&store, &root, window, order));
        assert!(out == expected, "{order:?}");
        assert!(took < MAX_HELD + 4 * MIB, "{order:?}: {took} bytes");
    }
}

#[test]
fn nodes_that_are_surely_inner_are_not_asked_for_without_room() {
    let mut store = Store::default();
    let leaf = (store.put_raw(&vec![1; 64 * 1024]), 64 * 1024);
    let nodes: Vec<_> =
        (0..24_u8).map(|node| wide(&mut store, &[node], &vec![leaf.clone(); 70])).collect();
    let root = store.put_file(&nodes);
    let window = Window { blocks: 64, bytes: 64 * MIB };
    let mut reader = Reader::<Bytes>::new(root, .., window);
    let (mut blocks, mut size) = (0, 0);
    while !reader.is_done() {
        let wants = reader.wants();
        assert!(wants.len() <= 8, "{} at once", wants.len());
        blocks += wants.len();
        wants.iter().for_each(|cid| assert!(reader.give(store.get(cid)).unwrap()));
        while let Some(bytes) = reader.read().unwrap() {
            size += bytes.len() as u64;
        }
    }
    assert_eq!(Some(size), reader.size());
    // none was fetched in vain; the leaf is asked for again whenever nobody waits for it
    assert!(blocks < 1 + 24 + 24 * 70, "{blocks}");
}

#[test]
fn small_leaves_in_large_blocks_take_what_the_window_says() {
    let _alone = alone();
    for (len, window) in [(1, 8 * MIB), (MIB + 1024, 8 * MIB), (MIB / 2, 16 * MIB)] {
        let mut store = Store::default();
        let leaves: Vec<_> = (0..24_u8)
            .map(|index| {
                let content = vec![index; len];
                let mut data = Data::new(Kind::File);
                (data.data, data.filesize) = (Some(&content[..]), Some(len as u64));
                let pad = MAX_BLOCK - len - 1000;
                (padded(&mut store, &data, &[], pad), len as u64)
            })
            .collect();
        let root = store.put_file(&leaves);
        let window = Window { blocks: 64, bytes: window };
        let mut reader = Reader::<Bytes>::new(root, .., window);
        // all that it asks for comes, and nobody reads
        let (_, took) = measure(|| {
            loop {
                let wants = reader.wants();
                if wants.is_empty() {
                    break;
                }
                for cid in wants.iter().rev() {
                    let bytes = Bytes::copy_from_slice(store.get(cid).bytes());
                    let block = Block::verify(cid.clone(), bytes).unwrap();
                    assert!(reader.give(&block).unwrap());
                }
            }
        });
        let most = if len > MAX_BLOCK / 2 { 2 * window.bytes } else { window.bytes };
        assert!(took < most + 3 * MIB, "{took} bytes for leaves of {len}");
        // it goes on as it should
        let mut out = Vec::new();
        while !reader.is_done() {
            while let Some(bytes) = reader.read().unwrap() {
                out.extend_from_slice(&bytes);
            }
            for cid in reader.wants() {
                assert!(reader.give(store.get(&cid)).unwrap());
            }
        }
        assert!(out.chunks(len).zip(0..24).all(|(leaf, index)| leaf.iter().all(|b| *b == index)));
        assert_eq!(out.len(), 24 * len);
    }
}

/// A block of a sharded directory of nearly the largest size, if `large`: links by digit.
fn shard(store: &mut Store, links: &[(u8, &str, Cid)], large: bool) -> Cid {
    let mut field = [0; 32];
    for (digit, ..) in links {
        field[31 - usize::from(*digit) / 8] |= 1 << (digit % 8);
    }
    let first = field.iter().position(|byte| *byte != 0).unwrap_or(31);
    let mut data = Data::new(Kind::HamtShard);
    (data.hash_type, data.fanout, data.data) = (Some(0x22), Some(256), Some(&field[first..]));
    let links: Vec<_> = links
        .iter()
        .map(|(digit, name, cid)| (cid.clone(), format!("{digit:02X}{name}")))
        .collect();
    padded(store, &data, &links, if large { MAX_BLOCK - 20_000 } else { 0 })
}

/// The digits of a name in a directory of 256 ways.
fn digits(name: &str) -> [u8; 8] {
    murmur::hash(name.as_bytes()).to_be_bytes()
}

/// 24 large shards below a root, the first of them this many levels deep. And what they hold.
fn large_shards(store: &mut Store, levels: usize) -> (Cid, Vec<String>) {
    let leaf = store.put_raw(b"x");
    let mut names: Vec<_> = (0..).map(|index| format!("file {index}")).take(400).collect();
    names.sort_by_key(|name| digits(name));
    names.dedup_by_key(|name| digits(name)[0]);
    names.truncate(24);
    let shards: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let digits = digits(name);
            let levels = if index == 0 { levels } else { 1 };
            let mut cid = shard(store, &[(digits[levels], name, leaf.clone())], true);
            for level in (1..levels).rev() {
                cid = shard(store, &[(digits[level], "", cid)], true);
            }
            (digits[0], "", cid)
        })
        .collect();
    (shard(store, &shards, false), names)
}

#[test]
fn parts_of_a_directory_ahead_wait_for_room() {
    let _alone = alone();
    for levels in [1, 7] {
        let mut store = Store::default();
        let (root, names) = large_shards(&mut store, levels);
        for order in [Order::First, Order::Last] {
            for bytes in [4 * MIB, 64 * MIB] {
                let window = Window { blocks: 64, bytes };
                let ((seen, blocks), took) =
                    measure(|| list(&store, &root, window, order).unwrap());
                assert_eq!(seen, names, "{order:?}");
                assert!(blocks <= 2 * (1 + 24 + levels), "{order:?}: {blocks} blocks");
                assert!(took < MAX_HELD + 4 * MIB, "{order:?}: {took} bytes");
            }
        }
    }
}

/// Lists a whole directory. Gives its names, and how many blocks it took.
fn list(
    store: &Store,
    root: &Cid,
    window: Window,
    order: Order,
) -> Result<(Vec<String>, usize), ListError> {
    let mut listing = Listing::<Bytes>::new(root.clone(), window);
    let (mut asked, mut names, mut blocks) = (Vec::new(), Vec::new(), 0);
    while !listing.is_done() {
        asked.extend(listing.wants());
        if !asked.is_empty() {
            blocks += 1;
            let cid = order.pick(&mut asked);
            let copy = Bytes::copy_from_slice(store.get(&cid).bytes());
            assert!(listing.give(&Block::verify(cid, copy).unwrap())?);
        }
        while let Some(entry) = listing.next_entry()? {
            names.push(entry.text().into_owned());
        }
    }
    assert_eq!(listing.misplaced(), 0);
    Ok((names, blocks))
}
