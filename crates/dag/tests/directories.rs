//! Directories, paths through them, and walks over everything below.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;

use avocet_dag::{
    Block, Cid, Classify, ErrorKind, Multihash, Version, code,
    codec::pb::{self, Link},
    resolve::{ResolveError, Resolver, step},
    unixfs::{
        self, Built, Data, DirError, Entry, ImportOptions, Kind, MAX_DEPTH, Profile, Tree, entries,
        stat,
    },
    walk::{MAX_VISITED, Walk, WalkError, Want},
};
use bytes::Bytes;
use common::{Store, dag_pb, resolve};
use proptest::prelude::*;

fn entry(text: &str) -> Entry {
    let block = common::raw(text.as_bytes());
    let size = block.len() as u64;
    Entry { cid: block.cid().clone(), tsize: size, size }
}

fn tree(paths: &[&str]) -> Result<Built, DirError> {
    let mut tree = Tree::new(&ImportOptions::default()).unwrap();
    paths.iter().try_for_each(|path| match path.strip_suffix('/') {
        Some(folder) => tree.insert_folder(folder),
        None => tree.insert(path, entry(path)),
    })?;
    tree.finish()
}

/// A directory block with these names, as they come.
fn directory(names: &[&[u8]]) -> Block {
    let mut bytes = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let cid = common::raw(&[index as u8]).cid().clone();
        bytes.extend(pb::encode(&[Link { cid, name: Some(name), tsize: Some(1) }], None));
    }
    bytes.extend(pb::encode(&[], Some(&Data::new(Kind::Directory).encode())));
    dag_pb(bytes)
}

#[test]
fn what_is_built_is_listed_and_found() {
    let built = tree(&["b/d.txt", "a.txt", "b/c/", "b/a/x/y"]).unwrap();
    let mut store = Store::default();
    built.blocks.iter().for_each(|block| drop(store.put(block.clone())));
    assert_eq!(built.blocks.last().unwrap().cid(), &built.root.cid);
    let root = store.get(&built.root.cid);
    let listed: Vec<_> = entries(root).unwrap().map(|entry| entry.text().into_owned()).collect();
    assert_eq!(listed, ["a.txt", "b"]);
    for path in ["a.txt", "b/d.txt", "b/a/x/y"] {
        assert_eq!(resolve(&store, &built.root.cid, path).unwrap(), entry(path).cid, "{path}");
    }
    let empty = resolve(&store, &built.root.cid, "b/c").unwrap();
    assert_eq!(entries(store.get(&empty)).unwrap().count(), 0);
    assert_eq!(
        built.root.size,
        ["a.txt", "b/d.txt", "b/a/x/y"].map(str::len).iter().sum::<usize>() as u64
    );
    assert_eq!(stat(root).unwrap().dag_size, Some(built.root.tsize));
}

#[test]
fn children_come_before_their_parents() {
    let built = tree(&["x/y/z/", "a/b", "x/c", "d/"]).unwrap();
    let mut seen = std::collections::HashSet::new();
    for block in &built.blocks {
        for link in avocet_dag::codec::links(block).unwrap() {
            assert!(link.codec() == code::RAW || seen.contains(&link));
        }
        seen.insert(block.cid().clone());
    }
}

#[test]
fn paths_that_lead_nowhere_name_where_they_end() {
    let built = tree(&["a/b/c.txt"]).unwrap();
    let mut store = Store::default();
    built.blocks.iter().for_each(|block| drop(store.put(block.clone())));
    let file = store.put_raw(b"a/b/c.txt");
    let root = &built.root.cid;
    let b = resolve(&store, root, "a/b").unwrap();
    let error = resolve(&store, root, "a/b/x").unwrap_err();
    assert_eq!(error, ResolveError::NotFound { directory: b, segment: "x".into() });
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = resolve(&store, root, "a/b/c.txt/d").unwrap_err();
    let found = unixfs::Type::Raw;
    assert_eq!(error, ResolveError::NotADirectory { cid: file, segment: "d".into(), found });
    // a resolver takes only the block that it waits for
    let mut resolver = Resolver::new(root.clone(), vec!["a".into()]);
    assert_eq!(resolver.give(&common::raw(b"other")), Ok(false));
    assert_eq!(resolver.want(), Some(root));
}

#[test]
fn cid_04_a_name_that_links_to_an_insecure_cid() {
    let cid = Cid::new_v1(code::RAW, Multihash::new(0x22, &[0; 8]).unwrap());
    let link = Link { cid: cid.clone(), name: Some(b"a"), tsize: None };
    let block = dag_pb(pb::encode(&[link], Some(&Data::new(Kind::Directory).encode())));
    assert_eq!(entries(&block).unwrap().next().unwrap().cid, cid);
    assert_eq!(step(&block, "a").unwrap_err().kind(), ErrorKind::InvalidCid);
}

