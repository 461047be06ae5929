//! Importing by every parameter: the blocks are those of a slow twin, however the input was split,
//! and what is written is read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::BTreeSet;

use avocet_dag::{
    Block, Cid, CidError, Classify, ErrorKind, Multihash, Prefix, Version, code,
    codec::{self, pb},
    unixfs::{
        self, Chunking, Data, ImportError, ImportOptions, Importer, Kind, Layout, Leaf, Meta,
        Mtime, OptionsError, Profile, Reader, Type, Window, hash_code, single, stat, symlink,
    },
};
use bytes::Bytes;
use common::{Store, import, import_with, read, twin};
use proptest::{option, prelude::*, sample::Index};

const HASHES: [&str; 5] = ["sha2-256", "sha2-512", "blake2b-256", "blake3", "identity"];

fn any_chunking() -> impl Strategy<Value = Chunking> {
    let rabin = (16..40usize, 1..60usize, 1..90usize);
    prop_oneof![
        (1..40usize).prop_map(Chunking::Size),
        rabin.prop_map(|(min, to_avg, to_max)| {
            let avg = min + to_avg;
            Chunking::Rabin { min, avg, max: avg + to_max }
        }),
    ]
}

fn any_options() -> impl Strategy<Value = ImportOptions> {
    let names = (any::<bool>(), prop::sample::select(&HASHES[..]), any::<bool>());
    let layout = prop_oneof![Just(Layout::Balanced), Just(Layout::Trickle)];
    let inline_limit = prop_oneof![Just(0), 0..=128usize];
    (names, any_chunking(), layout, 2..6usize, inline_limit).prop_map(
        |((v0, hash, raw_leaves), chunking, layout, max_links, inline_limit)| {
            let hash = hash_code(hash).unwrap();
            let v0 = v0 && hash == code::SHA2_256;
            let cid_version = if v0 { Version::V0 } else { Version::V1 };
            let other = ImportOptions::default();
            ImportOptions {
                cid_version,
                hash,
                raw_leaves,
                chunking,
                layout,
                max_links,
                inline_limit,
                ..other
            }
        },
    )
}

fn any_meta() -> impl Strategy<Value = Meta> {
    let mtime = (any::<i64>(), 0..1_000_000_000u32);
    let mtime = mtime.prop_map(|(secs, nanos)| Mtime { secs, nanos });
    let meta = (option::of(any::<u32>()), option::of(mtime));
    prop_oneof![Just(Meta::default()), meta.prop_map(|(mode, mtime)| Meta { mode, mtime })]
}

/// Bytes with enough repetition that equal chunks and early cuts come about.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let run = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..400),
        (any::<u8>(), 0..200usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    prop::collection::vec(run, 0..5).prop_map(|runs| runs.concat())
}

/// Cuts `bytes` at these places.
fn pieces(bytes: &[u8], cuts: &[Index]) -> Vec<Bytes> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| Bytes::copy_from_slice(&bytes[pair[0]..pair[1]])).collect()
}

