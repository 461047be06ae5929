//! Changing trees: whatever is done to one, it is the tree that would be built of the same
//! entries.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;

use avocet_dag::{
    Block, Cid, Classify, ErrorKind, Multihash, Version, code,
    codec::pb::{self, Link},
    unixfs::{
        Change, Data, DirError, Edit, EditError, Edited, Entry, HamtSize, ImportOptions, Kind,
        ListError, MAX_DEPTH, Meta, Mtime, Tree, Type, entries, stat,
    },
};
use bytes::Bytes;
use common::{Store, dag_pb, list, murmur, resolve};
use proptest::prelude::*;

fn entry(text: &str) -> Entry {
    let block = common::raw(text.as_bytes());
    let size = block.len() as u64;
    Entry { cid: block.cid().clone(), tsize: size, size }
}

/// Makes a change with what is in the store; gives how many blocks it took, too.
fn edit(
    options: &ImportOptions,
    store: &mut Store,
    root: &Cid,
    path: &str,
    change: Change,
    parents: bool,
) -> Result<(Edited, usize), EditError> {
    let mut edit = Edit::<Bytes>::new(options, root.clone(), path, change, parents)?;
    let mut fetched = 0;
    while !edit.is_done() {
        let wants = edit.wants();
        assert!(!wants.is_empty(), "the edit is stuck");
        for cid in wants {
            fetched += usize::from(edit.give(store.get(&cid))?);
        }
    }
    let edited = edit.finish().unwrap();
    let last = edited.blocks.last().unwrap();
    assert_eq!(*last.cid(), edited.cid);
    edited.blocks.iter().for_each(|block| drop(store.put(block.clone())));
    Ok((edited, fetched))
}

fn build(options: &ImportOptions, paths: &[&str], store: &mut Store) -> Entry {
    let mut tree = Tree::new(options).unwrap();
    paths.iter().for_each(|path| tree.insert(path, entry(path)).unwrap());
    let built = tree.finish().unwrap();
    built.blocks.into_iter().for_each(|block| drop(store.put(block)));
    built.root
}

fn kind(store: &Store, cid: &Cid) -> Type {
    stat(store.get(cid)).unwrap().kind
}

#[test]
fn a_deep_change_makes_new_blocks_up_to_the_root() {
    let options = ImportOptions::default();
    let mut store = Store::default();
    let root = build(&options, &["a/b/c", "a/b/d", "a/x/y", "z"], &mut store).cid;
    let put = Change::Replace(entry("new"));
    let (edited, fetched) = edit(&options, &mut store, &root, "a/b/c", put, false).unwrap();
    assert_eq!((edited.blocks.len(), fetched), (3, 3));
    assert_eq!(edited.before.unwrap().cid, entry("a/b/c").cid);
    assert_eq!(resolve(&store, &edited.cid, "a/b/c").unwrap(), entry("new").cid);
    for path in ["a/b/d", "a/x", "z"] {
        let [before, after] = [&root, &edited.cid].map(|root| resolve(&store, root, path));
        assert_eq!(before, after);
    }
    // what was there is still there
    assert_eq!(resolve(&store, &root, "a/b/c").unwrap(), entry("a/b/c").cid);
}

#[test]
fn what_must_be_there_and_what_must_not() {
    let options = ImportOptions::default();
    let mut store = Store::default();
    let root = build(&options, &["a/b"], &mut store).cid;
    store.put_raw(b"a/b");
    let mut fails = |path: &str, change: Change, parents| {
        edit(&options, &mut store, &root, path, change, parents).unwrap_err()
    };
    let new = || entry("x");
    let path = |path: &str| path.to_owned();
    let missing = |at: &str| EditError::NotFound { path: path(at) };
    assert_eq!(fails("a/b", Change::Insert(new()), false), EditError::Exists { path: path("a/b") });
    assert_eq!(fails("a/c", Change::Replace(new()), true), missing("a/c"));
    assert_eq!(fails("a/c", Change::Remove, true), missing("a/c"));
    assert_eq!(fails("q/c", Change::Remove, true), missing("q"));
    assert_eq!(fails("q/c", Change::Put(new()), false), missing("q"));
    let (cid, found) = (entry("a/b").cid, Type::Raw);
    let not = EditError::NotADirectory { cid, path: path("a/b"), found };
    assert_eq!(fails("a/b/c", Change::Put(new()), true), not);
    for bad in ["", "/", "a/", "/a", "a//b", "..", "a/./b", "a\0"] {
        let error = fails(bad, Change::Put(new()), true);
        assert!(matches!(error, EditError::Name { .. }), "{bad:?}: {error}");
        assert_eq!(error.kind(), ErrorKind::InvalidPath);
    }
    let deep = format!("{}x", "a/".repeat(MAX_DEPTH + 1));
    assert_eq!(fails(&deep, Change::Put(new()), true).kind(), ErrorKind::Limit);
}

