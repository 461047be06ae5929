//! Archives that are written: which blocks, in which order, how often.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::HashSet;

use avocet_dag::{
    Block, Cid, CidError, Classify, ErrorKind, Version,
    car::{ByteRange, Export, ExportError, ExportOptions, Options, Reader, Scope},
    code,
    codec::{
        self, Value,
        pb::{self, Link},
    },
    resolve::ResolveError,
    unixfs::{Data, Entry, ImportOptions, Kind, Tree, Window},
};
use bytes::Bytes;
use common::{Store, dag_pb, import, raw};
use proptest::prelude::*;

/// The archive of an export whose wants are all met, and how many there were at once at most.
fn run(store: &Store, mut export: Export<Bytes>) -> Result<(Vec<u8>, usize), ExportError> {
    let (mut archive, mut most) = (Vec::new(), 0);
    loop {
        while let Some(bytes) = export.read()? {
            assert!(!bytes.is_empty());
            archive.extend_from_slice(&bytes);
        }
        if export.is_done() {
            assert_eq!(export.wants(), []);
            return Ok((archive, most));
        }
        let wants = export.wants();
        most = most.max(wants.len());
        assert!(!wants.is_empty(), "stuck");
        // the last first: the order in which blocks come must not matter
        for cid in wants.iter().rev() {
            assert!(export.give(store.get(cid))?, "{cid} was wanted");
        }
    }
}

fn export(
    store: &Store,
    root: &Cid,
    path: &[&str],
    options: ExportOptions,
) -> Result<(Cid, Vec<Cid>), ExportError> {
    let path = path.iter().map(|name| (*name).to_owned()).collect();
    let (archive, most) = run(store, Export::new(root.clone(), path, options))?;
    assert!(most <= options.window.blocks);
    let mut reader = Reader::<Bytes>::new(Options::default());
    reader.push(archive.into());
    let mut cids = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        cids.push(block.cid().clone());
    }
    reader.finish().unwrap();
    let header = reader.header().unwrap();
    assert_eq!((header.version, header.roots.len()), (1, 1));
    Ok((header.roots[0].clone(), cids))
}

fn all(store: &Store, root: &Cid, options: ExportOptions) -> Vec<Cid> {
    let (found, cids) = export(store, root, &[], options).unwrap();
    assert_eq!(found, *root);
    cids
}

fn dups() -> ExportOptions {
    ExportOptions { dups: true, ..ExportOptions::default() }
}

fn scope(scope: Scope) -> ExportOptions {
    ExportOptions { scope, ..ExportOptions::default() }
}

fn directory(store: &mut Store, entries: &[(&str, &Cid)]) -> Cid {
    let links: Vec<Link<'_>> = entries
        .iter()
        .map(|(name, cid)| Link {
            cid: (*cid).clone(),
            name: Some(name.as_bytes()),
            tsize: Some(0),
        })
        .collect();
    store.put(dag_pb(pb::encode(&links, Some(&Data::new(Kind::Directory).encode()))))
}

fn file(store: &mut Store, bytes: &[u8], chunk: usize) -> Cid {
    let chunking = avocet_dag::unixfs::Chunking::Size(chunk);
    let options = ImportOptions { chunking, max_links: 3, ..ImportOptions::default() };
    import(&options, [Bytes::copy_from_slice(bytes)], store).cid
}

/// The slow twin: recursive, all in memory.
fn depth_first(store: &Store, cid: &Cid, seen: Option<&mut HashSet<Cid>>, out: &mut Vec<Cid>) {
    let mut seen = seen;
    if let Some(seen) = &mut seen
        && !seen.insert(cid.clone())
    {
        return;
    }
    let inline = Block::inline(cid);
    if inline.is_none() {
        out.push(cid.clone());
    }
    let block = inline.unwrap_or_else(|| store.get(cid).clone());
    for link in codec::links(&block).unwrap() {
        depth_first(store, &link, seen.as_deref_mut(), out);
    }
}

fn twin(store: &Store, root: &Cid, dups: bool) -> Vec<Cid> {
    let mut out = Vec::new();
    let mut seen = HashSet::new();
    depth_first(store, root, (!dups).then_some(&mut seen), &mut out);
    out
}