/// The blocks that somebody needs who reads `start..end` of the file `cid`: the root, and what of
/// the rest holds a byte of it. What CIDs carry inside themselves needs nobody.
fn needed(store: &Store, cid: &Cid, start: u64, end: u64, out: &mut BTreeSet<Cid>) {
    if cid.inline().is_none() {
        out.insert(cid.clone());
    }
    let Ok(node) = pb::Node::decode(store.get(cid).bytes()) else { return };
    if cid.codec() == code::RAW {
        return;
    }
    let sizes = Data::decode(node.data().unwrap()).unwrap().blocksizes;
    let mut at = 0;
    for (link, size) in node.links().zip(sizes) {
        if start.max(at) < end.min(at + size) {
            needed(store, &link.cid, start.saturating_sub(at), end - at, out);
        }
        at += size;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..common::fixed_seed() })]

    #[test]
    fn any_split_of_the_input_gives_the_blocks_of_the_slow_twin(
        options in any_options(),
        meta in any_meta(),
        bytes in any_bytes(),
        cuts in any::<Vec<Index>>(),
    ) {
        let (mut store, mut other) = (Store::default(), Store::default());
        let root = import_with(&options, meta, pieces(&bytes, &cuts), &mut store);
        let root = match (root, twin::import(&options, meta, &bytes, &mut other)) {
            (Ok(root), Ok(expected)) => {
                prop_assert_eq!(&root, &expected);
                root
            }
            // a block does not fit its CID; which one is met first is nobody's business
            (Err(ImportError::Block(error)), Err(expected)) => {
                prop_assert_eq!(options.hash, code::IDENTITY);
                for error in [error, expected] {
                    prop_assert!(error.to_string().contains("does not fit"), "{}", error);
                }
                return Ok(());
            }
            (left, right) => panic!("{left:?} here, {right:?} there"),
        };
        prop_assert_eq!(&store.0, &other.0);
        prop_assert_eq!(root.size, bytes.len() as u64);
        let stat = stat(store.get(&root.cid)).unwrap();
        prop_assert_eq!((stat.size, stat.dag_size), (Some(root.size), Some(root.tsize)));
        prop_assert_eq!(Meta { mode: stat.mode, mtime: stat.mtime }, meta);
        prop_assert!(matches!(stat.kind, Type::Raw | Type::File));
    }

    #[test]
    fn every_range_is_its_slice_and_needs_only_its_blocks(
        options in any_options(),
        meta in any_meta(),
        bytes in any_bytes(),
        (a, b) in any::<(Index, Index)>(),
    ) {
        let mut store = Store::default();
        let root = import_with(&options, meta, [bytes.clone().into()], &mut store);
        let Ok(root) = root else {
            prop_assert_eq!(options.hash, code::IDENTITY);
            return Ok(());
        };
        prop_assert_eq!(read(&store, &root.cid, ..).unwrap().unwrap(), bytes.clone());
        let (a, b) = (a.index(bytes.len() + 3) as u64, b.index(bytes.len() + 3) as u64);
        let (from, to) = (a.min(b), a.max(b));
        let slice = |at: u64| bytes.len().min(at as usize);
        let expected = &bytes[slice(from)..slice(to)];
        let mut reader = Reader::<Bytes>::new(root.cid.clone(), from..to, Window::default());
        let (mut asked, mut out) = (BTreeSet::new(), Vec::new());
        while !reader.is_done() {
            for cid in reader.wants() {
                reader.give(store.get(&cid)).unwrap();
                asked.insert(cid);
            }
            while let Some(bytes) = reader.read().unwrap() {
                out.extend_from_slice(&bytes);
            }
        }
        prop_assert_eq!(out, expected);
        let mut expected = BTreeSet::new();
        needed(&store, &root.cid, from, to, &mut expected);
        prop_assert_eq!(asked, expected);
    }
}

#[test]
fn names_of_parameters() {
    let rabin = |min, avg, max| Ok(Chunking::Rabin { min, avg, max });
    assert_eq!("rabin".parse(), rabin(87_381, 262_144, 393_216));
    assert_eq!("rabin-1000".parse(), rabin(333, 1000, 1500));
    assert_eq!("rabin-16-17-18".parse(), rabin(16, 17, 18));
    assert_eq!("buzhash".parse(), Ok(Chunking::Buzhash));
    for wrong in ["rabin-", "rabin-1-2", "rabin-1-2-3-4", "rabin-a", "buzhash-1", "Rabin", ""] {
        let error = wrong.parse::<Chunking>().unwrap_err();
        assert_eq!(error, OptionsError::Chunker(wrong.into()));
    }
    assert_eq!("trickle".parse(), Ok(Layout::Trickle));
    assert_eq!("balanced".parse(), Ok(Layout::Balanced));
    assert_eq!("flat".parse::<Layout>(), Err(OptionsError::Layout("flat".into())));
    assert_eq!(hash_code("blake3"), Ok(0x1e));
    assert_eq!(hash_code("md5"), Err(OptionsError::Hash("md5".into())));
}

