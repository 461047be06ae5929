//! Files: what is written is read, whatever the split and the range, and what lies is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::HashMap;

use avocet_dag::{
    Block, BlockError, Cid, Classify, ErrorKind, Multihash, Version, code,
    codec::pb::{self, Link},
    unixfs::{
        self, Chunking, Data, ImportOptions, Importer, Kind, Leaf, MAX_CHUNK, MAX_FILE_DEPTH,
        MAX_LINKS, OptionsError, Profile, ReadError, Reader, Type, Window, stat,
    },
};
use bytes::Bytes;
use common::{Store, dag_pb, import, read};
use proptest::{prelude::*, sample::Index};

fn options(version: Version, raw_leaves: bool, size: usize, max_links: usize) -> ImportOptions {
    let chunking = Chunking::Size(size);
    let cid_version = version;
    ImportOptions { cid_version, raw_leaves, chunking, max_links, ..ImportOptions::default() }
}

fn any_options() -> impl Strategy<Value = ImportOptions> {
    let version = prop_oneof![Just(Version::V0), Just(Version::V1)];
    (version, any::<bool>(), 1..40usize, 2..6usize)
        .prop_map(|(version, raw, size, links)| options(version, raw, size, links))
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn what_is_written_is_read_and_every_range_is_its_slice(
        options in any_options(),
        bytes in prop::collection::vec(any::<u8>(), 0..1500),
        a in any::<Index>(),
        b in any::<Index>(),
        order in any::<u64>(),
        window in (0..8usize, 0..200usize),
    ) {
        let mut store = Store::default();
        let root = import(&options, [Bytes::from(bytes.clone())], &mut store);
        prop_assert_eq!(read(&store, &root.cid, ..).unwrap().unwrap(), bytes.clone());
        // ranges may go past the end
        let (a, b) = (a.index(bytes.len() + 10), b.index(bytes.len() + 10));
        let (from, to) = (a.min(b), a.max(b));
        let window = Window { blocks: window.0, bytes: window.1 };
        let out = Run::new(&store, &root.cid, from as u64..to as u64, window).shuffled(order);
        let end = to.min(bytes.len());
        prop_assert_eq!(out, &bytes[from.min(end)..end]);
    }
}

/// A read that keeps what was asked for and not given, and gives it in a changing order.
struct Run<'a> {
    store: &'a Store,
    reader: Reader<Bytes>,
    asked: Vec<Cid>,
    /// How often each CID was asked for.
    times: HashMap<Cid, usize>,
}

impl<'a> Run<'a> {
    fn new(
        store: &'a Store,
        root: &Cid,
        range: impl std::ops::RangeBounds<u64>,
        window: Window,
    ) -> Self {
        let reader = Reader::new(root.clone(), range, window);
        Self { store, reader, asked: Vec::new(), times: HashMap::new() }
    }

    fn shuffled(mut self, mut seed: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while !self.reader.is_done() {
            while let Some(bytes) = self.reader.read().unwrap() {
                out.extend_from_slice(&bytes);
            }
            self.ask();
            if !self.asked.is_empty() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let cid = self.asked.swap_remove((seed >> 33) as usize % self.asked.len());
                assert!(self.reader.give(self.store.get(&cid)).unwrap());
            }
        }
        assert!(self.asked.is_empty(), "asked for more than was needed");
        assert_eq!(self.reader.remaining(), Some(0));
        out
    }

    fn ask(&mut self) {
        for cid in self.reader.wants() {
            *self.times.entry(cid.clone()).or_default() += 1;
            self.asked.push(cid);
        }
    }
}

/// Reads all of a file of one's own making, where that ends in an error.
fn refused(store: &Store, root: &Cid) -> ReadError {
    match read(store, root, ..) {
        Err(error) => error,
        Ok(bytes) => panic!("it was read: {bytes:?}"),
    }
}

#[test]
fn profiles_have_names() {
    assert_eq!("unixfs-v1-2025".parse(), Ok(Profile::UnixfsV1_2025));
    assert_eq!("unixfs-v0-2015".parse(), Ok(Profile::UnixfsV0_2015));
    assert_eq!("size-42".parse(), Ok(Chunking::Size(42)));
    assert!("unixfs-v2".parse::<Profile>().is_err());
    for name in ["size-", "size", "size--1", "size-99999999999999999999", "rabin-1-2"] {
        assert!(name.parse::<Chunking>().is_err(), "{name}");
    }
}