#[test]
fn depth_first_with_and_without_repetitions() {
    let mut store = Store::default();
    let (a, b) = (store.put_raw(b"a"), store.put_raw(b"b"));
    let inner = directory(&mut store, &[("a", &a), ("b", &b)]);
    let root = directory(&mut store, &[("1", &b), ("2", &inner), ("3", &inner), ("4", &a)]);
    let once = [&root, &b, &inner, &a].map(Clone::clone);
    assert_eq!(all(&store, &root, ExportOptions::default()), once);
    let often = [&root, &b, &inner, &a, &b, &inner, &a, &b, &a].map(Clone::clone);
    assert_eq!(all(&store, &root, dups()), often);
}

#[test]
fn what_comes_into_view_early_and_is_needed_earlier_stays_in_order() {
    let mut store = Store::default();
    // the root links to `late`, which also lies below `early`
    let leaf = store.put_raw(b"leaf");
    let late = directory(&mut store, &[("leaf", &leaf)]);
    let early = directory(&mut store, &[("late", &late)]);
    let root = directory(&mut store, &[("1", &early), ("2", &late)]);
    let order = [&root, &early, &late, &leaf].map(Clone::clone);
    assert_eq!(all(&store, &root, ExportOptions::default()), order);
}

#[test]
fn scopes() {
    let mut store = Store::default();
    let bytes: Vec<u8> = (0..100).collect();
    let long = file(&mut store, &bytes, 10);
    let short = store.put_raw(b"short");
    let inner = directory(&mut store, &[("long", &long), ("short", &short)]);
    let root = directory(&mut store, &[("inner", &inner), ("x", &short)]);
    let of = |path: &[&str], options| export(&store, &root, path, options).unwrap();
    let path = [&root, &inner].map(Clone::clone);

    let (found, cids) = of(&["inner", "long"], scope(Scope::Block));
    assert_eq!((found, &cids[..2], &cids[2..]), (long.clone(), &path[..], &[long.clone()][..]));
    let (_, cids) = of(&["inner", "long"], scope(Scope::Entity));
    assert_eq!((&cids[..2], &cids[2..]), (&path[..], &twin(&store, &long, false)[..]));
    let (_, cids) = of(&["inner", "long"], scope(Scope::All));
    assert_eq!((&cids[..2], &cids[2..]), (&path[..], &twin(&store, &long, false)[..]));
    // of a directory an entity is what lists it, of anything else one block
    assert_eq!(of(&["inner"], scope(Scope::Entity)), (inner.clone(), path.to_vec()));
    assert_eq!(of(&["x"], scope(Scope::Entity)).1, [root.clone(), short.clone()]);
    assert_eq!(of(&["inner"], scope(Scope::All)).1[1..], twin(&store, &inner, false)[..]);
    let plain = store.put(dag_pb(pb::encode(&[], None)));
    assert_eq!(all(&store, &plain, scope(Scope::Entity)), [plain]);
}

#[test]
fn of_a_sharded_directory_an_entity_is_every_part_and_no_entry() {
    for fanout in [8, 16, 256, 1024] {
        let mut store = Store::default();
        let options =
            ImportOptions { hamt_threshold: 0, hamt_fanout: fanout, ..Default::default() };
        let mut tree = Tree::new(&options).unwrap();
        let mut files = Vec::new();
        for number in 0..300u32 {
            let file = raw(&number.to_be_bytes());
            let (cid, size) = (file.cid().clone(), file.len() as u64);
            // names that are as short as a place, and that look like one
            tree.insert(&format!("{number:X}"), Entry { cid, tsize: size, size }).unwrap();
            files.push(store.put(file));
        }
        let built = tree.finish().unwrap();
        let root = built.root.cid;
        let parts: HashSet<Cid> = built.blocks.into_iter().map(|block| store.put(block)).collect();
        let cids = all(&store, &root, scope(Scope::Entity));
        assert_eq!(
            (cids.len(), cids.into_iter().collect::<HashSet<_>>()),
            (parts.len(), parts.clone())
        );
        assert_eq!(all(&store, &root, ExportOptions::default()).len(), parts.len() + 300);
        // of the whole directory the parts on the way to one entry, and the entry
        let (found, cids) = export(&store, &root, &["7B"], ExportOptions::default()).unwrap();
        assert_eq!((&found, cids.last()), (&files[123], Some(&files[123])));
        assert_eq!(cids[0], root);
        assert!(cids[..cids.len() - 1].iter().all(|cid| parts.contains(cid)) && cids.len() < 10);
    }
}

