//! Sharded directories: built, listed, looked up in; and hostile ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use avocet_dag::{
    Block, Cid, Classify, ErrorKind, Multihash, Version, code,
    codec::pb::{self, Link},
    resolve::{ResolveError, Resolver},
    unixfs::{
        Data, DirError, Entry, HamtError, HamtSize, ImportOptions, Kind, ListError, Listing,
        MAX_LISTED, Meta, Mtime, NodeError, Profile, Tree, Type, Window, single, stat,
    },
    walk::{MAX_VISITED, Walk, Want},
};
use bytes::Bytes;
use common::{Store, dag_pb, list, murmur, resolve};
use proptest::prelude::*;

/// Options under which all but empty directories are sharded.
fn sharded(fanout: usize) -> ImportOptions {
    ImportOptions {
        hamt_threshold: 0,
        hamt_size: HamtSize::Links,
        hamt_fanout: fanout,
        ..ImportOptions::default()
    }
}

fn entry(text: &str) -> Entry {
    let block = common::raw(text.as_bytes());
    let size = block.len() as u64;
    Entry { cid: block.cid().clone(), tsize: size, size }
}

/// A tree of these names, each linking to its own text.
fn build<'a>(
    options: &ImportOptions,
    names: impl IntoIterator<Item = &'a str>,
    store: &mut Store,
) -> Entry {
    let mut tree = Tree::new(options).unwrap();
    names.into_iter().for_each(|name| tree.insert(name, entry(name)).unwrap());
    let built = tree.finish().unwrap();
    built.blocks.into_iter().for_each(|block| drop(store.put(block)));
    built.root
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("file-{index}")).collect()
}

/// A block of a sharded directory, whatever it says.
struct Shard<'a> {
    hash_type: Option<u64>,
    fanout: Option<u64>,
    field: Option<&'a [u8]>,
    links: Vec<(&'a str, Cid)>,
}

impl Default for Shard<'_> {
    /// A good one of fan-out 256 and no links.
    fn default() -> Self {
        Self { hash_type: Some(0x22), fanout: Some(256), field: None, links: Vec::new() }
    }
}

impl Shard<'_> {
    fn block(&self) -> Block {
        let mut data = Data::new(Kind::HamtShard);
        (data.hash_type, data.fanout, data.data) = (self.hash_type, self.fanout, self.field);
        let mut bytes = Vec::new();
        for (name, cid) in &self.links {
            let (cid, name) = (cid.clone(), Some(name.as_bytes()));
            bytes.extend(pb::encode(&[Link { cid, name, tsize: Some(1) }], None));
        }
        bytes.extend(pb::encode(&[], Some(&data.encode())));
        dag_pb(bytes)
    }
}

/// What is wrong with a shard, to whomever reads it.
fn wrong(block: &Block) -> HamtError {
    let mut store = Store::default();
    let root = store.put(block.clone());
    let NodeError::Hamt { cid, source } = stat(block).unwrap_err() else { panic!("{block:?}") };
    assert_eq!(cid, root);
    let expected = NodeError::Hamt { cid, source: source.clone() };
    assert_eq!(list(&store, &root), Err(ListError::Node(expected.clone())));
    assert_eq!(resolve(&store, &root, "a"), Err(ResolveError::Node(expected)));
    source
}

/// Which blocks it takes to follow a path.
fn steps(store: &Store, root: &Cid, name: &str) -> (usize, Result<Cid, ResolveError>) {
    let mut resolver = Resolver::new(root.clone(), vec![name.to_owned()]);
    let mut blocks = 0;
    while let Some(cid) = resolver.want().cloned() {
        blocks += 1;
        if let Err(error) = resolver.give(store.get(&cid)) {
            return (blocks, Err(error));
        }
    }
    (blocks, Ok(resolver.cid().clone()))
}

