//! DAG-PB and the UnixFS message: what is written, read and refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::time::Duration;

use avocet_dag::{
    Cid, CidError, Classify, ErrorKind, code,
    codec::{
        self, CodecError,
        pb::{self, Link, Node, PbError, ProtoError},
    },
    unixfs::{self, Data, DataError, Kind, Mtime, NodeError, Reader, Window, entries, stat},
    varint,
};
use bytes::Bytes;
use common::{dag_pb, raw};
use proptest::prelude::*;

/// CIDv1, raw, identity, no bytes: the shortest CID there is.
const CID: [u8; 4] = [1, 0x55, 0, 0];

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    varint::write(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

fn decode(parts: &[&[u8]]) -> Result<usize, PbError> {
    Node::decode(&parts.concat()).map(|node| node.len())
}

/// Everything that reads a dag-pb block, on these bytes.
fn not_unixfs(bytes: &[u8]) -> NodeError {
    let block = dag_pb(bytes.to_vec());
    let error = stat(&block).unwrap_err();
    assert_eq!(entries(&block).err(), Some(unixfs::DirError::Node(error.clone())));
    let mut reader = Reader::<Bytes>::new(block.cid().clone(), .., Window::default());
    assert_eq!(reader.give(&block).err(), Some(unixfs::ReadError::Node(error.clone())));
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    error
}

#[test]
fn links_come_first_sorted_by_name_and_then_data() {
    let cid = Cid::from_bytes(&CID).unwrap();
    let link = |name, tsize| Link { cid: cid.clone(), name, tsize };
    let links = [link(Some(b"b".as_slice()), Some(300)), link(Some(b"a"), None), link(None, None)];
    let bytes = pb::encode(&links, Some(b"x"));
    let expected: &[&[u8]] = &[
        &[0x12, 6, 0x0a, 4, 1, 0x55, 0, 0],
        &[0x12, 9, 0x0a, 4, 1, 0x55, 0, 0, 0x12, 1, b'a'],
        &[0x12, 12, 0x0a, 4, 1, 0x55, 0, 0, 0x12, 1, b'b', 0x18, 0xac, 2],
        &[0x0a, 1, b'x'],
    ];
    assert_eq!(bytes, expected.concat());
    assert_eq!(pb::encode(&[], None), b"");
    assert_eq!(pb::encode(&[], Some(b"")), [0x0a, 0]);
}

#[test]
fn dir_08_the_order_that_was_read_is_kept() {
    let link = |name: &[u8]| field(2, &[&field(1, &CID)[..], &field(2, name)].concat());
    let bytes = [field(1, &[8, 1]), link(b"b"), link(b"a")].concat();
    let node = Node::decode(&bytes).unwrap();
    let names: Vec<_> = node.links().map(|link| link.name.unwrap()).collect();
    assert_eq!(names, [b"b", b"a"]);
    let block = dag_pb(bytes);
    let listed: Vec<_> = entries(&block).unwrap().map(|entry| entry.name.to_vec()).collect();
    assert_eq!(listed, [b"b", b"a"]);
}

#[test]
fn pb_01_what_the_strict_decoder_refuses() {
    let hash = field(1, &CID);
    let (name, tsize) = (field(2, b"n"), vec![0x18, 1]);
    let link = |parts: &[&[u8]]| field(2, &parts.concat());
    let order = |field| PbError::Order { link: 0, field };
    let cases: &[(Vec<u8>, PbError)] = &[
        (vec![0x08, 1], PbError::Field(1)),
        (vec![0x10, 1], PbError::Field(2)),
        (vec![0x0d, 0, 0, 0, 0], PbError::Field(1)),
        (field(3, b""), PbError::Field(3)),
        (vec![0x00], PbError::Proto(ProtoError::Field(0))),
        (vec![0x0b], PbError::Proto(ProtoError::WireType(3))),
        (vec![0x0f], PbError::Proto(ProtoError::WireType(7))),
        (vec![0x0a], PbError::Proto(ProtoError::Truncated)),
        (vec![0x0a, 1], PbError::Proto(ProtoError::Truncated)),
        (vec![0xff; 11], PbError::Proto(ProtoError::Overflow)),
        ([&[0x0a][..], &[0xff; 9], &[2]].concat(), PbError::Proto(ProtoError::Overflow)),
        (link(&[&name, &hash]), order(1)),
        (link(&[&hash, &tsize, &name]), order(2)),
        (link(&[&hash, &hash]), order(1)),
        (link(&[&hash, &name, &name]), order(2)),
        (link(&[&hash, &tsize, &tsize]), order(3)),
        (link(&[&hash, &field(4, b"")]), PbError::Field(4)),
        (link(&[&hash, &field(3, b"")]), PbError::Field(3)),
        (link(&[&[0x08, 1]]), PbError::Field(1)),
        (link(&[&field(1, b"")]), PbError::Cid { link: 0, source: CidError::Empty }),
        (link(&[&field(1, &[0; 4])]), PbError::Cid { link: 0, source: CidError::Version(0) }),
        (
            link(&[&field(1, &[1, 0x55, 0, 0, 9])]),
            PbError::Cid { link: 0, source: CidError::Trailing(1) },
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode(&[bytes]).as_ref().err(), Some(error), "{bytes:02x?}");
    }
    assert_eq!(decode(&[&link(&[&hash]), &link(&[&hash, &name, &tsize])]), Ok(2));
}

#[test]
fn pb_02_link_without_a_hash() {
    assert_eq!(decode(&[&field(2, b"")]), Err(PbError::NoHash(0)));
    let good = field(2, &field(1, &CID));
    assert_eq!(decode(&[&good, &field(2, &field(2, b"name"))]), Err(PbError::NoHash(1)));
}

#[test]
fn pb_03_link_length_past_the_block() {
    let truncated = Err(PbError::Proto(ProtoError::Truncated));
    assert_eq!(decode(&[&[0x12, 0x7f, 1, 2, 3]]), truncated);
    assert_eq!(decode(&[&[0x12, 3, 0x0a, 0x7f, 1]]), truncated);
    let huge = [&[0x12][..], &[0xff; 9], &[1, 0]].concat();
    assert_eq!(decode(&[&huge]), truncated);
}

#[test]
fn pb_04_sizes_that_overflow() {
    let cid = Cid::from_bytes(&CID).unwrap();
    let names = ["a", "b"].map(str::as_bytes);
    let link = |name| Link { cid: cid.clone(), name: Some(name), tsize: Some(u64::MAX) };
    let links = names.map(link);
    let block = dag_pb(pb::encode(&links, Some(&Data::new(Kind::Directory).encode())));
    assert_eq!(stat(&block).unwrap().dag_size, None);
    let listed: Vec<_> = entries(&block).unwrap().map(|entry| entry.tsize).collect();
    assert_eq!(listed, [Some(u64::MAX); 2]);
}

#[test]
fn pb_05_empty_block() {
    assert_eq!(decode(&[]), Ok(0));
    assert_eq!(codec::links(&dag_pb(vec![])), Ok(vec![]));
    let error = not_unixfs(b"");
    assert!(matches!(error, NodeError::NotUnixfs { source: DataError::Missing, .. }), "{error}");
    assert!(error.to_string().contains("not unixfs"), "{error}");
}

#[test]
fn pb_06_data_that_is_not_unixfs() {
    for data in [&[1, 2, 3][..], &[], &[0x18, 5], &[0x0a, 0], &[8], &[0x08, 2, 0x12, 5, 0]] {
        let error = not_unixfs(&field(1, data));
        assert!(error.to_string().contains("not unixfs"), "{data:02x?}: {error}");
    }
}

#[test]
fn pb_07_data_twice_and_links_in_two_places() {
    let (link, data) = (field(2, &field(1, &CID)), field(1, b"x"));
    assert_eq!(decode(&[&data, &data]), Err(PbError::Twice("Data")));
    assert_eq!(decode(&[&data, &link, &data]), Err(PbError::Twice("Data")));
    assert_eq!(decode(&[&link, &data, &link]), Err(PbError::Twice("the list of links")));
    assert_eq!(decode(&[&link, &link, &data]), Ok(2));
    assert_eq!(decode(&[&data, &link, &link]), Ok(2));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "runs natively, and never in a browser")]