#[test]
fn links_in_cbor_and_json_are_followed_and_paths_end_inside_of_blocks() {
    let mut store = Store::default();
    let (a, b) = (store.put_raw(b"a"), store.put_raw(b"b"));
    let file = file(&mut store, b"0123456789", 4);
    let put = |store: &mut Store, codec, value: &Value| {
        let bytes = match codec {
            code::DAG_CBOR => codec::cbor::encode(value).unwrap(),
            _ => codec::json::encode(value).unwrap(),
        };
        store.put(Block::hash(Version::V1, codec, code::SHA2_256, bytes.into()).unwrap())
    };
    let map = |entries: Vec<(&str, Value)>| {
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let json = put(&mut store, code::DAG_JSON, &map(vec![("file", Value::Link(file.clone()))]));
    let list = Value::List(vec![Value::Link(b.clone()), Value::Link(a.clone())]);
    let value = map(vec![("in", map(vec![("list", list)])), ("next", Value::Link(json.clone()))]);
    let root = put(&mut store, code::DAG_CBOR, &value);
    let mut whole = vec![root.clone(), b.clone(), a.clone(), json.clone()];
    whole.extend(twin(&store, &file, false));
    assert_eq!(all(&store, &root, ExportOptions::default()), whole);
    assert_eq!(all(&store, &root, scope(Scope::Entity)), std::slice::from_ref(&root));
    let of = |path: &[&str]| export(&store, &root, path, ExportOptions::default()).unwrap();
    assert_eq!(of(&["in", "list", "0"]), (b.clone(), vec![root.clone(), b]));
    let (found, cids) = of(&["next", "file"]);
    assert_eq!((found, &cids[..3]), (file.clone(), &[root.clone(), json, file][..]));
    // the value is no block: what it stands in is exported, with all that this links to
    assert_eq!(of(&["in", "list"]), (root.clone(), whole));
}

#[test]
fn byte_ranges_take_only_the_blocks_they_need() {
    let mut store = Store::default();
    let bytes: Vec<u8> = (0..100).collect();
    let root = file(&mut store, &bytes, 10);
    let leaves: Vec<Cid> = bytes.chunks(10).map(|part| raw(part).cid().clone()).collect();
    let of = |from, to| {
        let range = Some(ByteRange { from, to });
        let cids = all(&store, &root, ExportOptions { range, ..ExportOptions::default() });
        assert_eq!(cids[0], root);
        let place = |cid| leaves.iter().position(|leaf| leaf == cid);
        cids.iter().filter_map(place).collect::<Vec<_>>()
    };
    let none: [usize; 0] = [];
    assert_eq!(of(0, None), (0..10).collect::<Vec<_>>());
    assert_eq!(of(0, Some(0)), [0]);
    assert_eq!(of(9, Some(10)), [0, 1]);
    assert_eq!(of(10, Some(19)), [1]);
    assert_eq!(of(95, None), [9]);
    assert_eq!(of(-5, None), [9]);
    assert_eq!(of(-11, None), [8, 9]);
    assert_eq!(of(80, Some(-11)), [8]);
    assert_eq!(of(-1000, Some(-91)), [0]);
    assert_eq!(of(0, Some(i64::MAX)).len(), 10);
    assert_eq!(of(i64::MIN, Some(i64::MAX)).len(), 10);
    // empty or outside: the block alone
    assert_eq!(of(100, None), none);
    assert_eq!(of(50, Some(49)), none);
    assert_eq!(of(0, Some(-101)), none);
    assert_eq!(of(0, Some(i64::MIN)), none);
    assert_eq!(of(i64::MAX, Some(i64::MAX)), none);
    let directory = directory(&mut store, &[("file", &root)]);
    let options = ExportOptions {
        range: Some(ByteRange { from: 0, to: Some(1) }),
        ..ExportOptions::default()
    };
    assert_eq!(all(&store, &directory, options), [directory]);
}

#[test]
fn what_stands_in_a_cid_is_followed_and_not_written() {
    let mut store = Store::default();
    let leaf = store.put_raw(b"a leaf that is a block");
    let link = Link { cid: leaf.clone(), name: Some(b"leaf"), tsize: Some(1) };
    let inline = |codec, bytes: Vec<u8>| {
        let block = Block::hash(Version::V1, codec, code::IDENTITY, bytes.into()).unwrap();
        block.cid().clone()
    };
    let data = Data::new(Kind::Directory).encode();
    let node = inline(code::DAG_PB, pb::encode(&[link], Some(&data)));
    let text = inline(code::RAW, b"text".to_vec());
    let root = directory(&mut store, &[("1", &text), ("2", &node)]);
    assert_eq!(all(&store, &root, ExportOptions::default()), [root.clone(), leaf.clone()]);
    assert_eq!(all(&store, &node, ExportOptions::default()), std::slice::from_ref(&leaf));
    assert_eq!(all(&store, &text, ExportOptions::default()), []);
    let (found, cids) = export(&store, &root, &["2", "leaf"], ExportOptions::default()).unwrap();
    assert_eq!((found, cids), (leaf.clone(), vec![root, leaf]));
}

#[test]
fn what_cannot_be_written_is_named() {
    let mut store = Store::default();
    let other = store
        .put(Block::hash(Version::V1, 0x78, code::SHA2_256, Bytes::from_static(b"git")).unwrap());
    let hash = avocet_dag::Multihash::new(0x22, &[1; 16]).unwrap(); // murmur3
    let insecure = Cid::new_v1(code::RAW, hash);
    let root = directory(&mut store, &[("bad", &insecure), ("other", &other)]);
    let fault = |path: &[&str], options| export(&store, &root, path, options).unwrap_err();
    let error = fault(&[], ExportOptions::default());
    assert!(
        matches!(&error, ExportError::Link { cid, source: CidError::Insecure { .. } } if *cid == insecure),
        "{error}"
    );
    let error = fault(&["other"], ExportOptions::default());
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains(&other.to_string()), "{error}");
    // one block of it can be had
    assert!(export(&store, &root, &["other"], scope(Scope::Entity)).is_ok());
    let error = fault(&["nothing"], ExportOptions::default());
    assert!(matches!(error, ExportError::Resolve(ResolveError::NotFound { .. })), "{error}");
}