#[test]
fn missing_folders_are_made_on_demand() {
    let options = ImportOptions { hamt_threshold: 100, ..ImportOptions::default() };
    let mut store = Store::default();
    let root = build(&options, &["a/b"], &mut store).cid;
    let paths = ["a/b", "a/c/d/e/f"];
    let put = Change::Insert(entry(paths[1]));
    let (edited, _) = edit(&options, &mut store, &root, paths[1], put, true).unwrap();
    let fresh = build(&options, &paths, &mut store);
    assert_eq!((edited.cid, edited.tsize), (fresh.cid, fresh.tsize));
}

#[test]
fn the_shape_goes_to_many_blocks_above_the_threshold_and_back() {
    for hamt_size in [HamtSize::Block, HamtSize::Links] {
        let options = ImportOptions { hamt_threshold: 200, hamt_size, ..ImportOptions::default() };
        let mut store = Store::default();
        let names: Vec<String> = (0..12).map(|index| format!("n{index}")).collect();
        let mut root = build(&options, &[], &mut store).cid;
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for name in &names {
            let put = Change::Insert(entry(name));
            root = edit(&options, &mut store, &root, name, put, false).unwrap().0.cid;
            up.push(kind(&store, &root));
        }
        for name in names.iter().rev() {
            down.push(kind(&store, &root));
            root = edit(&options, &mut store, &root, name, Change::Remove, false).unwrap().0.cid;
        }
        down.reverse();
        assert_eq!(up, down);
        assert_eq!((up[0], up[11]), (Type::Directory, Type::Shard));
        assert_eq!(root, build(&options, &[], &mut store).cid);
    }
}

#[test]
fn a_large_directory_is_changed_by_a_few_blocks() {
    let options = ImportOptions::default();
    let mut store = Store::default();
    let names: Vec<String> = (0..20_000).map(|index| format!("file-{index}")).collect();
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut root = build(&options, &paths, &mut store).cid;
    let first = root.clone();
    for name in ["new", "file-7", "file-19999"] {
        let change = Change::Put(entry("something else"));
        let (edited, fetched) = edit(&options, &mut store, &root, name, change, false).unwrap();
        assert!(edited.blocks.len() <= 5, "{} blocks", edited.blocks.len());
        assert!(fetched <= 5, "{fetched} fetched");
        root = edited.cid;
    }
    for name in ["file-7", "file-19999"] {
        let change = Change::Replace(entry(name));
        root = edit(&options, &mut store, &root, name, change, false).unwrap().0.cid;
    }
    // to remove it must see that it is still large: not all of it is looked at for that
    let (edited, fetched) =
        edit(&options, &mut store, &root, "new", Change::Remove, false).unwrap();
    assert_eq!(edited.cid, first);
    assert!(fetched < 100, "{fetched} of {} fetched", store.0.len());
}

