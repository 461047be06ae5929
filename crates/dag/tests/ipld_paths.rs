//! Paths and walks through DAG-CBOR and DAG-JSON, into UnixFS and back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use avocet_dag::{
    Block, Cid, CidError, Classify, ErrorKind, Multihash, Version, code,
    codec::{self, Value},
    path::Path,
    resolve::{ResolveError, Resolver, step},
    unixfs::{DirError, Entry, ImportOptions, Tree, Type, entries, stat},
    walk::{MAX_VISITED, Walk, Want},
};
use common::{Store, raw};
use proptest::prelude::*;

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn ipld(codec: u64, value: &Value) -> Block {
    let bytes = codec::encode(codec, value).unwrap();
    Block::hash(Version::V1, codec, code::SHA2_256, bytes.into()).unwrap()
}

fn put(store: &mut Store, codec: u64, value: Value) -> Cid {
    store.put(ipld(codec, &value))
}

fn link(cid: &Cid) -> Value {
    Value::Link(cid.clone())
}

/// Follows a path; gives the CID it leads to and the names within that block.
fn resolve(store: &Store, root: &Cid, names: &str) -> Result<(Cid, String), ResolveError> {
    let names = names.split('/').filter(|name| !name.is_empty()).map(String::from).collect();
    let mut resolver = Resolver::new(root.clone(), names);
    while let Some(cid) = resolver.want().cloned() {
        assert!(resolver.inside().is_empty());
        assert!(!resolver.give(&raw(b"something else"))?);
        assert!(resolver.give(store.get(&cid))?);
    }
    Ok((resolver.cid().clone(), resolver.inside().join("/")))
}

/// A file `leaf` in a directory `files`, which data in both codecs links to, and which links back.
struct Mixed {
    store: Store,
    cbor: Cid,
    json: Cid,
    files: Cid,
    leaf: Cid,
}

fn mixed() -> Mixed {
    let mut store = Store::default();
    let leaf = store.put_raw(b"leaf");
    let inner = map([("n", Value::Int(7)), ("leaf", link(&leaf)), ("", Value::Null)]);
    let inner = put(&mut store, code::DAG_JSON, inner);
    let mut tree = Tree::new(&ImportOptions::default()).unwrap();
    for (path, cid) in [("sub/leaf", &leaf), ("inner", &inner)] {
        tree.insert(path, Entry { cid: cid.clone(), tsize: 4, size: 4 }).unwrap();
    }
    let built = tree.finish().unwrap();
    built.blocks.into_iter().for_each(|block| drop(store.put(block)));
    let files = built.root.cid;
    let list = Value::List(vec![Value::Int(1), map([("files", link(&files))]), link(&leaf)]);
    let deep = map([("a", map([("x", Value::Int(1))])), ("c", map([("b", Value::Int(2))]))]);
    let json = put(&mut store, code::DAG_JSON, map([("list", list), ("deep", deep)]));
    let value =
        map([("json", link(&json)), ("bytes", Value::Bytes(vec![1, 2])), ("0", link(&leaf))]);
    let cbor = put(&mut store, code::DAG_CBOR, Value::List(vec![value, Value::Null]));
    Mixed { store, cbor, json, files, leaf }
}

#[test]
fn paths_lead_through_every_codec() {
    let Mixed { store, cbor, json, files, leaf } = mixed();
    let to = |names: &str| resolve(&store, &cbor, names).unwrap();
    assert_eq!(to(""), (cbor.clone(), String::new()));
    assert_eq!(to("0"), (cbor.clone(), "0".into()));
    assert_eq!(to("1"), (cbor.clone(), "1".into()));
    assert_eq!(to("0/bytes"), (cbor.clone(), "0/bytes".into()));
    assert_eq!(to("0/0"), (leaf.clone(), String::new()));
    assert_eq!(to("0/json"), (json.clone(), String::new()));
    assert_eq!(to("0/json/list"), (json.clone(), "list".into()));
    assert_eq!(to("0/json/list/0"), (json.clone(), "list/0".into()));
    assert_eq!(to("0/json/list/1"), (json.clone(), "list/1".into()));
    assert_eq!(to("0/json/list/2"), (leaf.clone(), String::new()));
    assert_eq!(to("0/json/deep/c/b"), (json, "deep/c/b".into()));
    assert_eq!(to("0/json/list/1/files"), (files, String::new()));
    assert_eq!(to("0/json/list/1/files/sub/leaf"), (leaf.clone(), String::new()));
    assert_eq!(to("0/json/list/1/files/inner/leaf"), (leaf, String::new()));
    let (inner, inside) = to("0/json/list/1/files/inner/n");
    assert_eq!((inner.codec(), inside.as_str()), (code::DAG_JSON, "n"));
    let value = codec::decode(store.get(&inner)).unwrap();
    assert_eq!(value.at(&[inside]), Some(&Value::Int(7)));
}