#[test]
fn a_part_that_lies_about_its_links_has_no_ranges() {
    let mut store = Store::default();
    let leaf = store.put_raw(b"0123456789");
    let mut data = Data::new(Kind::File);
    data.filesize = Some(20);
    data.blocksizes = vec![20];
    let root = store.put_node(&data, &[(leaf.clone(), 10), (leaf.clone(), 10)]);
    let range = Some(ByteRange { from: 0, to: None });
    let options = ExportOptions { range, ..ExportOptions::default() };
    let error = export(&store, &root, &[], options).unwrap_err();
    assert_eq!(error, ExportError::Sizes { cid: root.clone() });
    // whole it can be exported: whoever reads it will see what is wrong with it
    assert_eq!(all(&store, &root, scope(Scope::Entity)), [root, leaf]);
}

#[test]
fn diamonds_do_not_explode_and_may_stream() {
    let mut store = Store::default();
    let mut cid = store.put_raw(b"bottom");
    for _ in 0..200 {
        cid = directory(&mut store, &[("a", &cid), ("b", &cid)]);
    }
    for blocks in [1, 2, 7, 32] {
        let window = Window { blocks, bytes: 1 << 20 };
        let cids = all(&store, &cid, ExportOptions { window, ..ExportOptions::default() });
        assert_eq!(cids.len(), 201, "window of {blocks}");
    }
    // 2^200 blocks with repetitions: they come as long as somebody reads
    let mut export = Export::new(cid, Vec::new(), dups());
    let mut read = 0;
    while read < 100_000 {
        match export.read().unwrap() {
            Some(_) => read += 1,
            None => {
                for cid in export.wants() {
                    export.give(store.get(&cid)).unwrap();
                }
            }
        }
    }
}

#[test]
fn a_chain_is_exported_however_long() {
    let mut store = Store::default();
    let mut cid = store.put_raw(b"bottom");
    for _ in 0..20_000 {
        cid = directory(&mut store, &[("a", &cid)]);
    }
    assert_eq!(all(&store, &cid, ExportOptions::default()).len(), 20_001);
    assert_eq!(all(&store, &cid, dups()).len(), 20_001);
}