#[test]
fn options_out_of_bounds_are_refused() {
    let check = |size, links| options(Version::V1, true, size, links).check();
    assert_eq!(check(0, 174), Err(OptionsError::ChunkSize(0)));
    assert_eq!(check(MAX_CHUNK + 1, 174), Err(OptionsError::ChunkSize(MAX_CHUNK + 1)));
    assert_eq!(check(1, 1), Err(OptionsError::MaxLinks(1)));
    assert_eq!(check(1, MAX_LINKS + 1), Err(OptionsError::MaxLinks(MAX_LINKS + 1)));
    assert_eq!(check(MAX_CHUNK, MAX_LINKS), Ok(()));
}

#[test]
fn the_largest_leaf_and_the_widest_node_fit_a_block() {
    let options = options(Version::V1, false, MAX_CHUNK, MAX_LINKS);
    let block = unixfs::leaf(&options, vec![1; MAX_CHUNK].into()).unwrap();
    let mut importer = Importer::new(&options).unwrap();
    let cid = block.cid().clone();
    // as large as numbers get before their sum is too large
    let size = u64::MAX / MAX_LINKS as u64;
    for _ in 0..MAX_LINKS {
        let leaf = Leaf { cid: cid.clone(), size, tsize: u64::MAX };
        assert!(importer.push(leaf).unwrap().is_empty());
    }
    assert_eq!(importer.finish().unwrap().blocks.len(), 1);
}