#[test]
fn shards_of_one_entry_close_up() {
    let options = ImportOptions {
        hamt_threshold: 0,
        hamt_size: HamtSize::Links,
        hamt_fanout: 8,
        ..ImportOptions::default()
    };
    // names that share many levels
    let mut by_prefix: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for index in 0..20_000 {
        let name = format!("{index}");
        by_prefix.entry(murmur::hash(name.as_bytes()) >> 43).or_default().push(name);
    }
    let alike = by_prefix.into_values().max_by_key(Vec::len).unwrap();
    assert!(alike.len() >= 2);
    let mut store = Store::default();
    let one = build(&options, &[&alike[0]], &mut store).cid;
    let both = build(&options, &[&alike[0], &alike[1]], &mut store).cid;
    let put = Change::Insert(entry(&alike[1]));
    let (edited, _) = edit(&options, &mut store, &one, &alike[1], put, false).unwrap();
    assert_eq!((edited.cid, edited.blocks.len() >= 7), (both.clone(), true));
    let (edited, _) = edit(&options, &mut store, &both, &alike[1], Change::Remove, false).unwrap();
    assert_eq!((edited.cid, edited.blocks.len()), (one, 1));
}

#[test]
fn names_with_one_hash_are_refused() {
    let options = ImportOptions { hamt_threshold: 60, ..ImportOptions::default() };
    let [one, other] = murmur::same_hash();
    let mut store = Store::default();
    let root = build(&options, &[&one, "x"], &mut store).cid;
    assert_eq!(kind(&store, &root), Type::Shard);
    let put = Change::Put(entry(&other));
    let error = edit(&options, &mut store, &root, &other, put, false).unwrap_err();
    assert!(matches!(error, EditError::Directory(DirError::Collision { .. })), "{error}");
    assert_eq!(error.kind(), ErrorKind::Limit);
    // nor does one hide the other
    let error = edit(&options, &mut store, &root, &other, Change::Remove, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn modes_and_times_stay_through_every_shape() {
    let options = ImportOptions { hamt_threshold: 150, ..ImportOptions::default() };
    let meta = Meta { mode: Some(0o700), mtime: Some(Mtime { secs: -5, nanos: 7 }) };
    let mut tree = Tree::new(&options).unwrap();
    tree.set_meta("a/", meta).unwrap();
    tree.set_meta("/", meta).unwrap();
    let mut store = Store::default();
    let built = tree.finish().unwrap();
    built.blocks.into_iter().for_each(|block| drop(store.put(block)));
    let mut root = built.root.cid;
    let names = ["a/1", "a/2", "a/3", "a/4"];
    let check = |store: &Store, root: &Cid| {
        for cid in [root.clone(), resolve(store, root, "a").unwrap()] {
            let said = stat(store.get(&cid)).unwrap();
            assert_eq!((said.mode, said.mtime), (meta.mode, meta.mtime));
        }
    };
    for name in names {
        let put = Change::Put(entry(name));
        root = edit(&options, &mut store, &root, name, put, false).unwrap().0.cid;
        check(&store, &root);
    }
    assert_eq!(kind(&store, &resolve(&store, &root, "a").unwrap()), Type::Shard);
    for name in names {
        root = edit(&options, &mut store, &root, name, Change::Remove, false).unwrap().0.cid;
        check(&store, &root);
    }
}

#[test]
fn dir_08_a_change_sorts_and_a_name_stands_once() {
    let mut bytes = Vec::new();
    for (index, name) in [&b"b"[..], b"a", b"b", b"c"].iter().enumerate() {
        let cid = common::raw(&[index as u8]).cid().clone();
        bytes.extend(pb::encode(&[Link { cid, name: Some(name), tsize: None }], None));
    }
    bytes.extend([0x0a, 2, 8, 1]);
    let mut store = Store::default();
    let root = store.put(dag_pb(bytes));
    let options = ImportOptions::default();
    let (edited, _) = edit(&options, &mut store, &root, "c", Change::Remove, false).unwrap();
    let block = edited.blocks.last().unwrap();
    let listed: Vec<_> = entries(block).unwrap().map(|entry| entry.name.to_vec()).collect();
    assert_eq!(listed, [b"a", b"b"]);
    let first = resolve(&store, &edited.cid, "b").unwrap();
    assert_eq!(first, *common::raw(&[0]).cid());
    let (edited, _) = edit(&options, &mut store, &root, "b", Change::Remove, false).unwrap();
    assert_eq!(list(&store, &edited.cid).unwrap().len(), 2);
}

#[test]
fn hamt_10_a_shrinking_directory_keeps_what_lies_astray() {
    // "a" lies where its name does not lead, "b" where it does
    let digit = |name: &str| (murmur::hash(name.as_bytes()) >> 56) as usize;
    let mut links = BTreeMap::new();
    links.insert((digit("a") + 1) % 256, "a");
    links.insert(digit("b"), "b");
    links.insert(digit("c"), "c");
    let mut field = [0; 32];
    links.keys().for_each(|digit| field[31 - digit / 8] |= 1 << (digit % 8));
    let mut data = Data::new(Kind::HamtShard);
    (data.hash_type, data.fanout, data.data) = (Some(0x22), Some(256), Some(&field[..]));
    let names: Vec<String> =
        links.iter().map(|(digit, name)| format!("{digit:02X}{name}")).collect();
    let cid = common::raw(b"x").cid().clone();
    let links: Vec<_> = names
        .iter()
        .map(|name| Link { cid: cid.clone(), name: Some(name.as_bytes()), tsize: Some(1) })
        .collect();
    let mut store = Store::default();
    let root = store.put(dag_pb(pb::encode(&links, Some(&data.encode()))));
    let options = ImportOptions::default();
    let (edited, _) = edit(&options, &mut store, &root, "b", Change::Remove, false).unwrap();
    let block = edited.blocks.last().unwrap();
    assert_eq!(stat(block).unwrap().kind, Type::Shard);
    assert_eq!(avocet_dag::codec::links(block).unwrap().len(), 2);
}

#[test]
fn hamt_11_a_wide_bomb_is_not_counted_for_ever() {
    let shard = |field: &[u8], links: &[(String, Cid)]| {
        let mut data = Data::new(Kind::HamtShard);
        (data.hash_type, data.fanout, data.data) = (Some(0x22), Some(256), Some(field));
        let links: Vec<_> = links
            .iter()
            .map(|(name, cid)| Link {
                cid: cid.clone(),
                name: Some(name.as_bytes()),
                tsize: Some(1),
            })
            .collect();
        dag_pb(pb::encode(&links, Some(&data.encode())))
    };
    let mut store = Store::default();
    let mut below = store.put(shard(&[], &[]));
    let mut links = Vec::new();
    for _ in 0..7 {
        links = (0..256).map(|digit| (format!("{digit:02X}"), below.clone())).collect();
        below = store.put(shard(&[255; 32], &links));
    }
    let digit = (murmur::hash(b"a") >> 56) as usize;
    links[digit] = (format!("{digit:02X}a"), entry("a").cid);
    let root = store.put(shard(&[255; 32], &links));
    let options = ImportOptions::default();
    let error = edit(&options, &mut store, &root, "a", Change::Remove, false).unwrap_err();
    assert_eq!(error, EditError::List(ListError::TooMany { cid: root }));
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn folders_on_the_way_hold_only_so_much() {
    // each folder on the way is of almost 2 MiB
    let mut store = Store::default();
    let mut cid = store.put(dag_pb(pb::encode(&[], Some(&[8, 1]))));
    let long = "n".repeat(1_900_000);
    for _ in 0..30 {
        let links = [("a", &cid), (&*long, &cid)].map(|(name, cid)| Link {
            cid: cid.clone(),
            name: Some(name.as_bytes()),
            tsize: Some(1),
        });
        cid = store.put(dag_pb(pb::encode(&links, Some(&[8, 1]))));
    }
    let options = ImportOptions { hamt_threshold: usize::MAX, ..ImportOptions::default() };
    let put = Change::Put(entry("x"));
    let error = edit(&options, &mut store, &cid, &"a/".repeat(29), put.clone(), false);
    assert!(matches!(error, Err(EditError::Name { .. })));
    let path = vec!["a"; 29].join("/");
    let error = edit(&options, &mut store, &cid, &path, put.clone(), false).unwrap_err();
    assert!(matches!(error, EditError::TooMuchHeld { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(edit(&options, &mut store, &cid, "a/a/a/a/a/a/x", put, false).is_ok());
}

#[test]
fn cid_04_a_folder_that_nothing_can_be_verified_by() {
    let mut store = Store::default();
    let cid = Cid::new_v1(code::DAG_PB, Multihash::new(0x22, &[0; 8]).unwrap());
    let link = Link { cid: cid.clone(), name: Some(b"a"), tsize: None };
    let root = store.put(dag_pb(pb::encode(&[link], Some(&[8, 1]))));
    let options = ImportOptions::default();
    let put = Change::Put(entry("x"));
    let error = edit(&options, &mut store, &root, "a/b", put.clone(), true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCid);
    // but it can be replaced
    let (edited, _) = edit(&options, &mut store, &root, "a", put, true).unwrap();
    assert_eq!(edited.before.unwrap().cid, cid);
}

#[test]
fn a_root_inside_its_cid() {
    let bytes = Bytes::from_static(&[0x0a, 2, 8, 1]);
    let root = Block::hash(Version::V1, code::DAG_PB, code::IDENTITY, bytes).unwrap();
    let options = ImportOptions::default();
    let mut store = Store::default();
    let put = Change::Put(entry("a"));
    let (edited, fetched) = edit(&options, &mut store, root.cid(), "a", put, true).unwrap();
    assert_eq!((edited.cid, fetched), (build(&options, &["a"], &mut store).cid, 0));
}

/// A tree as somebody would draw it.
#[derive(Debug, Clone, Default)]
struct Folder(BTreeMap<String, Item>);

#[derive(Debug, Clone)]
enum Item {
    File(u8),
    Folder(Folder),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    Exists,
    NotFound,
    NotADirectory,
}

impl Folder {
    /// The same change to the drawing.
    fn change(&mut self, path: &[&str], act: &Act) -> Result<(), Wrong> {
        let (name, rest) = path.split_first().unwrap();
        if rest.is_empty() {
            match (self.0.contains_key(*name), act.how) {
                (true, How::Insert) => return Err(Wrong::Exists),
                (false, How::Replace | How::Remove) => return Err(Wrong::NotFound),
                (_, How::Remove) => drop(self.0.remove(*name)),
                _ => drop(self.0.insert((*name).to_owned(), Item::File(act.file))),
            }
            return Ok(());
        }
        let makes = act.parents && matches!(act.how, How::Insert | How::Put);
        match self.0.get_mut(*name) {
            Some(Item::Folder(folder)) => folder.change(rest, act),
            Some(Item::File(_)) => Err(Wrong::NotADirectory),
            None if makes => {
                let mut folder = Self::default();
                folder.change(rest, act)?;
                self.0.insert((*name).to_owned(), Item::Folder(folder));
                Ok(())
            }
            None => Err(Wrong::NotFound),
        }
    }

    fn insert_into(&self, prefix: &str, tree: &mut Tree) {
        for (name, item) in &self.0 {
            let path = format!("{prefix}{name}");
            match item {
                Item::File(file) => tree.insert(&path, content(*file)).unwrap(),
                Item::Folder(folder) => {
                    tree.insert_folder(&path).unwrap();
                    folder.insert_into(&format!("{path}/"), tree);
                }
            }
        }
    }
}

/// Files whose links differ in length.
fn content(file: u8) -> Entry {
    let text = "x".repeat(file.into());
    let inline = file.is_multiple_of(3);
    let hash = if inline { code::IDENTITY } else { code::SHA2_256 };
    let block = Block::hash(Version::V1, code::RAW, hash, text.into()).unwrap();
    Entry { cid: block.cid().clone(), tsize: 1 << file, size: file.into() }
}

#[derive(Debug, Clone, Copy)]
enum How {
    Insert,
    Replace,
    Put,
    Remove,
}

#[derive(Debug, Clone)]
struct Act {
    path: Vec<String>,
    how: How,
    file: u8,
    parents: bool,
}

fn act() -> impl Strategy<Value = Act> {
    let how = prop_oneof![
        2 => Just(How::Insert), 1 => Just(How::Replace), 3 => Just(How::Put), 3 => Just(How::Remove)
    ];
    (prop::collection::vec("[a-d]|[a-c]{2}|longer-[a-h]", 1..4), how, 0_u8..40, any::<bool>())
        .prop_map(|(path, how, file, parents)| Act { path, how, file, parents })
}

fn options() -> impl Strategy<Value = ImportOptions> {
    let sizes = prop_oneof![Just(HamtSize::Block), Just(HamtSize::Links)];
    let inline = prop_oneof![2 => Just(0), 1 => Just(60)];
    let thresholds = prop_oneof![Just(0_usize), 30_usize..400];
    (sizes, thresholds, 3_u32..=8, inline, any::<bool>()).prop_map(
        |(hamt_size, hamt_threshold, bits, inline_limit, v0)| ImportOptions {
            hamt_size,
            hamt_threshold,
            hamt_fanout: 1 << bits,
            inline_limit,
            cid_version: if v0 { Version::V0 } else { Version::V1 },
            ..ImportOptions::default()
        },
    )
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn any_sequence_of_changes_gives_the_tree_that_is_built(
        options in options(),
        acts in prop::collection::vec(act(), 1..40),
        mode in prop::option::of(1_u32..0o7777),
    ) {
        let fresh = |folder: &Folder| {
            let mut tree = Tree::new(&options).unwrap();
            tree.set_meta("/", Meta { mode, mtime: None }).unwrap();
            folder.insert_into("", &mut tree);
            tree.finish().unwrap()
        };
        let mut drawn = Folder::default();
        let mut store = Store::default();
        // files are looked into when a path leads through them
        (0..40).for_each(|file| {
            let text = "x".repeat(file);
            store.put_raw(text.as_bytes());
        });
        let start = fresh(&drawn);
        start.blocks.into_iter().for_each(|block| drop(store.put(block)));
        let mut root = start.root.cid;
        for act in acts {
            let path: Vec<&str> = act.path.iter().map(String::as_str).collect();
            let mut then = drawn.clone();
            let expected = then.change(&path, &act);
            let file = content(act.file);
            let change = match act.how {
                How::Insert => Change::Insert(file),
                How::Replace => Change::Replace(file),
                How::Put => Change::Put(file),
                How::Remove => Change::Remove,
            };
            let done = edit(&options, &mut store, &root, &path.join("/"), change, act.parents);
            match (done, expected) {
                (Ok((edited, _)), Ok(())) => {
                    drawn = then;
                    let built = fresh(&drawn);
                    prop_assert_eq!((&edited.cid, edited.tsize), (&built.root.cid, built.root.tsize));
                    root = edited.cid;
                }
                (Err(error), Err(wrong)) => {
                    let is = match error {
                        EditError::Exists { .. } => Wrong::Exists,
                        EditError::NotFound { .. } => Wrong::NotFound,
                        EditError::NotADirectory { .. } => Wrong::NotADirectory,
                        other => panic!("{other}"),
                    };
                    prop_assert_eq!(is, wrong);
                }
                (done, expected) => panic!("{act:?}: {done:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn damaged_directories_never_panic(
        options in options(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        remove in any::<bool>(),
    ) {
        let mut store = Store::default();
        let names: Vec<String> = (0..30).map(|index| format!("n{index}")).collect();
        let paths: Vec<&str> = names.iter().map(String::as_str).collect();
        let root = build(&options, &paths, &mut store);
        let mut bytes = store.get(&root.cid).bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let damaged = store.put(dag_pb(bytes));
        let change = if remove { Change::Remove } else { Change::Put(entry("x")) };
        let mut edit = Edit::<Bytes>::new(&options, damaged, "n7", change, false).unwrap();
        loop {
            let wants = edit.wants();
            let given = wants.iter().filter_map(|cid| store.0.get(cid));
            let failed = given.map(|block| edit.give(block)).any(|given| given.is_err());
            if wants.is_empty() || failed {
                break;
            }
        }
    }
}