#[test]
fn a_part_that_a_range_cut_is_unfolded_again() {
    let mut store = Store::default();
    let (a, b) = (store.put_raw(b"aaaa"), store.put_raw(b"bbbb"));
    let node = store.put_file(&[(a.clone(), 4), (b.clone(), 4)]);
    let root = store.put_file(&[(node.clone(), 8), (node.clone(), 8)]);
    let of = |from, to| {
        let range = Some(ByteRange { from, to: Some(to) });
        all(&store, &root, ExportOptions { range, ..ExportOptions::default() })
    };
    assert_eq!(of(4, 11), [&root, &node, &b, &a].map(Clone::clone));
    assert_eq!(of(4, 7), [&root, &node, &b].map(Clone::clone));
    assert_eq!(of(8, 11), [&root, &node, &a].map(Clone::clone));
    assert_eq!(of(0, 15), [&root, &node, &a, &b].map(Clone::clone));
}

#[test]
fn a_file_of_every_size_that_can_be_announced_has_ranges() {
    let mut store = Store::default();
    let leaf = store.put_raw(b"0123456789");
    for parts in [&[u64::MAX][..], &[u64::MAX, u64::MAX], &[1, u64::MAX - 1], &[1 << 63, 1 << 63]] {
        let parts: Vec<_> = parts.iter().map(|size| (leaf.clone(), *size)).collect();
        let root = store.put_file(&parts);
        for (from, to) in [(0, -1), (-1, -1), (i64::MIN, i64::MIN), (i64::MAX, -1), (0, i64::MAX)] {
            let range = Some(ByteRange { from, to: Some(to) });
            let cids = all(&store, &root, ExportOptions { range, ..ExportOptions::default() });
            assert!(cids[0] == root && cids.len() <= 2);
        }
    }
    let root = store.put_file(&[(leaf.clone(), u64::MAX)]);
    let range = Some(ByteRange { from: -1, to: Some(-1) });
    let options = ExportOptions { range, ..ExportOptions::default() };
    assert_eq!(all(&store, &root, options), [root, leaf]);
}

/// A node of this many links to nothing that has to be asked for, behind a link to `first`. Each
/// takes 8 bytes of the block, and about seven times that where it waits to be followed.
fn dense(store: &mut Store, first: &Cid, links: usize) -> Cid {
    let link = [0x12, 0x06, 0x0a, 0x04, 0x01, 0x70, 0, 0];
    let mut bytes = pb::encode(&[Link { cid: first.clone(), name: None, tsize: None }], None);
    bytes.extend(link.repeat(links));
    store.put(dag_pb(bytes))
}

#[test]
fn wide_nodes_that_come_together_wait_for_their_turn() {
    let mut store = Store::default();
    let nodes: Vec<Cid> = (0..4u8)
        .map(|number| {
            let leaf = store.put_raw(&[number]);
            dense(&mut store, &leaf, 200_000)
        })
        .collect();
    let entries: Vec<_> = nodes.iter().map(|cid| ("", cid)).collect();
    let root = directory(&mut store, &entries);
    // room for the header, the root and these: their links have to wait
    let window = Window { blocks: 7, bytes: 64 << 20 };
    let mut export = Export::new(root.clone(), Vec::new(), ExportOptions { window, ..dups() });
    assert!(export.give(store.get(&root)).unwrap());
    assert_eq!(export.wants()[1..], nodes);
    for cid in nodes.iter().rev() {
        assert!(export.give(store.get(cid)).unwrap());
    }
    // each is unfolded when what stands before it was read
    let mut told = Vec::new();
    while !export.is_done() {
        while export.read().unwrap().is_some() {}
        let wants = export.wants();
        wants.iter().for_each(|cid| assert!(export.give(store.get(cid)).unwrap()));
        told.extend(wants);
    }
    assert_eq!(told, (0..4u8).map(|number| raw(&[number]).cid().clone()).collect::<Vec<_>>());
}

#[test]
fn wide_files_are_exported_through_any_window() {
    let mut store = Store::default();
    let leaf = store.put_raw(&[7; 16]);
    let nodes: Vec<_> = (0..60u8)
        .map(|number| {
            let last = store.put_raw(&[number; 16]);
            let mut parts = vec![(leaf.clone(), 16); 10_000];
            parts.push((last, 16));
            (store.put_file(&parts), 160_016)
        })
        .collect();
    let root = store.put_file(&nodes);
    let window = Window { blocks: 64, bytes: 64 << 20 };
    let range = Some(ByteRange { from: 0, to: None });
    let cids = all(&store, &root, ExportOptions { window, range, ..ExportOptions::default() });
    // the leaf of sevens is one of the last ones too
    assert_eq!(cids.len(), 1 + 60 + 60);
}