#[test]
fn a_file_of_more_than_64_bits_is_refused() {
    let mut importer = Importer::new(&ImportOptions::default()).unwrap();
    let leaf = Leaf { cid: common::raw(b"").cid().clone(), size: u64::MAX, tsize: 0 };
    importer.push(leaf.clone()).unwrap();
    assert_eq!(importer.push(leaf).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn a_range_asks_only_for_the_blocks_that_it_needs() {
    let mut store = Store::default();
    let options = options(Version::V1, true, 10, 3);
    let bytes: Vec<u8> = (0..=255).collect(); // 26 leaves, levels of 9, 3 and 1 nodes
    let root = import(&options, [Bytes::from(bytes.clone())], &mut store);
    let mut run = Run::new(&store, &root.cid, 115..125, Window::default());
    run.ask();
    let mut order = 0;
    let mut out = Vec::new();
    while !run.reader.is_done() {
        while let Some(cid) = run.asked.pop() {
            order += 1;
            run.reader.give(store.get(&cid)).unwrap();
            run.ask();
        }
        while let Some(bytes) = run.reader.read().unwrap() {
            out.extend_from_slice(&bytes);
        }
    }
    assert_eq!(out, &bytes[115..125]);
    // the root, the node below it that both paths share, two nodes more, two leaves
    assert_eq!((order, run.times.len()), (6, 6));
    assert_eq!(run.reader.size(), Some(256));
}

#[test]
fn wants_come_in_order_and_stay_within_the_window() {
    let mut store = Store::default();
    let root = import(
        &options(Version::V1, true, 10, 174),
        [Bytes::from((0..=255).collect::<Vec<u8>>())],
        &mut store,
    );
    let leaf = |index: u8| {
        let last = (index * 10).saturating_add(9);
        common::raw(&(index * 10..=last).collect::<Vec<_>>()).cid().clone()
    };
    for window in [Window { blocks: 4, bytes: 1000 }, Window { blocks: 100, bytes: 49 }] {
        let mut reader = Reader::<Bytes>::new(root.cid.clone(), .., window);
        assert_eq!(reader.wants(), std::slice::from_ref(&root.cid));
        reader.give(store.get(&root.cid)).unwrap();
        assert_eq!(reader.wants(), [leaf(0), leaf(1), leaf(2), leaf(3)]);
        // what is here and not read still counts
        reader.give(store.get(&leaf(1))).unwrap();
        assert_eq!((reader.read().unwrap(), reader.wants()), (None, vec![]));
        reader.give(store.get(&leaf(0))).unwrap();
        assert_eq!(reader.wants(), []);
        assert_eq!(reader.read().unwrap().unwrap(), (0..10).collect::<Vec<_>>());
        assert_eq!(reader.wants(), [leaf(4)]);
        // a block that nobody waits for changes nothing
        assert_eq!(reader.give(store.get(&leaf(0))), Ok(false));
        assert_eq!(reader.give(store.get(&leaf(20))), Ok(false));
    }
}

#[test]
fn raw_leaves_are_passed_on_without_a_copy() {
    let mut store = Store::default();
    let root = store.put_raw(&[7; 100]);
    let mut reader = Reader::<Bytes>::new(root.clone(), 10..20, Window::default());
    reader.give(store.get(&root)).unwrap();
    let bytes = reader.read().unwrap().unwrap();
    assert_eq!(bytes.as_ptr(), store.get(&root).bytes()[10..].as_ptr());
}

#[test]
fn parts_that_cids_carry_inside_need_no_block() {
    let mut store = Store::default();
    let inline =
        |bytes: &[u8]| Cid::new_v1(code::RAW, Multihash::new(code::IDENTITY, bytes).unwrap());
    let root = store.put_file(&[(inline(b"abc"), 3), (inline(b"de"), 2)]);
    assert_eq!(read(&store, &root, 1..4), Ok(Some(b"bcd".to_vec())));
    // even the whole file
    assert_eq!(read(&Store::default(), &inline(b"abc"), ..), Ok(Some(b"abc".to_vec())));
    let lie = store.put_file(&[(inline(b"abc"), 2)]);
    assert!(matches!(refused(&store, &lie), ReadError::OverRead { .. }));
}

#[test]
fn a_node_may_hold_bytes_of_its_own_before_its_links() {
    let mut store = Store::default();
    let mut data = Data::new(Kind::File);
    (data.data, data.filesize, data.blocksizes) = (Some(&b"ab"[..]), Some(5), vec![3]);
    let part = store.put_raw(b"cde");
    let root = store.put_node(&data, &[(part, 3)]);
    assert_eq!(read(&store, &root, ..), Ok(Some(b"abcde".to_vec())));
    assert_eq!(read(&store, &root, 1..3), Ok(Some(b"bc".to_vec())));
}

#[test]
fn cid_04_a_link_to_an_insecure_cid_fails_at_once() {
    let mut store = Store::default();
    let murmur = Cid::new_v1(code::RAW, Multihash::new(0x22, &[0; 8]).unwrap());
    let root = store.put_file(&[(murmur.clone(), 3)]);
    let error = refused(&store, &root);
    assert!(matches!(&error, ReadError::Link { cid, .. } if *cid == murmur));
    assert_eq!(error.kind(), ErrorKind::InvalidCid);
    assert_eq!(refused(&store, &murmur).kind(), ErrorKind::InvalidCid);
}

#[test]
fn ufs_01_sizes_and_links_differ_in_number() {
    let mut store = Store::default();
    let parts: Vec<_> = [b"abc", b"def", b"ghi"].map(|bytes| (store.put_raw(bytes), 3)).into();
    let mut data = Data::new(Kind::File);
    for sizes in [vec![3, 6], vec![], vec![3, 3, 3, 0]] {
        (data.filesize, data.blocksizes) = (Some(sizes.iter().sum()), sizes.clone());
        let root = store.put_node(&data, &parts);
        let error = refused(&store, &root);
        assert_eq!(error, ReadError::Sizes { cid: root, links: 3, sizes: sizes.len() });
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn ufs_02_size_too_large_for_the_part() {
    let mut store = Store::default();
    let cid = store.put_raw(b"abc");
    let root = store.put_file(&[(cid.clone(), 8)]);
    assert_eq!(refused(&store, &root), ReadError::UnderRead { cid, claimed: 8, actual: 3 });
    // one level further down the same lie is found by the sum
    let above = store.put_file(&[(root.clone(), 9)]);
    let error = ReadError::UnderRead { cid: root, claimed: 9, actual: 8 };
    assert_eq!(refused(&store, &above), error);
}

#[test]
fn ufs_03_size_too_small_for_the_part() {
    let mut store = Store::default();
    let cid = store.put_raw(b"abc");
    let root = store.put_file(&[(cid.clone(), 1)]);
    assert_eq!(refused(&store, &root), ReadError::OverRead { cid, claimed: 1, actual: 3 });
}

#[test]
fn a_failed_reader_is_never_done() {
    let mut store = Store::default();
    let part = store.put_raw(b"abc");
    let root = store.put_file(&[(part.clone(), 3), (part.clone(), 4)]);
    let mut reader = Reader::<Bytes>::new(root.clone(), .., Window::default());
    reader.give(store.get(&root)).unwrap();
    assert_eq!(reader.wants().len(), 2);
    let error = reader.give(store.get(&part)).unwrap_err();
    assert_eq!(reader.give(store.get(&part)), Err(error.clone()));
    assert_eq!(reader.read(), Err(error));
    assert!(!reader.is_done());
}

#[test]
fn ufs_04_lying_filesize() {
    let mut store = Store::default();
    let mut data = Data::new(Kind::File);
    data.data = Some(b"abcde");
    for claimed in [0, 4, 6, 1_000_000_000_000_000, u64::MAX] {
        data.filesize = Some(claimed);
        let cid = store.put_node(&data, &[]);
        assert_eq!(stat(store.get(&cid)).unwrap().size, None);
        assert_eq!(refused(&store, &cid), ReadError::FileSize { cid, claimed });
    }
    // sizes whose sum overflows
    let part = store.put_raw(b"abc");
    let cid = store.put_file(&[(part.clone(), u64::MAX), (part, u64::MAX)]);
    let claimed = u64::MAX - 1;
    assert_eq!(refused(&store, &cid), ReadError::FileSize { cid, claimed });
}

#[test]
fn ufs_05_filesize_absent() {
    let mut store = Store::default();
    let mut data = Data::new(Kind::File);
    data.data = Some(b"abcde");
    let cid = store.put_node(&data, &[]);
    assert_eq!(refused(&store, &cid), ReadError::FileSize { cid, claimed: 0 });
    data.data = None;
    let empty = store.put_node(&data, &[]);
    assert_eq!(read(&store, &empty, ..), Ok(Some(vec![])));
}

#[test]
fn ufs_06_a_chain_of_100_000_nodes() {
    let mut store = Store::default();
    let mut cid = store.put_raw(b"abcde");
    for depth in 1..=100_000 {
        cid = store.put_file(&[(cid, 5)]);
        if depth == MAX_FILE_DEPTH {
            assert_eq!(read(&store, &cid, ..), Ok(Some(b"abcde".to_vec())));
        }
    }
    let error = refused(&store, &cid);
    assert!(matches!(error, ReadError::TooDeep { .. }));
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn ufs_07_exponential_file() {
    let mut store = Store::default();
    let leaf = vec![b'x'; 1 << 20];
    let (mut cid, mut size) = (store.put_raw(&leaf), 1u64 << 20);
    for _ in 0..20 {
        cid = store.put_file(&[(cid.clone(), size), (cid, size)]);
        size *= 2;
    }
    let window = Window::default();
    let mut reader = Reader::<Bytes>::new(cid, .., window);
    let (mut blocks, mut total) = (0, 0u64);
    while total < 64 << 20 {
        let wants = reader.wants();
        assert!(wants.len() <= window.blocks);
        blocks += wants.len();
        wants.iter().for_each(|cid| assert!(reader.give(store.get(cid)).unwrap()));
        while let Some(bytes) = reader.read().unwrap() {
            total += bytes.len() as u64;
        }
    }
    assert_eq!(reader.size(), Some(1 << 40));
    assert!(blocks < 1000, "{blocks} blocks for 64 MiB");
    // near its end it is as quick
    let tail = read(&store, &reader_root(&store, size), size - 10..).unwrap().unwrap();
    assert_eq!(tail, [b'x'; 10]);
}

/// The root of the only file of this size.
fn reader_root(store: &Store, size: u64) -> Cid {
    let is_it = |block: &&Block| stat(block).unwrap().size == Some(size);
    store.0.values().find(is_it).unwrap().cid().clone()
}

#[test]
fn ufs_07_exponential_file_of_nothing() {
    let mut store = Store::default();
    let mut cid = store.put_raw(b"");
    for _ in 0..60 {
        cid = store.put_file(&[(cid.clone(), 0), (cid, 0)]);
    }
    assert_eq!(read(&store, &cid, ..), Ok(Some(vec![])));
}

#[test]
fn ufs_08_a_link_inside_a_file_has_a_name() {
    let mut store = Store::default();
    let part = store.put_raw(b"abc");
    let mut data = Data::new(Kind::File);
    (data.filesize, data.blocksizes) = (Some(6), vec![3, 3]);
    let link = |name: Option<&'static [u8]>| Link { cid: part.clone(), name, tsize: None };
    let links = [link(None), link(Some(b"x"))];
    let cid = store.put(dag_pb(pb::encode(&links, Some(&data.encode()))));
    assert_eq!(refused(&store, &cid), ReadError::LinkName { cid, link: 1 });
    let unnamed = [link(None), link(Some(b""))];
    let cid = store.put(dag_pb(pb::encode(&unnamed, Some(&data.encode()))));
    assert_eq!(read(&store, &cid, ..), Ok(Some(b"abcabc".to_vec())));
}

#[test]
fn ufs_16_a_part_that_is_no_file() {
    let mut store = Store::default();
    let directory = store.put_node(&Data::new(Kind::Directory), &[]);
    let mut symlink = Data::new(Kind::Symlink);
    symlink.data = Some(b"abc");
    let symlink = store.put_node(&symlink, &[]);
    let shard = store.put_node(&Data::new(Kind::HamtShard), &[]);
    for (cid, found) in
        [(directory, Type::Directory), (symlink, Type::Symlink), (shard, Type::Shard)]
    {
        let root = store.put_file(&[(cid.clone(), 3)]);
        assert_eq!(refused(&store, &root), ReadError::Part { cid: cid.clone(), found });
        let error = refused(&store, &cid);
        assert_eq!(error, ReadError::NotAFile { cid, found });
        assert_eq!(error.kind(), ErrorKind::NotAFile);
    }
    let cbor = Bytes::from_static(&[0xa0]);
    let cbor = Block::hash(Version::V1, code::DAG_CBOR, code::SHA2_256, cbor).unwrap();
    let (cid, found) = (store.put(cbor), Type::Ipld);
    let root = store.put_file(&[(cid.clone(), 3)]);
    assert_eq!(refused(&store, &root), ReadError::Part { cid: cid.clone(), found });
    assert_eq!(refused(&store, &cid), ReadError::NotAFile { cid, found });
}

#[test]
fn ufs_17_missing_block_in_the_middle() {
    let mut store = Store::default();
    let bytes: Vec<u8> = (0..3072u32).map(|at| (at / 1024 + at) as u8).collect();
    let options = options(Version::V1, true, 1024, 174);
    let root = import(&options, [Bytes::from(bytes.clone())], &mut store).cid;
    let middle = common::raw(&bytes[1024..2048]).cid().clone();
    assert!(store.0.remove(&middle).is_some());
    assert_eq!(read(&store, &root, ..1024), Ok(Some(bytes[..1024].to_vec())));
    assert_eq!(read(&store, &root, 2048..), Ok(Some(bytes[2048..].to_vec())));
    assert_eq!(read(&store, &root, ..), Ok(None));
    assert_eq!(read(&store, &root, 1024..1025), Ok(None));
}

#[test]
fn ufs_18_a_block_for_another_cid() {
    let mut store = Store::default();
    let part = store.put_raw(b"abc");
    let root = store.put_file(&[(part.clone(), 3)]);
    // no block can be made that says it is one and is another
    let lie = Block::verify(part.clone(), store.get(&root).bytes().clone());
    assert_eq!(lie, Err(BlockError::Mismatch(part)));
    let mut reader = Reader::<Bytes>::new(root.clone(), .., Window::default());
    reader.give(store.get(&root)).unwrap();
    // and the reader does not take a block twice, or one that it did not ask for
    assert_eq!(reader.give(store.get(&root)), Ok(false));
}

#[test]
fn inner_nodes_that_are_too_large_together() {
    let mut store = Store::default();
    let mut cid = store.put_raw(b"x");
    let empty = store.put_raw(b"");
    let mut parts = vec![(cid.clone(), 0); 1];
    parts.extend(vec![(empty, 0); 40_000]);
    let mut size = 1;
    // a tail that is needed, and not yet asked for, keeps every level's node
    let tail = store.put_raw(b"y");
    parts.push((tail, 1));
    for _ in 0..20 {
        parts[0] = (cid, size);
        cid = store.put_file(&parts);
        size += 1;
    }
    let window = Window { blocks: 1, bytes: 0 };
    let mut reader = Reader::<Bytes>::new(cid.clone(), .., window);
    let error = loop {
        let wants = reader.wants();
        assert_eq!(wants.len(), 1);
        if let Err(error) = reader.give(store.get(&wants[0])) {
            break error;
        }
    };
    assert!(matches!(error, ReadError::TooMuchHeld { .. }));
    assert_eq!(error.kind(), ErrorKind::Limit);
    // with a window that reaches the tails, and from the end, the same file is read
    assert_eq!(read(&store, &cid, ..).unwrap().unwrap().len() as u64, size);
    assert_eq!(read(&store, &cid, size - 1..), Ok(Some(b"y".to_vec())));
}