#[test]
fn options_that_make_no_import_are_refused() {
    let check = |change: fn(&mut ImportOptions)| {
        let mut options = ImportOptions::from(Profile::UnixfsV0_2015);
        change(&mut options);
        assert_eq!(
            options.check().map_err(|error| error.kind()).err(),
            match options.check() {
                Ok(()) => None,
                Err(_) => Some(ErrorKind::InvalidOption),
            }
        );
        options.check()
    };
    assert_eq!(check(|_| {}), Ok(()));
    assert_eq!(check(|options| options.hash = code::BLAKE3), Err(OptionsError::Version0));
    assert_eq!(check(|options| options.hash = 0x11), Err(OptionsError::Hash("17".into())));
    assert_eq!(check(|options| options.inline_limit = 128), Ok(()));
    assert_eq!(check(|options| options.inline_limit = 129), Err(OptionsError::InlineLimit(129)));
    assert_eq!(check(|options| options.hamt_fanout = 16), Ok(()));
    for fanout in [0, 1, 4, 24, 100, 2048] {
        let options = ImportOptions { hamt_fanout: fanout, ..ImportOptions::default() };
        assert_eq!(options.check(), Err(OptionsError::Fanout(fanout)));
    }
    for (min, avg, max) in [(15, 20, 30), (20, 20, 30), (20, 30, 30), (20, 30, 2_096_897)] {
        let chunking = Chunking::Rabin { min, avg, max };
        let options = ImportOptions { chunking, ..ImportOptions::default() };
        assert_eq!(options.check(), Err(OptionsError::Rabin { min, avg, max }));
    }
    let (mode, mtime) = (None, Some(Mtime { secs: 0, nanos: 1_000_000_000 }));
    let error = Importer::with_meta(&ImportOptions::default(), Meta { mode, mtime }).unwrap_err();
    assert_eq!(error, ImportError::Options(OptionsError::Nanos(1_000_000_000)));
}