#[test]
fn links_of_one_way_that_are_too_many_are_named() {
    let mut store = Store::default();
    let mut way = vec![store.put_raw(b"leaf")];
    for _ in 0..4 {
        way.push(dense(&mut store, &way[way.len() - 1].clone(), 200_000));
    }
    assert_eq!(all(&store, &way[4], ExportOptions::default()).len(), 5);
    // where no more than one block is asked for, all have links left when the next one comes
    let window = Window { blocks: 1, bytes: 1 };
    let options = ExportOptions { window, ..ExportOptions::default() };
    let error = export(&store, &way[4], &[], options).unwrap_err();
    assert_eq!(error, ExportError::TooMuchHeld { cid: way[1].clone() });
    assert_eq!(error.kind(), ErrorKind::Limit);
}

/// A random graph: each node links to some of those before it.
fn any_graph() -> impl Strategy<Value = (Store, Cid)> {
    let node = prop::collection::vec(any::<prop::sample::Index>(), 0..5);
    prop::collection::vec(node, 1..12).prop_map(|nodes| {
        let mut store = Store::default();
        let mut cids: Vec<Cid> = Vec::new();
        for (number, links) in nodes.iter().enumerate() {
            let links = links.iter().take(if cids.is_empty() { 0 } else { 5 });
            let links: Vec<Cid> = links.map(|link| link.get(&cids).clone()).collect();
            let name = number.to_string();
            let cid = match links.is_empty() {
                true => store.put_raw(name.as_bytes()),
                false => {
                    let mut entries: Vec<_> = links.iter().map(|cid| ("", cid)).collect();
                    let own = store.put_raw(name.as_bytes());
                    entries.push(("z", &own));
                    directory(&mut store, &entries)
                }
            };
            cids.push(cid);
        }
        let root = cids.pop().unwrap();
        (store, root)
    })
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn every_graph_as_its_slow_twin(
        (store, root) in any_graph(),
        dups in any::<bool>(),
        blocks in 1..9usize,
        bytes in 1..200usize,
    ) {
        let window = Window { blocks, bytes };
        let options = ExportOptions { dups, window, ..ExportOptions::default() };
        prop_assert_eq!(all(&store, &root, options), twin(&store, &root, dups));
    }

    #[test]
    fn a_range_without_repetitions_has_the_blocks_of_one_with(
        letters in prop::collection::vec(0..2u8, 1..7),
        times in 1..12usize,
        (from, to) in (-70..70i64, prop::option::of(-70..70i64)),
        chunk in 1..5usize,
        max_links in 2..4usize,
        raw_leaves in any::<bool>(),
        blocks in 1..9usize,
    ) {
        let mut store = Store::default();
        let chunking = avocet_dag::unixfs::Chunking::Size(chunk);
        let options = ImportOptions { chunking, max_links, raw_leaves, ..Default::default() };
        let root = import(&options, [letters.repeat(times).into()], &mut store).cid;
        let window = Window { blocks, bytes: 1 << 20 };
        let range = Some(ByteRange { from, to });
        let once = ExportOptions { range, window, ..ExportOptions::default() };
        let mut first = all(&store, &root, ExportOptions { dups: true, ..once });
        let mut seen = HashSet::new();
        first.retain(|cid| seen.insert(cid.clone()));
        prop_assert_eq!(all(&store, &root, once), first);
    }

    #[test]
    fn every_range_is_readable_from_its_archive(
        len in 0..200usize,
        from in -250..250i64,
        to in prop::option::of(-250..250i64),
        chunk in 1..30usize,
    ) {
        let mut store = Store::default();
        let bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
        let root = file(&mut store, &bytes, chunk);
        let range = Some(ByteRange { from, to });
        let cids = all(&store, &root, ExportOptions { range, ..ExportOptions::default() });
        let size = len as i64;
        let first = if from < 0 { (size + from).max(0) } else { from };
        let last = to.map_or(size - 1, |to| if to < 0 { size + to } else { to }).min(size - 1);
        let mut few = Store::default();
        cids.iter().for_each(|cid| drop(few.put(store.get(cid).clone())));
        if first <= last {
            let wanted = &bytes[first as usize..=last as usize];
            let read = common::read(&few, &root, first as u64..=last as u64).unwrap();
            prop_assert_eq!(read.as_deref(), Some(wanted));
        } else {
            prop_assert_eq!(cids, vec![root]);
        }
    }
}