#[test]
fn dir_01_duplicate_names() {
    let block = directory(&[b"a", b"b", b"a"]);
    let listed: Vec<_> = entries(&block).unwrap().map(|entry| entry.cid).collect();
    assert_eq!(listed, [0, 1].map(|index| common::raw(&[index]).cid().clone()));
    assert_eq!(step(&block, "a").unwrap(), *common::raw(&[0]).cid());
    for paths in [&["a", "a"][..], &["a", "a/b"], &["a/b", "a"], &["a/", "a"], &["a", "a/"]] {
        let error = tree(paths).unwrap_err();
        assert!(matches!(error, DirError::Duplicate { .. }), "{paths:?}: {error}");
    }
    assert!(tree(&["a/", "a/", "a/b", "a/"]).is_ok());
}

#[test]
fn dir_02_and_dir_03_names_that_are_no_names() {
    for path in ["", ".", "..", "a/..", "../../evil", "a//b", "/a", "./a", "a/./b", "a/"] {
        let mut tree = Tree::new(&ImportOptions::default()).unwrap();
        let error = tree.insert(path, entry("x")).unwrap_err();
        assert!(matches!(error, DirError::Name { .. }), "{path:?}: {error}");
        if path != "a/" {
            assert!(tree.insert_folder(path).is_err(), "{path:?}");
        }
    }
    // where they are already, they are listed as they are
    let names: [&[u8]; 6] = [b"", b".", b"..", b"a/b", b"../../evil", b"..\\evil"];
    let block = directory(&names);
    assert_eq!(entries(&block).unwrap().map(|entry| entry.name).collect::<Vec<_>>(), names);
}

#[test]
fn dir_04_nul_newline_bidi_and_length() {
    let mut tree = Tree::new(&ImportOptions::default()).unwrap();
    assert!(matches!(tree.insert("a\0b", entry("x")), Err(DirError::Name { .. })));
    let long = "n".repeat(64 * 1024);
    for name in ["a\nb", "a\u{202e}gpj.exe", "<b>", "a\\b", &long] {
        tree.insert(name, entry(name)).unwrap();
        assert!(tree.insert(name, entry(name)).unwrap_err().to_string().len() < 400);
    }
    let built = tree.finish().unwrap();
    let block = built.blocks.last().unwrap();
    assert_eq!(step(block, &long).unwrap(), entry(&long).cid);
    assert_eq!(entries(block).unwrap().count(), 5);
    assert!(step(block, &"m".repeat(64 * 1024)).unwrap_err().to_string().len() < 400);
}