#[test]
fn what_is_built_is_listed_and_found() {
    for fanout in [8, 16, 256, 512, 1024] {
        let mut store = Store::default();
        let names = names(3000);
        let root = build(&sharded(fanout), names.iter().map(String::as_str), &mut store);
        let block = store.get(&root.cid);
        let said = stat(block).unwrap();
        assert_eq!((said.kind, said.dag_size), (Type::Shard, Some(root.tsize)));
        let listed = list(&store, &root.cid).unwrap();
        let seen: BTreeSet<String> = listed.iter().map(|entry| entry.text().into()).collect();
        assert_eq!((listed.len(), seen), (names.len(), names.iter().cloned().collect()));
        for entry in listed.iter().step_by(97) {
            assert_eq!(resolve(&store, &root.cid, &entry.text()).unwrap(), entry.cid);
        }
        let (blocks, missing) = steps(&store, &root.cid, "file-3000");
        let directory = root.cid.clone();
        let error = ResolveError::NotFound { directory, segment: "file-3000".into() };
        assert_eq!(missing, Err(error));
        assert!(blocks <= 6, "{blocks} blocks under {fanout}");
    }
}

#[test]
fn only_the_way_to_a_name_is_fetched() {
    let mut store = Store::default();
    let names = names(20_000);
    let root = build(&ImportOptions::default(), names.iter().map(String::as_str), &mut store);
    for name in names.iter().step_by(1999) {
        let (blocks, found) = steps(&store, &root.cid, name);
        assert_eq!(found.unwrap(), entry(name).cid);
        assert!((1..=5).contains(&blocks), "{name} takes {blocks} blocks");
    }
}

#[test]
fn folders_inside_folders_are_sharded_each_by_its_own_size() {
    let mut store = Store::default();
    let names = names(9000);
    let paths = names.iter().map(|name| format!("large/{name}")).chain(["small/a/b".to_owned()]);
    let paths: Vec<String> = paths.collect();
    let root = build(&ImportOptions::default(), paths.iter().map(String::as_str), &mut store);
    for (path, kind) in [("large", Type::Shard), ("small", Type::Directory)] {
        let cid = resolve(&store, &root.cid, path).unwrap();
        assert_eq!(stat(store.get(&cid)).unwrap().kind, kind);
    }
    assert_eq!(resolve(&store, &root.cid, "large/file-77").unwrap(), entry("large/file-77").cid);
    assert_eq!(root.size, paths.iter().map(|path| path.len() as u64).sum::<u64>());
}

#[test]
fn the_threshold_is_strict_under_both_rules() {
    for (hamt_size, size) in [(HamtSize::Links, 1 + 36 + 2 + 36), (HamtSize::Block, 4 + 45 + 46)] {
        let kind = |hamt_threshold| {
            let options = ImportOptions { hamt_threshold, hamt_size, ..ImportOptions::default() };
            let mut store = Store::default();
            let root = build(&options, ["a", "bc"], &mut store);
            let block = store.get(&root.cid);
            if hamt_size == HamtSize::Block && hamt_threshold == size {
                assert_eq!(block.len(), size);
            }
            stat(block).unwrap().kind
        };
        assert_eq!(kind(size), Type::Directory, "{hamt_size:?}");
        assert_eq!(kind(size - 1), Type::Shard, "{hamt_size:?}");
    }
}

#[test]
fn modes_and_times_count_and_stand_in_the_root_alone() {
    let mtime = Some(Mtime { secs: 1_700_000_000, nanos: 5 });
    let meta = Meta { mode: Some(0o755), mtime };
    let options = sharded(8);
    let mut tree = Tree::new(&options).unwrap();
    names(100).iter().for_each(|name| tree.insert(name, entry(name)).unwrap());
    tree.set_meta("/", meta).unwrap();
    let built = tree.finish().unwrap();
    let (root, others) = built.blocks.split_last().unwrap();
    let said = stat(root).unwrap();
    assert_eq!((said.mode, said.mtime), (meta.mode, mtime));
    assert!(others.len() > 10);
    assert!(others.iter().all(|block| stat(block).unwrap().mode.is_none()));

    let size = |meta| {
        let mut tree = Tree::new(&ImportOptions::default()).unwrap();
        tree.set_meta("/", meta).unwrap();
        tree.finish().unwrap().blocks.remove(0).len()
    };
    assert_eq!(size(meta) - size(Meta::default()), 3 + 2 + 6 + 5);
    let options = ImportOptions { hamt_threshold: size(meta) + 40, ..ImportOptions::default() };
    for (meta, kind) in [(Meta::default(), Type::Directory), (meta, Type::Shard)] {
        let mut tree = Tree::new(&options).unwrap();
        tree.insert("ab", entry("")).unwrap();
        tree.set_meta("/", meta).unwrap();
        assert_eq!(stat(tree.finish().unwrap().blocks.last().unwrap()).unwrap().kind, kind);
    }
}