fn pb_08_a_hundred_thousand_links() {
    let name = field(2, b"");
    let link = field(2, &[&field(1, &CID)[..], &name].concat());
    let directory = [link.repeat(100_000), field(1, &[8, 1])].concat();
    let block = dag_pb(directory);
    let start = std::time::Instant::now();
    assert_eq!(codec::links(&block).unwrap().len(), 100_000);
    assert_eq!(entries(&block).unwrap().count(), 1); // they all have the same name
    // quadratic work would take minutes; the margin is for slow machines without optimisation
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn blocks_of_other_codecs() {
    assert_eq!(codec::links(&raw(b"\x12\x7f")), Ok(vec![]));
    let libp2p_key = avocet_dag::Block::hash(
        avocet_dag::Version::V1,
        code::LIBP2P_KEY,
        code::SHA2_256,
        Bytes::from_static(&[0xa0]),
    )
    .unwrap();
    let error = codec::links(&libp2p_key).unwrap_err();
    assert!(matches!(error, CodecError::Unsupported { codec: code::LIBP2P_KEY, .. }));
    assert_eq!(codec::decode(&libp2p_key), Err(error.clone()));
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn ufs_09_types_that_are_not_known() {
    for (kind, error) in [(9999, DataError::Type(9999)), (u64::MAX, DataError::Type(u64::MAX))] {
        let mut data = vec![8];
        varint::write(kind, &mut data);
        assert_eq!(Data::decode(&data), Err(error));
        not_unixfs(&field(1, &data));
    }
    let metadata = dag_pb(field(1, &Data::new(Kind::Metadata).encode()));
    assert_eq!(stat(&metadata).unwrap().kind, unixfs::Type::Metadata);
    assert_eq!(entries(&metadata).err().unwrap().kind(), ErrorKind::NotADirectory);
}

#[test]
fn ufs_10_symlink_with_links() {
    let mut data = Data::new(Kind::Symlink);
    data.data = Some(b"target");
    let link = field(2, &field(1, &CID));
    let error = not_unixfs(&[link, field(1, &data.encode())].concat());
    assert!(matches!(error, NodeError::NotUnixfs { source: DataError::LinkedSymlink, .. }));
}

#[test]
fn ufs_12_symlink_targets_are_only_reported() {
    for target in ["../../../etc/passwd", "/ipns/x", "javascript:alert(1)", "a\0b"] {
        let mut data = Data::new(Kind::Symlink);
        data.data = Some(target.as_bytes());
        let block = dag_pb(field(1, &data.encode()));
        let stat = stat(&block).unwrap();
        assert_eq!((stat.kind, stat.target), (unixfs::Type::Symlink, Some(target.into())));
        assert_eq!(entries(&block).err().unwrap().kind(), ErrorKind::NotADirectory);
        let step = avocet_dag::resolve::step(&block, "x").unwrap_err();
        assert_eq!(step.kind(), ErrorKind::NotADirectory);
    }
}

/// A directory message with the mtime message `mtime`.
fn with_mtime(mtime: &[u8]) -> Result<Option<Mtime>, DataError> {
    let bytes = [&[8, 1][..], &field(8, mtime)].concat();
    Data::decode(&bytes).map(|data| data.mtime)
}

#[test]
fn ufs_13_nanoseconds_out_of_range() {
    let nanos = |nanos: u32| [&[8, 5, 0x15][..], &nanos.to_le_bytes()].concat();
    for bad in [0, 1_000_000_000, u32::MAX] {
        assert_eq!(with_mtime(&nanos(bad)), Ok(None), "{bad}");
    }
    let good = Mtime { secs: 5, nanos: 999_999_999 };
    assert_eq!(with_mtime(&nanos(999_999_999)), Ok(Some(good)));
    assert_eq!(with_mtime(&[]), Ok(None));
    assert!(with_mtime(&[8]).is_err());
}

#[test]
fn ufs_14_extreme_seconds() {
    for secs in [i64::MIN, -1, 0, i64::MAX] {
        let mut data = Data::new(Kind::Directory);
        data.mtime = Some(Mtime { secs, nanos: 7 });
        let bytes = data.encode();
        assert_eq!(Data::decode(&bytes).unwrap().mtime, data.mtime);
    }
}

#[test]
fn ufs_15_reserved_mode_bits_are_kept() {
    let mut data = Data::new(Kind::File);
    data.mode = Some(u32::MAX);
    data.filesize = Some(0);
    let bytes = data.encode();
    assert_eq!(Data::decode(&bytes).unwrap(), data);
    assert_eq!(stat(&dag_pb(field(1, &bytes))).unwrap().mode, Some(u32::MAX));
}

#[test]
fn block_sizes_beyond_what_any_block_could_link() {
    let sizes = vec![1; unixfs::MAX_BLOCKSIZES + 1];
    let packed = [&[8, 2][..], &field(4, &sizes)].concat();
    assert_eq!(Data::decode(&packed), Err(DataError::TooManySizes));
    let fewer = [&[8, 2][..], &field(4, &sizes[1..])].concat();
    assert_eq!(
        Data::decode(&fewer).unwrap().blocksizes,
        sizes[1..].iter().map(|_| 1).collect::<Vec<_>>()
    );
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn nodes_round_trip(
        links in prop::collection::vec(
            (any::<[u8; 32]>(), any::<Option<Vec<u8>>>(), any::<Option<u64>>()), 0..20),
        data in any::<Option<Vec<u8>>>(),
    ) {
        let mut links: Vec<_> = links.iter().map(|(digest, name, tsize)| Link {
            cid: Cid::new_v1(code::RAW, avocet_dag::Multihash::from_sha256(*digest)),
            name: name.as_deref(),
            tsize: *tsize,
        }).collect();
        let bytes = pb::encode(&links, data.as_deref());
        prop_assert_eq!(bytes.len(), pb::encoded_len(&links, data.as_deref()));
        let node = Node::decode(&bytes).unwrap();
        links.sort_by_key(|link| link.name.unwrap_or_default());
        prop_assert_eq!(node.links().collect::<Vec<_>>(), links);
        prop_assert_eq!(node.data(), data.as_deref());
    }

    #[test]
    fn messages_round_trip(
        data in any::<Option<Vec<u8>>>(),
        filesize in any::<Option<u64>>(),
        blocksizes in any::<Vec<u64>>(),
        mode in any::<Option<u32>>(),
        mtime in any::<Option<(i64, u32)>>(),
    ) {
        let mut message = Data::new(Kind::HamtShard);
        message.data = data.as_deref();
        (message.filesize, message.blocksizes, message.mode) = (filesize, blocksizes, mode);
        (message.fanout, message.hash_type) = (Some(256), Some(0x22));
        message.mtime = mtime.map(|(secs, nanos)| Mtime { secs, nanos: nanos % 1_000_000_000 });
        let bytes = message.encode();
        let back = Data::decode(&bytes).unwrap();
        prop_assert_eq!(&bytes[back.data_range()], data.as_deref().unwrap_or_default());
        prop_assert_eq!(back.encode(), bytes.clone());
        prop_assert_eq!((back.filesize, &back.blocksizes), (message.filesize, &message.blocksizes));
        prop_assert_eq!((back.mode, back.mtime), (message.mode, message.mtime));
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in any::<Vec<u8>>()) {
        let _ = Data::decode(&bytes);
        let block = dag_pb(bytes.clone());
        let _ = (codec::links(&block), stat(&block));
        if let Ok(node) = Node::decode(&bytes) {
            prop_assert_eq!(node.links().count(), node.len());
        }
    }

    /// Bytes that are nearly right find more than random ones do.
    #[test]
    fn no_changed_byte_makes_a_parser_panic(at in 0..200usize, value in any::<u8>()) {
        let mut data = Data::new(Kind::File);
        (data.data, data.filesize, data.blocksizes) = (Some(&b"abc"[..]), Some(8), vec![2, 3]);
        data.mtime = Some(Mtime { secs: 1, nanos: 2 });
        let cid = raw(b"x").cid().clone();
        let link = |name| Link { cid: cid.clone(), name: Some(name), tsize: Some(300) };
        let mut bytes = pb::encode(&[link(b""), link(b"")], Some(&data.encode()));
        let at = at % bytes.len();
        bytes[at] = value;
        let block = dag_pb(bytes);
        if let Ok(links) = codec::links(&block) {
            prop_assert!(links.len() <= 2);
        }
        let mut reader = Reader::<Bytes>::new(block.cid().clone(), .., Window::default());
        let _ = (stat(&block), reader.give(&block), reader.read());
    }
}