#[test]
fn dir_07_names_that_are_not_utf8() {
    let block = directory(&[b"\xff\xfe", b"ok"]);
    let listed: Vec<_> = entries(&block).unwrap().collect();
    assert_eq!(listed[0].name, b"\xff\xfe");
    assert_eq!(listed[0].text(), "\u{fffd}\u{fffd}");
    assert_eq!(step(&block, "\u{fffd}\u{fffd}").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(step(&block, "ok").unwrap(), listed[1].cid);
}

#[test]
fn dir_09_percent_hash_question_mark_and_space() {
    let names = ["%20", "a#b", "a?b", "a b", "ą"];
    let built = tree(&names).unwrap();
    let block = built.blocks.last().unwrap();
    for name in names {
        assert_eq!(step(block, name).unwrap(), entry(name).cid);
    }
}

#[test]
fn ufs_11_symlinks_in_a_ring_are_not_followed() {
    let mut store = Store::default();
    let mut symlink = |target: &str| {
        let mut data = Data::new(Kind::Symlink);
        data.data = Some(target.as_bytes());
        let cid = store.put_node(&data, &[]);
        Entry { cid, tsize: 8, size: 0 }
    };
    let mut tree = Tree::new(&ImportOptions::default()).unwrap();
    for (name, target) in [("a", "b"), ("b", "a"), ("self", "self")] {
        tree.insert(name, symlink(target)).unwrap();
    }
    let root = store.put(tree.finish().unwrap().blocks.remove(0));
    for name in ["a", "b", "self"] {
        let cid = resolve(&store, &root, name).unwrap();
        assert_eq!(stat(store.get(&cid)).unwrap().kind, unixfs::Type::Symlink);
        let error = resolve(&store, &root, &format!("{name}/x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotADirectory);
    }
}

#[test]
fn folders_nest_only_so_deep() {
    let deepest = format!("{}x", "a/".repeat(MAX_DEPTH));
    assert_eq!(tree(&[&deepest]).unwrap().blocks.len(), MAX_DEPTH + 1);
    let error = tree(&[&format!("a/{deepest}")]).unwrap_err();
    assert!(matches!(error, DirError::TooDeep { .. }));
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn a_directory_above_2_mib_is_refused_whatever_the_threshold() {
    let options = ImportOptions { hamt_threshold: usize::MAX, ..ImportOptions::default() };
    let mut tree = Tree::new(&options).unwrap();
    for index in 0..40 {
        tree.insert(&format!("{index:060000}"), entry("x")).unwrap();
    }
    let most = avocet_dag::MAX_BLOCK;
    assert!(matches!(tree.finish(), Err(DirError::TooLarge { most: limit, .. }) if limit == most));
}

#[test]
fn what_is_no_directory_is_not_listed() {
    assert_eq!(entries(&common::raw(b"x")).err().unwrap().kind(), ErrorKind::NotADirectory);
    let mut store = Store::default();
    let raw = store.put_raw(b"x");
    assert_eq!(common::list(&store, &raw).unwrap_err().kind(), ErrorKind::NotADirectory);
}

#[test]
fn a_walk_tells_every_cid_once() {
    let mut store = Store::default();
    let leaf = store.put_raw(b"leaf");
    let inline = Cid::new_v1(code::RAW, Multihash::new(code::IDENTITY, b"in").unwrap());
    let mut cid = store.put_file(&[(leaf.clone(), 4), (leaf.clone(), 4), (inline, 2)]);
    // every level doubles the paths, and adds one block
    for _ in 0..40 {
        cid = store.put_file(&[(cid.clone(), 1), (cid, 1)]);
    }
    let mut walk = Walk::new([cid.clone(), cid], MAX_VISITED).unwrap();
    let (mut nodes, mut leaves) = (0, Vec::new());
    while let Some(want) = walk.next_want() {
        match want {
            Want::Node(cid) => {
                assert!(walk.give(store.get(&cid)).unwrap());
                assert!(!walk.give(store.get(&cid)).unwrap());
                nodes += 1;
            }
            Want::Leaf(cid) => leaves.push(cid),
            Want::Opaque(cid) => panic!("{cid}"),
        }
    }
    assert!(walk.is_done());
    assert_eq!((nodes, leaves), (41, vec![leaf]));
}

#[test]
fn ufs_06_a_walk_down_100_000_nodes() {
    let mut store = Store::default();
    let mut cid = store.put_raw(b"abcde");
    for _ in 0..100_000 {
        cid = store.put_file(&[(cid, 5)]);
    }
    let mut walk = Walk::new([cid.clone()], MAX_VISITED).unwrap();
    while let Some(want) = walk.next_want() {
        if let Want::Node(cid) = want {
            walk.give(store.get(&cid)).unwrap();
        }
    }
    assert_eq!((walk.is_done(), walk.visited()), (true, 100_001));
    let mut walk = Walk::new([cid], 1000).unwrap();
    let error = loop {
        let Some(Want::Node(cid)) = walk.next_want() else { panic!("the limit was passed") };
        if let Err(error) = walk.give(store.get(&cid)) {
            break error;
        }
    };
    assert_eq!(error, WalkError::TooMany(1000));
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn a_walk_goes_on_without_what_cannot_be_had() {
    let mut store = Store::default();
    let (a, b) = (store.put_raw(b"a"), store.put_raw(b"b"));
    let lost = store.put_file(&[(a, 1)]);
    let key = Cid::new_v1(code::LIBP2P_KEY, Multihash::from_sha256([1; 32]));
    let murmur = Cid::new_v1(code::DAG_PB, Multihash::new(0x22, &[0; 8]).unwrap());
    let parts = [lost.clone(), key.clone(), murmur.clone(), b.clone()].map(|cid| (cid, 1));
    let root = store.put_file(&parts);
    let mut walk = Walk::new([root.clone()], MAX_VISITED).unwrap();
    assert_eq!(walk.next_want(), Some(Want::Node(root.clone())));
    assert_eq!((walk.next_want(), walk.is_done()), (None, false));
    assert!(!walk.give(store.get(&lost)).unwrap(), "it was not asked for yet");
    walk.give(store.get(&root)).unwrap();
    let rest: Vec<_> = std::iter::from_fn(|| walk.next_want()).collect();
    let expected =
        [Want::Node(lost.clone()), Want::Opaque(key), Want::Opaque(murmur), Want::Leaf(b)];
    assert_eq!(rest, expected);
    assert!(!walk.is_done());
    walk.skip(&lost);
    assert!(walk.is_done());
}

#[test]
fn the_same_bytes_as_raw_and_as_dag_pb_are_a_leaf_and_a_node() {
    let mut store = Store::default();
    let leaf = store.put_raw(b"leaf");
    let node = store.put_file(&[(leaf.clone(), 4)]);
    let as_raw = Cid::new_v1(code::RAW, node.hash().clone());
    let mut walk = Walk::new([as_raw.clone(), node.clone()], MAX_VISITED).unwrap();
    assert_eq!(walk.next_want(), Some(Want::Leaf(as_raw)));
    assert_eq!(walk.next_want(), Some(Want::Node(node.clone())));
    walk.give(store.get(&node)).unwrap();
    assert_eq!(walk.next_want(), Some(Want::Leaf(leaf)));
}

#[test]
fn a_walk_follows_what_cids_carry_inside() {
    let leaf = common::raw(b"x").cid().clone();
    let link = Link { cid: leaf.clone(), name: Some(b""), tsize: None };
    let bytes = Bytes::from(pb::encode(&[link], None));
    let node = Block::hash(Version::V1, code::DAG_PB, code::IDENTITY, bytes).unwrap();
    let mut walk = Walk::new([node.cid().clone()], MAX_VISITED).unwrap();
    assert_eq!(walk.next_want(), Some(Want::Leaf(leaf)));
    assert!(walk.is_done());
    let broken = Multihash::new(code::IDENTITY, &[0x12, 0x7f]).unwrap();
    let broken = Cid::new_v1(code::DAG_PB, broken);
    assert_eq!(Walk::new([broken], MAX_VISITED).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// Nested maps of names, as somebody would draw a tree.
#[derive(Debug, Clone)]
enum Item {
    File(Vec<u8>),
    Folder(BTreeMap<String, Item>),
}

fn item() -> impl Strategy<Value = Item> {
    let file = prop::collection::vec(any::<u8>(), 0..9).prop_map(Item::File);
    file.prop_recursive(4, 40, 6, |item| {
        prop::collection::btree_map("[a-cąß.]{1,3}", item, 0..6).prop_map(|items| {
            let ok = |name: &String| !matches!(name.as_str(), "." | "..");
            Item::Folder(items.into_iter().filter(|(name, _)| ok(name)).collect())
        })
    })
}

/// Every path of a tree; folders end in a slash.
fn paths(prefix: &str, items: &BTreeMap<String, Item>, out: &mut Vec<(String, Vec<u8>)>) {
    for (name, item) in items {
        match item {
            Item::File(bytes) => out.push((format!("{prefix}{name}"), bytes.clone())),
            Item::Folder(items) => {
                out.push((format!("{prefix}{name}/"), vec![]));
                paths(&format!("{prefix}{name}/"), items, out);
            }
        }
    }
}

/// The tree's slow twin: each folder by recursion.
fn twin(options: &ImportOptions, items: &BTreeMap<String, Item>) -> (Cid, u64) {
    let children: Vec<(&String, (Cid, u64))> = items
        .iter()
        .map(|(name, item)| match item {
            Item::File(bytes) => (name, (common::raw(bytes).cid().clone(), bytes.len() as u64)),
            Item::Folder(items) => (name, twin(options, items)),
        })
        .collect();
    let links: Vec<_> = children
        .iter()
        .map(|(name, (cid, tsize))| Link {
            cid: cid.clone(),
            name: Some(name.as_bytes()),
            tsize: Some(*tsize),
        })
        .collect();
    let bytes = Bytes::from(pb::encode(&links, Some(&[8, 1])));
    let tsize = bytes.len() as u64 + children.iter().map(|(_, (_, tsize))| tsize).sum::<u64>();
    let block = Block::hash(options.cid_version, code::DAG_PB, code::SHA2_256, bytes).unwrap();
    (block.cid().clone(), tsize)
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn order_never_changes_the_cid(
        items in prop::collection::btree_map("[a-d]{1,2}", item(), 0..6),
        v0 in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let profile = if v0 { Profile::UnixfsV0_2015 } else { Profile::UnixfsV1_2025 };
        let options = ImportOptions::from(profile);
        let mut all = Vec::new();
        paths("", &items, &mut all);
        let mut seed = seed;
        all.sort_by_cached_key(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 16
        });
        let mut tree = Tree::new(&options).unwrap();
        for (path, bytes) in &all {
            match path.strip_suffix('/') {
                Some(folder) => tree.insert_folder(folder).unwrap(),
                None => {
                    let size = bytes.len() as u64;
                    let cid = common::raw(bytes).cid().clone();
                    tree.insert(path, Entry { cid, tsize: size, size }).unwrap();
                }
            }
        }
        let built = tree.finish().unwrap();
        prop_assert_eq!((built.root.cid.clone(), built.root.tsize), twin(&options, &items));
        let mut store = Store::default();
        built.blocks.into_iter().for_each(|block| drop(store.put(block)));
        for (path, bytes) in &all {
            let cid = resolve(&store, &built.root.cid, path.trim_end_matches('/')).unwrap();
            if !path.ends_with('/') {
                let file = common::raw(bytes);
                prop_assert_eq!(&cid, file.cid());
            }
        }
    }
}