/// The empty file under every option; the CIDs are Kubo's.
#[test]
fn empty_files() {
    let empty = |options: &ImportOptions| import(options, [], &mut Store::default()).cid;
    let raw = ImportOptions::default();
    let dag_pb = ImportOptions { raw_leaves: false, ..raw.clone() };
    let v0 = ImportOptions::from(Profile::UnixfsV0_2015);
    let text = |options: &ImportOptions| empty(options).to_string();
    assert_eq!(text(&raw), "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
    assert_eq!(text(&dag_pb), "bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y");
    assert_eq!(text(&v0), "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH");
    // the root of a trickle is a node whatever its leaves are
    let trickle = ImportOptions { layout: Layout::Trickle, ..raw.clone() };
    assert_eq!(empty(&trickle), empty(&dag_pb));
    let inline = ImportOptions { inline_limit: 1, ..raw };
    assert_eq!(empty(&inline).inline(), Some(&[][..]));
}

/// A root that must hold the bytes cannot be made without them.
#[test]
fn one_leaf_with_a_mode_is_made_of_its_bytes() {
    let options = ImportOptions::default();
    let meta = Meta { mode: Some(0o644), mtime: None };
    let mut importer = Importer::with_meta(&options, meta).unwrap();
    let block = unixfs::leaf(&options, "bytes".into()).unwrap();
    importer.push(Leaf::new(&block, 5)).unwrap();
    let error = importer.finish().unwrap_err();
    assert_eq!((error.kind(), error), (ErrorKind::Misuse, ImportError::Single));

    let file = single(&options, meta, "bytes".into()).unwrap();
    assert_eq!(file.blocks.len(), 1);
    assert_eq!(stat(&file.blocks[0]).unwrap().mode, Some(0o644));
    let plain = single(&options, Meta::default(), "bytes".into()).unwrap();
    assert_eq!(plain.blocks, [block]);
}

#[test]
fn links_are_written_and_reported() {
    let options = ImportOptions::from(Profile::UnixfsV0_2015);
    let meta = Meta { mode: Some(0o777), mtime: Some(Mtime { secs: -1, nanos: 5 }) };
    for target in ["", "../a", "\u{1f9}"] {
        let block = symlink(&options, target.as_bytes(), meta).unwrap();
        let stat = stat(&block).unwrap();
        assert_eq!((stat.kind, stat.target), (Type::Symlink, Some(target.into())));
        assert_eq!((stat.mode, stat.mtime), (meta.mode, meta.mtime));
        assert_eq!(codec::links(&block), Ok(vec![]));
    }
    let long = vec![b'a'; 2 << 20];
    assert_eq!(symlink(&options, &long, meta).unwrap_err().kind(), ErrorKind::Limit);
}

/// Digests of "abc": FIPS 180-4, RFC 7693, the BLAKE3 and go-multihash projects' own values.
#[test]
fn digests_of_every_function() {
    let known = [
        ("sha2-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "sha2-512",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        ("blake2b-256", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
        ("blake3", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        ("identity", "616263"),
    ];
    for (name, digest) in known {
        let hash = Multihash::hash(hash_code(name).unwrap(), b"abc").unwrap();
        let hex: String = hash.digest().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, digest, "{name}");
    }
    // BLAKE2b of 64 bytes (RFC 7693, appendix A), and SHA-256 of SHA-256
    let longest = Multihash::hash(code::BLAKE2B_MAX, b"abc").unwrap();
    assert_eq!(longest.digest()[..4], [0xba, 0x80, 0xa5, 0x3f]);
    let inner = Multihash::hash(code::SHA2_256, b"abc").unwrap();
    let twice = Multihash::hash(code::SHA2_256, inner.digest()).unwrap();
    let double = Multihash::hash(code::DBL_SHA2_256, b"abc").unwrap();
    assert_eq!(double.digest(), twice.digest());
}

#[test]
fn blocks_are_verified_by_every_function() {
    let mut codes = HASHES.map(|name| hash_code(name).unwrap()).to_vec();
    codes.extend([code::DBL_SHA2_256, 0xb214, code::BLAKE2B_MAX]);
    for hash in codes {
        let bytes = Bytes::from("some bytes");
        let block = Block::hash(Version::V1, code::RAW, hash, bytes.clone()).unwrap();
        let cid = block.cid().clone();
        assert_eq!(Cid::from_bytes(&cid.to_bytes()).as_ref(), Ok(&cid));
        assert_eq!(cid.to_string().parse().as_ref(), Ok(&cid));
        assert!(Block::verify(cid.clone(), bytes.clone()).is_ok());
        assert!(Block::verify(cid.clone(), "other".into()).is_err());
        assert_eq!(Prefix::parse(&cid.prefix()).unwrap().cid(&bytes).unwrap(), cid);
    }
}

#[test]
fn digests_of_other_lengths() {
    let of = |code, len| Multihash::hash_to(code, len, b"some bytes");
    let verify = |hash: Multihash| Block::verify(Cid::new_v1(code::RAW, hash), "some bytes".into());
    for (code, most) in [(code::SHA2_256, 32), (code::SHA2_512, 64), (code::BLAKE3, 64)] {
        assert!(verify(of(code, 20).unwrap()).is_ok());
        assert!(verify(of(code, most).unwrap()).is_ok());
        let wrong = CidError::DigestLength { code, len: most as u64 + 1 };
        assert_eq!(of(code, most + 1), Err(wrong));
    }
    // a longer BLAKE3 begins with the shorter
    let (long, short) = (of(code::BLAKE3, 64).unwrap(), of(code::BLAKE3, 32).unwrap());
    assert!(long.digest().starts_with(short.digest()));
    assert_eq!(of(code::IDENTITY, 9), Err(CidError::DigestLength { code: 0, len: 9 }));
    // functions that are trusted and not computed
    for code in [code::SHA1, 0x16, 0x1b, 0xb260] {
        let hash = Multihash::new(code, &[0; 20]).unwrap();
        assert_eq!(hash.check(), Err(CidError::Unsupported(code)));
        assert_eq!(verify(hash).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

/// A block that Kubo makes when a file is changed in place: bytes, then links.
#[test]
fn ranges_of_a_node_with_bytes_and_links() {
    let mut store = Store::default();
    let (left, right) = (store.put_raw(b"defg"), store.put_raw(b"hij"));
    let mut data = Data::new(Kind::File);
    data.data = Some(b"abc");
    data.blocksizes = vec![4, 3];
    data.filesize = Some(10);
    let root = store.put_node(&data, &[(left, 4), (right.clone(), 3)]);
    for from in 0..=10 {
        for to in from..=10 {
            let expected = b"abcdefghij"[from as usize..to as usize].to_vec();
            assert_eq!(read(&store, &root, from..to).unwrap(), Some(expected));
        }
    }
    store.0.remove(&right);
    assert_eq!(read(&store, &root, 1..7).unwrap().unwrap(), b"bcdefg");
    assert_eq!(read(&store, &root, 1..8).unwrap(), None);
}