#[test]
fn path_01_names_that_lead_nowhere() {
    let Mixed { store, cbor, json, leaf, .. } = mixed();
    let refused = |names: &str| resolve(&store, &cbor, names).unwrap_err();
    let missing = |cid: &Cid, place: &str, segment: &str| ResolveError::Missing {
        cid: cid.clone(),
        place: place.into(),
        segment: segment.into(),
    };
    for (names, place, segment) in [
        ("2", "", "2"),
        ("00", "", "00"),
        ("-1", "", "-1"),
        ("a", "", "a"),
        ("0/b", "0", "b"),
        ("0/b/c", "0", "b"),
    ] {
        assert_eq!(refused(names), missing(&cbor, place, segment));
        assert_eq!(refused(names).kind(), ErrorKind::NotFound);
    }
    // `b` is in `c`, after `a`
    assert_eq!(refused("0/json/deep/a/b"), missing(&json, "deep/a", "b"));
    assert_eq!(refused("0/json/deep/b"), missing(&json, "deep", "b"));
    assert_eq!(refused("0/json/list/1/1"), missing(&json, "list/1", "1"));
    for (names, place) in [("1/x", "1"), ("0/bytes/0", "0/bytes"), ("1/x/y", "1")] {
        let error = refused(names);
        assert!(matches!(&error, ResolveError::Scalar { place: at, .. } if at == place), "{error}");
        assert_eq!(error.kind(), ErrorKind::NotADirectory);
    }
    let error = refused("0/0/x");
    assert!(
        matches!(error, ResolveError::NotADirectory { cid, found: Type::Raw, .. } if cid == leaf)
    );
    // a path keeps no name that leaves its place, in data either
    for names in ["..", ".", "a//b", "a\0b"] {
        assert!(format!("/ipfs/{cbor}/{names}/x").parse::<Path>().is_err(), "{names:?}");
    }
}

#[test]
fn data_is_no_file_and_no_directory() {
    let Mixed { store, cbor, json, .. } = mixed();
    for cid in [cbor, json] {
        let block = store.get(&cid);
        let said = stat(block).unwrap();
        assert_eq!(
            (said.kind, said.size, said.dag_size),
            (Type::Ipld, Some(block.len() as u64), None)
        );
        let error = entries(block).err().unwrap();
        assert_eq!(error, DirError::NotADirectory { cid: cid.clone(), found: Type::Ipld });
        let error = common::read(&store, &cid, ..).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAFile);
        assert_eq!(step(block, "x").unwrap_err().kind(), ErrorKind::NotADirectory);
    }
}

#[test]
fn cid_04_a_link_that_proves_nothing_is_not_followed() {
    let mut store = Store::default();
    let murmur = Cid::new_v1(code::DAG_PB, Multihash::new(0x22, &[0; 8]).unwrap());
    let root = put(&mut store, code::DAG_CBOR, map([("a", link(&murmur))]));
    let error = resolve(&store, &root, "a/b").unwrap_err();
    assert!(
        matches!(&error, ResolveError::Link { source: CidError::Insecure { .. }, .. }),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::InvalidCid);
}

#[test]
fn a_bare_link_or_number_has_no_names() {
    let mut store = Store::default();
    let leaf = store.put_raw(b"leaf");
    for value in [link(&leaf), Value::Int(1), Value::Null] {
        let root = put(&mut store, code::DAG_CBOR, value);
        let error = resolve(&store, &root, "a").unwrap_err();
        assert!(matches!(error, ResolveError::Scalar { .. }), "{error}");
        assert_eq!(resolve(&store, &root, ""), Ok((root, String::new())));
    }
}