/// What Kubo 0.43.1 gives with `--preserve-mode --preserve-mtime --raw-leaves=false`: in one block
/// the folder is of 2360 bytes, its mode and time among them.
#[test]
fn a_folder_with_a_mode_and_a_time_at_its_threshold_as_kubo_has_it() {
    let time = |secs, nanos| Some(Mtime { secs, nanos });
    for (hamt_threshold, hamt_fanout, expected) in [
        (2360, 256, "bafybeie2d6ofbnsse6ioh7sc6bbvtrhrcrekutgxyxwmcawoqtbred67re"),
        (2359, 256, "bafybeickrpapgmvveip4zed3twzi4scywcskxw6ko6hcrjgkseeghjehku"),
        (2359, 16, "bafybeid5sllvtqk2jjihwh5sok5ihze7lfdvaxkrog6h5ndzlemxhujxpu"),
    ] {
        let options = ImportOptions {
            hamt_threshold,
            hamt_fanout,
            raw_leaves: false,
            ..ImportOptions::default()
        };
        let mut tree = Tree::new(&options).unwrap();
        for index in 0..50 {
            let meta = Meta { mode: Some(0o644), mtime: time(5, 0) };
            let file = single(&options, meta, format!("x{index}").into()).unwrap();
            tree.insert(&format!("f{index}"), file.root.into()).unwrap();
        }
        let meta = Meta { mode: Some(0o711), mtime: time(1_700_000_000, 5) };
        tree.set_meta("/", meta).unwrap();
        assert_eq!(tree.finish().unwrap().root.cid.to_string(), expected);
    }
}

#[test]
fn folders_say_one_thing_in_any_order() {
    let meta = Meta { mode: Some(0o700), mtime: None };
    let time = Meta { mode: None, mtime: Some(Mtime { secs: 1, nanos: 0 }) };
    let mut tree = Tree::new(&ImportOptions::default()).unwrap();
    for path in ["a/b/", "a/b", "a/b/"] {
        tree.set_meta(path, meta).unwrap();
        tree.set_meta(path, time).unwrap();
        tree.insert_folder(path).unwrap();
    }
    let other = Meta { mode: Some(0o755), mtime: None };
    assert!(matches!(tree.set_meta("a/b", other), Err(DirError::Duplicate { .. })));
    assert!(matches!(tree.set_meta("", other), Err(DirError::Name { .. })));
    assert!(matches!(tree.set_meta("//", other), Err(DirError::Name { .. })));
    let mut store = Store::default();
    let built = tree.finish().unwrap();
    built.blocks.into_iter().for_each(|block| drop(store.put(block)));
    let folder = resolve(&store, &built.root.cid, "a/b").unwrap();
    let said = stat(store.get(&folder)).unwrap();
    assert_eq!((said.mode, said.mtime), (meta.mode, time.mtime));
}

#[test]
fn an_empty_folder_is_never_sharded() {
    for hamt_size in [HamtSize::Block, HamtSize::Links] {
        let options = ImportOptions { hamt_size, ..sharded(256) };
        let built = Tree::new(&options).unwrap().finish().unwrap();
        assert_eq!(stat(&built.blocks[0]).unwrap().kind, Type::Directory);
    }
}

#[test]
fn a_walk_goes_through_all_shards() {
    let mut store = Store::default();
    let names = names(500);
    let root = build(&sharded(8), names.iter().map(String::as_str), &mut store);
    let mut walk = Walk::new([root.cid], MAX_VISITED).unwrap();
    let mut leaves = 0;
    while let Some(want) = walk.next_want() {
        match want {
            Want::Node(cid) => drop(walk.give(store.get(&cid)).unwrap()),
            _ => leaves += 1,
        }
    }
    assert_eq!(leaves, 500);
    assert_eq!(walk.visited(), 500 + store.0.len());
}

#[test]
fn names_with_one_hash_are_refused_by_name() {
    let [one, other] = murmur::same_hash();
    let mut tree = Tree::new(&sharded(256)).unwrap();
    for name in [&one, &other] {
        tree.insert(&format!("x/{name}"), entry(name)).unwrap();
    }
    let error = tree.finish().unwrap_err();
    assert!(matches!(&error, DirError::Collision { path, .. } if path == "x"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Limit);
    // in one block they may stand
    let mut store = Store::default();
    let root = build(&ImportOptions::default(), [&*one, &*other], &mut store);
    assert_eq!(resolve(&store, &root.cid, &other).unwrap(), entry(&other).cid);
}

#[test]
fn names_too_long_for_a_block_of_a_shard() {
    let mut tree = Tree::new(&sharded(1024)).unwrap();
    for index in 0..20 {
        let name = format!("{index}{}", "x".repeat(128 * 1024));
        tree.insert(&name, entry("x")).unwrap();
    }
    let error = tree.finish().unwrap_err();
    assert!(matches!(error, DirError::TooLarge { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn hamt_01_fanout_2_31() {
    for fanout in [1 << 31, 2048, 1 << 63, u64::MAX] {
        let shard = Shard { fanout: Some(fanout), ..Shard::default() };
        assert_eq!(wrong(&shard.block()), HamtError::Fanout(fanout));
    }
}

#[test]
fn hamt_02_fanouts_that_are_none_and_16() {
    for fanout in [Some(0), Some(1), Some(3), Some(4), Some(100), Some(24), None] {
        let shard = Shard { fanout, ..Shard::default() };
        assert_eq!(wrong(&shard.block()), HamtError::Fanout(fanout.unwrap_or(0)));
    }
    let mut store = Store::default();
    let names = names(200);
    let root = build(&sharded(16), names.iter().map(String::as_str), &mut store);
    assert_eq!(list(&store, &root.cid).unwrap().len(), 200);
    for bad in [0, 1, 3, 4, 24, 100, 2048] {
        assert!(Tree::new(&sharded(bad)).is_err(), "{bad}");
    }
}

#[test]
fn hamt_03_bitfield_longer_than_the_fanout() {
    for len in [33, 4096] {
        let field = vec![0; len];
        let shard = Shard { field: Some(&field), ..Shard::default() };
        assert_eq!(wrong(&shard.block()), HamtError::Bitfield(len));
    }
    // leading zeros up to the fan-out are no harm
    let shard = Shard { field: Some(&[0; 32]), ..Shard::default() };
    assert_eq!(stat(&shard.block()).unwrap().kind, Type::Shard);
}

#[test]
fn hamt_04_bitfield_that_does_not_match_the_links() {
    let cid = || common::raw(b"x").cid().clone();
    let links = |names: &[&'static str]| names.iter().map(|name| (*name, cid())).collect();
    let cases: [(&[u8], &[&'static str], usize); 6] = [
        (&[0b11], &["00a"], 1),
        (&[0b01], &["00a", "01b"], 1),
        (&[0b10], &["00a"], 0),
        (&[0b11], &["01a", "00b"], 0),
        (&[0b01], &["00a", "00b"], 1),
        (&[], &["00a"], 0),
    ];
    for (field, names, link) in cases {
        let shard = Shard { field: Some(field), links: links(names), ..Shard::default() };
        assert_eq!(wrong(&shard.block()), HamtError::Links(link), "{field:?} {names:?}");
    }
}

#[test]
fn hamt_05_names_shorter_than_the_prefix() {
    for name in ["", "A"] {
        let cid = common::raw(b"x").cid().clone();
        let shard = Shard { field: Some(&[1]), links: vec![(name, cid)], ..Shard::default() };
        assert_eq!(wrong(&shard.block()), HamtError::Prefix(0));
    }
}

#[test]
fn hamt_06_prefixes_that_are_no_capital_hexadecimal() {
    for name in ["ffx", "ZZx", "0gx", "+1x", "é", " 0x"] {
        let cid = common::raw(b"x").cid().clone();
        let shard = Shard { field: Some(&[1]), links: vec![(name, cid)], ..Shard::default() };
        assert_eq!(wrong(&shard.block()), HamtError::Prefix(0), "{name}");
    }
    // a prefix past a narrow fan-out
    let links = vec![("9x", common::raw(b"x").cid().clone())];
    let shard = Shard { fanout: Some(8), field: Some(&[1]), links, ..Shard::default() };
    assert_eq!(wrong(&shard.block()), HamtError::Prefix(0));
}

#[test]
fn hamt_07_unknown_hash_type() {
    for hash_type in [Some(0x12), Some(0), Some(u64::MAX), None] {
        let shard = Shard { hash_type, ..Shard::default() };
        assert_eq!(wrong(&shard.block()), HamtError::HashType(hash_type.unwrap_or(0)));
    }
}

/// A chain of shards, `levels` of them above what is linked to last, along the way of `name`.
fn chain(store: &mut Store, name: &str, fanout: u32, levels: u32, last: Cid) -> Cid {
    let bits = fanout.trailing_zeros();
    let hash = murmur::hash(name.as_bytes());
    let width = bits.div_ceil(4) as usize;
    let mut cid = last;
    for level in (0..levels).rev() {
        let digit = match level * bits + bits <= 64 {
            true => (hash << (level * bits) >> (64 - bits)) as usize,
            false => 0,
        };
        let mut field = vec![0; digit / 8 + 1];
        field[0] = 1 << (digit % 8);
        let prefix = format!("{digit:0width$X}");
        let fanout = Some(fanout.into());
        let links = vec![(prefix.as_str(), cid)];
        cid = store.put(Shard { fanout, field: Some(&field), links, ..Shard::default() }.block());
    }
    cid
}

#[test]
fn hamt_08_deeper_than_the_hash() {
    for (fanout, most) in [(256, 8), (1024, 6), (8, 21)] {
        for levels in [most, most + 1, most + 50] {
            let mut store = Store::default();
            let last = store.put(Shard { fanout: Some(fanout.into()), ..Shard::default() }.block());
            let root = chain(&mut store, "a", fanout, levels, last);
            let ListError::Node(NodeError::Hamt { source, .. }) = list(&store, &root).unwrap_err()
            else {
                panic!("another error")
            };
            assert_eq!(source, HamtError::TooDeep);
            assert_eq!(source.to_string(), "sharded directory too deep");
            assert_eq!(source.kind(), ErrorKind::Limit);
            let error = resolve(&store, &root, "a").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        }
        let mut store = Store::default();
        let last = store.put(Shard { fanout: Some(fanout.into()), ..Shard::default() }.block());
        let root = chain(&mut store, "a", fanout, most - 1, last);
        assert_eq!(list(&store, &root).unwrap(), []);
        assert_eq!(resolve(&store, &root, "a").unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn hamt_09_fanout_changes_between_levels() {
    let mut store = Store::default();
    let last = store.put(Shard { fanout: Some(1024), ..Shard::default() }.block());
    let root = chain(&mut store, "a", 256, 1, last.clone());
    let source = HamtError::Mixed { found: 1024, expected: 256 };
    let error = NodeError::Hamt { cid: last, source };
    assert_eq!(list(&store, &root), Err(ListError::Node(error.clone())));
    assert_eq!(resolve(&store, &root, "a"), Err(ResolveError::Node(error)));
}

#[test]
fn a_shard_that_is_none() {
    let mut store = Store::default();
    let plain = store.put(dag_pb(pb::encode(&[], Some(&[8, 1]))));
    let raw = store.put_raw(b"x");
    for (last, found) in [(plain, Type::Directory), (raw, Type::Raw)] {
        let root = chain(&mut store, "a", 256, 1, last.clone());
        let error = NodeError::Hamt { cid: last, source: HamtError::NotAShard(found) };
        assert_eq!(list(&store, &root), Err(ListError::Node(error.clone())));
        assert_eq!(resolve(&store, &root, "a"), Err(ResolveError::Node(error)));
    }
}

#[test]
fn hamt_10_an_entry_in_the_wrong_bucket() {
    let mut store = Store::default();
    let cid = common::raw(b"a").cid().clone();
    let digit = (murmur::hash(b"a") >> 56) as usize;
    let wrong = (digit + 1) % 256;
    let mut field = vec![0; 32];
    let mut links = Vec::new();
    let (right, misplaced) = (format!("{digit:02X}b"), format!("{wrong:02X}a"));
    for (digit, name) in BTreeMap::from([(digit, &right), (wrong, &misplaced)]) {
        field[31 - digit / 8] |= 1 << (digit % 8);
        links.push((name.as_str(), cid.clone()));
    }
    let root = store.put(Shard { field: Some(&field), links, ..Shard::default() }.block());
    assert_eq!(resolve(&store, &root, "a").unwrap_err().kind(), ErrorKind::NotFound);
    // a listing shows what paths lead to, and says how much else there is
    let mut listing = Listing::<Bytes>::new(root.clone(), Window::default());
    listing.give(store.get(&root)).unwrap();
    assert_eq!(listing.next_entry(), Ok(None));
    assert!(listing.is_done());
    assert_eq!(listing.misplaced(), 2);
}

/// A directory whose blocks all link to one block a level: 256^8 ways.
fn bomb(store: &mut Store) -> Cid {
    let names: Vec<String> = (0..256).map(|digit| format!("{digit:02X}")).collect();
    let entries: Vec<String> = names.iter().map(|name| format!("{name}entry")).collect();
    let mut cid = common::raw(b"x").cid().clone();
    let mut level = entries;
    for _ in 0..8 {
        let links = level.iter().map(|name| (name.as_str(), cid.clone())).collect();
        cid = store.put(Shard { field: Some(&[255; 32]), links, ..Shard::default() }.block());
        level = names.clone();
    }
    cid
}

#[test]
fn hamt_11_wide_bomb() {
    let mut store = Store::default();
    let root = bomb(&mut store);
    let mut listing = Listing::<Bytes>::new(root.clone(), Window::default());
    let (mut given, mut entries) = (0, 0);
    let error = loop {
        while let Ok(Some(_)) = listing.next_entry() {
            entries += 1;
        }
        let wants = listing.wants();
        // one block of a level is asked for, however often it is linked to
        assert!(wants.len() <= 1, "{} wants", wants.len());
        let Some(cid) = wants.first() else { panic!("the listing is stuck") };
        given += 1;
        if let Err(error) = listing.give(store.get(cid)) {
            break error;
        }
    };
    assert_eq!(error, ListError::TooMany { cid: root });
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(given < MAX_LISTED / 256 + 10 && entries < MAX_LISTED, "{given} {entries}");
}

#[test]
fn hamt_12_missing_sub_shard() {
    let mut store = Store::default();
    let names = names(3000);
    let root = build(&sharded(256), names.iter().map(String::as_str), &mut store);
    let missing = avocet_dag::codec::links(store.get(&root.cid)).unwrap();
    let missing = missing.iter().find(|cid| cid.codec() == code::DAG_PB).unwrap();
    let without = store.0.remove(missing).unwrap();
    let mut seen = 0;
    assert!(!common::list_each(&store, &root.cid, |_| seen += 1).unwrap());
    // it waits for just that block, and goes on when it comes
    let mut listing = Listing::<Bytes>::new(root.cid, Window { blocks: 4096, bytes: 1 << 30 });
    let mut waits = Vec::new();
    loop {
        let wants = listing.wants();
        if wants.is_empty() {
            break;
        }
        for cid in wants {
            match store.0.get(&cid) {
                Some(block) => assert!(listing.give(block).unwrap()),
                None => waits.push(cid),
            }
        }
    }
    assert_eq!(waits, std::slice::from_ref(missing));
    while listing.next_entry().unwrap().is_some() {}
    assert!(!listing.is_done());
    store.put(without);
    waits.extend(listing.wants());
    while let Some(cid) = waits.pop() {
        assert!(listing.give(store.get(&cid)).unwrap());
        while listing.next_entry().unwrap().is_some() {}
        waits.extend(listing.wants());
    }
    assert!(listing.is_done());
}

#[test]
fn a_listing_asks_no_further_ahead_than_its_window() {
    let mut store = Store::default();
    let names = names(20_000);
    let root = build(&sharded(256), names.iter().map(String::as_str), &mut store);
    for window in [Window { blocks: 1, bytes: 1 }, Window { blocks: 8, bytes: 1 << 20 }] {
        let mut listing = Listing::<Bytes>::new(root.cid.clone(), window);
        let (mut seen, mut most) = (0, 0);
        while !listing.is_done() {
            let wants = listing.wants();
            most = most.max(wants.len());
            wants.iter().for_each(|cid| assert!(listing.give(store.get(cid)).unwrap()));
            while listing.next_entry().unwrap().is_some() {
                seen += 1;
            }
        }
        assert_eq!(seen, 20_000);
        assert!(most <= window.blocks, "{most} at once");
        assert!(window.blocks == 1 || most > 2, "only {most} at once");
    }
}

#[test]
fn dir_01_dir_02_dir_07_and_dir_08_a_directory_of_one_block_is_listed_as_it_stands() {
    let mut store = Store::default();
    let mut bytes = Vec::new();
    let names: [&[u8]; 6] = [b"b", b"a", b"b", b"\xff\xfe", b"..", b"a"];
    for (index, name) in names.iter().enumerate() {
        let cid = common::raw(&[index as u8]).cid().clone();
        bytes.extend(pb::encode(&[Link { cid, name: Some(name), tsize: None }], None));
    }
    bytes.extend([0x0a, 2, 8, 1]);
    let root = store.put(dag_pb(bytes));
    let listed = list(&store, &root).unwrap();
    let seen: Vec<_> = listed.iter().map(|entry| &*entry.name).collect();
    assert_eq!(seen, [&b"b"[..], b"a", b"\xff\xfe", b".."]);
    assert_eq!(listed[0].cid, *common::raw(&[0]).cid());
    assert_eq!(listed[0].text(), "b");
    assert_eq!(resolve(&store, &root, "b").unwrap(), listed[0].cid);
}

#[test]
fn cid_04_a_shard_that_nothing_can_be_verified_by() {
    let mut store = Store::default();
    let insecure = Cid::new_v1(code::DAG_PB, Multihash::new(0x22, &[0; 8]).unwrap());
    let root = chain(&mut store, "a", 256, 1, insecure);
    assert_eq!(list(&store, &root).unwrap_err().kind(), ErrorKind::InvalidCid);
    assert_eq!(resolve(&store, &root, "a").unwrap_err().kind(), ErrorKind::InvalidCid);
}

/// The slow twin: a trie by recursion, bit by bit as the specification tells it.
fn twin(
    options: &ImportOptions,
    level: u32,
    entries: &BTreeMap<String, (Cid, u64)>,
    blocks: &mut BTreeSet<Vec<u8>>,
) -> (Cid, u64) {
    let bits = options.hamt_fanout.trailing_zeros();
    let width = format!("{:X}", options.hamt_fanout - 1).len();
    let mut buckets: BTreeMap<usize, BTreeMap<String, (Cid, u64)>> = BTreeMap::new();
    for (name, to) in entries {
        let text = format!("{:064b}", murmur::hash(name.as_bytes()));
        let from = (level * bits) as usize;
        let digit = usize::from_str_radix(&text[from..from + bits as usize], 2).unwrap();
        buckets.entry(digit).or_default().insert(name.clone(), to.clone());
    }
    let mut links = Vec::new();
    let mut field = vec![0_u8; options.hamt_fanout / 8];
    for (digit, bucket) in &buckets {
        let at = field.len() - 1 - digit / 8;
        field[at] |= 1 << (digit % 8);
        let (name, (cid, tsize)) = match bucket.len() {
            1 => bucket.first_key_value().map(|(name, to)| (name.clone(), to.clone())).unwrap(),
            _ => (String::new(), twin(options, level + 1, bucket, blocks)),
        };
        links.push((format!("{digit:0width$X}{name}"), cid, tsize));
    }
    let links: Vec<_> = links
        .iter()
        .map(|(name, cid, tsize)| Link {
            cid: cid.clone(),
            name: Some(name.as_bytes()),
            tsize: Some(*tsize),
        })
        .collect();
    let skipped = field.iter().take_while(|byte| **byte == 0).count();
    let mut data = Data::new(Kind::HamtShard);
    data.data = Some(&field[skipped..]);
    (data.hash_type, data.fanout) = (Some(0x22), Some(options.hamt_fanout as u64));
    let bytes = pb::encode(&links, Some(&data.encode()));
    blocks.insert(bytes.clone());
    let tsize = bytes.len() as u64 + links.iter().filter_map(|link| link.tsize).sum::<u64>();
    let block = Block::hash(options.cid_version, code::DAG_PB, code::SHA2_256, bytes.into());
    (block.unwrap().cid().clone(), tsize)
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn a_trie_is_its_slow_twin(
        names in prop::collection::btree_set("[a-cąß]{1,20}", 1..200),
        bits in 3_u32..=10,
        v0 in any::<bool>(),
    ) {
        let profile = if v0 { Profile::UnixfsV0_2015 } else { Profile::UnixfsV1_2025 };
        let cid_version = if v0 { Version::V0 } else { Version::V1 };
        let options = ImportOptions {
            hamt_threshold: 0,
            hamt_size: HamtSize::Links,
            hamt_fanout: 1 << bits,
            cid_version,
            ..profile.into()
        };
        let mut store = Store::default();
        let root = build(&options, names.iter().map(String::as_str), &mut store);
        let entries = names.iter().map(|name| {
            let Entry { cid, tsize, .. } = entry(name);
            (name.clone(), (cid, tsize))
        });
        let mut blocks = BTreeSet::new();
        let expected = twin(&options, 0, &entries.collect(), &mut blocks);
        prop_assert_eq!((root.cid, root.tsize), expected);
        let made: BTreeSet<_> = store.0.values().map(|block| block.bytes().to_vec()).collect();
        prop_assert_eq!(made, blocks);
    }

    #[test]
    fn blocks_in_any_order_and_any_window_give_the_same_listing(
        names in prop::collection::btree_set("[a-c]{1,8}", 0..300),
        bits in 3_u32..=8,
        window in 1_usize..80,
        bytes in 1_usize..20_000,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..50),
    ) {
        let mut store = Store::default();
        let root = build(&sharded(1 << bits), names.iter().map(String::as_str), &mut store);
        let expected = list(&store, &root.cid).unwrap();
        let window = Window { blocks: window, bytes };
        let mut listing = Listing::<Bytes>::new(root.cid, window);
        let (mut waits, mut seen) = (Vec::new(), Vec::new());
        let mut picks = picks.iter().cycle();
        while !listing.is_done() {
            waits.extend(listing.wants());
            if !waits.is_empty() {
                let at = picks.next().unwrap().index(waits.len());
                let cid = waits.swap_remove(at);
                prop_assert!(listing.give(store.get(&cid)).unwrap());
            }
            while let Some(entry) = listing.next_entry().unwrap() {
                seen.push(entry);
            }
        }
        prop_assert_eq!(&seen, &expected);
        prop_assert_eq!(seen.len(), names.len());
        prop_assert_eq!(listing.misplaced(), 0);
    }

    #[test]
    fn damaged_blocks_never_panic(
        count in 1_usize..60,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
        which in any::<bool>(),
    ) {
        let mut store = Store::default();
        let names = names(count);
        let root = build(&sharded(8), names.iter().map(String::as_str), &mut store);
        let mut bytes = store.get(&root.cid).bytes().to_vec();
        match which {
            true => {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            false => bytes.truncate(cut.index(bytes.len())),
        }
        let damaged = store.put(dag_pb(bytes));
        let block = store.get(&damaged);
        let _ = stat(block);
        let mut listing = Listing::<Bytes>::new(damaged.clone(), Window::default());
        let _ = listing.give(block);
        while let Ok(Some(_)) = listing.next_entry() {}
        let mut resolver = Resolver::new(damaged, vec![names[0].clone()]);
        let _ = resolver.give(block);
    }
}