#[test]
fn a_broken_block_leads_nowhere_even_before_the_break() {
    let broken = |codec, bytes: &'static [u8]| {
        Block::hash(Version::V1, codec, code::SHA2_256, bytes.into()).unwrap()
    };
    for block in
        [broken(code::DAG_CBOR, b"\xa1\x61a\x01\x00"), broken(code::DAG_JSON, b"{\"a\":1}x")]
    {
        let mut store = Store::default();
        let root = store.put(block.clone());
        assert_eq!(resolve(&store, &root, "a").unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(codec::links(&block).unwrap_err().kind(), ErrorKind::Corrupt);
        let mut walk = Walk::new([root], MAX_VISITED).unwrap();
        assert!(matches!(walk.next_want(), Some(Want::Node(_))));
        assert_eq!(walk.give(&block).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn walks_follow_data_and_what_cids_carry() {
    let Mixed { mut store, cbor, json, files, leaf } = mixed();
    let inline = ipld(code::DAG_CBOR, &Value::List(vec![link(&leaf)])).into_parts().1;
    let inline = Block::hash(Version::V1, code::DAG_CBOR, code::IDENTITY, inline).unwrap();
    let root = put(&mut store, code::DAG_JSON, Value::List(vec![link(inline.cid()), link(&cbor)]));
    let mut walk = Walk::new([root.clone()], MAX_VISITED).unwrap();
    let mut seen = Vec::new();
    while let Some(want) = walk.next_want() {
        seen.push(want.cid().clone());
        if let Want::Node(cid) = want {
            assert!(walk.give(store.get(&cid)).unwrap());
        }
    }
    assert!(walk.is_done());
    assert_eq!(seen[..4], [root, leaf, cbor, json]);
    assert!(seen.contains(&files));
    assert_eq!(seen.len(), store.0.len());
}

/// What a path through one value leads to, by the value itself.
fn expected(value: &Value, names: &[String]) -> Option<Result<Cid, Vec<String>>> {
    let first = (1..=names.len()).find_map(|to| match value.at(&names[..to]) {
        Some(Value::Link(cid)) => Some((cid.clone(), to)),
        _ => None,
    });
    match first {
        Some((cid, to)) => (to == names.len()).then_some(Ok(cid)),
        None => value.at(names).map(|_| Err(names.to_vec())),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = raw(b"leaf").cid().clone();
    let scalar = prop_oneof![
        2 => Just(Value::Int(1)),
        1 => Just(Value::Link(leaf)),
    ];
    scalar.prop_recursive(5, 40, 4, |inner| {
        let map = prop::collection::btree_map("[ab01]", inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::List),
            map.prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn a_path_in_a_block_leads_where_its_value_says(
        value in values(), names in prop::collection::vec("[ab012]", 1..5)
    ) {
        for codec in [code::DAG_CBOR, code::DAG_JSON] {
            let block = ipld(codec, &value);
            let mut resolver = Resolver::new(block.cid().clone(), names.clone());
            let given = resolver.give(&block);
            let found = match (&given, resolver.want()) {
                (Ok(_), None) if resolver.inside().is_empty() => Some(Ok(resolver.cid().clone())),
                (Ok(_), None) => Some(Err(resolver.inside().to_vec())),
                _ => None,
            };
            prop_assert_eq!(found, expected(&value, &names), "{:?}", given);
        }
    }
}

#[test]
fn unixfs_types_have_words() {
    assert_eq!(Type::Ipld.to_string(), "block of IPLD data");
}

/// As Kubo 0.43 does: `ipfs cat /ipfs/<node>/x`.
#[test]
fn names_of_dag_pb_that_is_no_unixfs_are_followed() {
    let mut store = Store::default();
    let leaf = store.put_raw(b"leaf");
    let link = map([
        ("Hash", link(&leaf)),
        ("Name", Value::Text("x".to_owned())),
        ("Tsize", Value::Int(4)),
    ]);
    let links = ("Links", Value::List(vec![link]));
    let data = ("Data", Value::Bytes(b"hello".to_vec()));
    for node in [map([links.clone()]), map([data, links])] {
        let node = put(&mut store, code::DAG_PB, node);
        assert_eq!(resolve(&store, &node, "x").unwrap(), (leaf.clone(), String::new()));
        let error = resolve(&store, &node, "y").unwrap_err();
        assert!(matches!(error, ResolveError::NotFound { .. }), "{error}");
    }
}
