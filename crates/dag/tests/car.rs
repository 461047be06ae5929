//! Archives: what is read, whatever the split, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::HashSet;

use avocet_dag::{
    Block, BlockError, Cid, CidError, Classify, ErrorKind, MAX_BLOCK, Multihash, Version,
    car::{self, CarError, HeaderError, MAX_HEADER, MAX_SECTION, Options, Part, Reader, Section},
    code,
    varint::{self, VarintError},
    walk::{MAX_VISITED, Walk},
};
use bytes::Bytes;
use common::{Store, raw};
use proptest::prelude::*;

/// What came of an archive: its roots and version, its blocks, and how it ended.
#[derive(Debug, PartialEq)]
struct Outcome {
    header: Option<(u64, Vec<Cid>)>,
    blocks: Vec<Block>,
    end: Result<(), CarError>,
}

fn read_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, options: Options) -> Outcome {
    let mut reader = Reader::new(options);
    let mut blocks = Vec::new();
    let mut end = Ok(());
    'pieces: for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece));
        loop {
            match reader.next_block() {
                Ok(Some(block)) => blocks.push(block),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(reader.next_block(), Err(error.clone()));
                    end = Err(error);
                    break 'pieces;
                }
            }
        }
    }
    let finished = reader.finish();
    let end = end.and(finished.clone());
    assert_eq!(end, finished);
    let header = reader.header().map(|header| (header.version, header.roots.clone()));
    Outcome { header, blocks, end }
}

fn read(bytes: &[u8]) -> Outcome {
    read_pieces([bytes], Options::default())
}

fn fault(bytes: &[u8]) -> CarError {
    read(bytes).end.unwrap_err()
}

/// An archive of version 1.
fn v1(roots: &[Cid], blocks: &[Block]) -> Vec<u8> {
    let mut out = car::header(roots);
    blocks.iter().for_each(|block| put(block.cid(), block.bytes(), &mut out));
    out
}

fn put(cid: &Cid, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(car::section_head(cid, bytes.len()));
    out.extend_from_slice(bytes);
}

/// An archive of version 2 around `data`, with `gap` bytes before it and an index after it.
fn v2(data: &[u8], gap: usize) -> Vec<u8> {
    let mut out = v2_head(51 + gap as u64, data.len() as u64);
    out.extend(vec![0; gap]);
    out.extend_from_slice(data);
    out.extend(b"an index that nobody looks at");
    out
}

fn v2_head(offset: u64, size: u64) -> Vec<u8> {
    let mut out = vec![0x0a, 0xa1, 0x67];
    out.extend(b"version\x02");
    out.extend([0; 16]);
    [offset, size, offset.wrapping_add(size)]
        .iter()
        .for_each(|number| out.extend(number.to_le_bytes()));
    out
}

/// A header of these bytes, with its length before it.
fn with_len(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint::write(body.len() as u64, &mut out);
    out.extend_from_slice(body);
    out
}

fn header_fault(body: &[u8]) -> HeaderError {
    match fault(&with_len(body)) {
        CarError::Header { at: 0, source } => source,
        other => panic!("{other}"),
    }
}

/// Some blocks of all sorts of CIDs.
fn sample() -> Vec<Block> {
    let block = |version, codec, hash, bytes: &[u8]| {
        Block::hash(version, codec, hash, Bytes::copy_from_slice(bytes)).unwrap()
    };
    vec![
        raw(b"hello"),
        block(Version::V0, code::DAG_PB, code::SHA2_256, b""),
        raw(b""),
        block(Version::V1, code::RAW, code::IDENTITY, b"in itself"),
        block(Version::V1, 0x71, code::SHA2_256, b"\xa0"),
        raw(&[7; 300]),
        raw(b"hello"),
    ]
}

#[test]
fn both_versions_are_read() {
    let blocks = sample();
    let roots = vec![blocks[0].cid().clone(), blocks[1].cid().clone(), blocks[3].cid().clone()];
    let data = v1(&roots, &blocks);
    let whole = |version| Outcome {
        header: Some((version, roots.clone())),
        blocks: blocks.clone(),
        end: Ok(()),
    };
    assert_eq!(read(&data), whole(1));
    assert_eq!(read(&v2(&data, 0)), whole(2));
    assert_eq!(read(&v2(&data, 1000)), whole(2));
    let mut reader = Reader::<Bytes>::new(Options::default());
    reader.push(v2(&data, 9).into());
    reader.next_section().unwrap();
    assert_eq!(reader.header().unwrap().data, Some(60..60 + data.len() as u64));
}

#[test]
fn a_header_of_many_and_of_no_roots() {
    assert_eq!(read(&v1(&[], &[])).header, Some((1, vec![])));
    // known bytes: the whole form as the specification's example of it has it
    assert_eq!(car::header(&[]), b"\x11\xa2eroots\x80gversion\x01");
    let roots: Vec<Cid> = (0..300u32).map(|n| raw(&n.to_be_bytes()).cid().clone()).collect();
    assert_eq!(read(&v1(&roots, &[])).header, Some((1, roots.clone())));
    let other_order = [&b"\xa2gversion\x01eroots\x80"[..]].concat();
    assert_eq!(read(&with_len(&other_order)).header, Some((1, vec![])));
}

#[test]
fn a_section_is_no_block_before_it_is_verified() {
    let block = raw(b"hello");
    let mut bytes = v1(&[], std::slice::from_ref(&block));
    *bytes.last_mut().unwrap() ^= 1;
    let mut reader = Reader::<Bytes>::new(Options::default());
    reader.push(bytes.into());
    let section: Section<Bytes> = reader.next_section().unwrap().unwrap();
    assert_eq!((section.cid(), section.at()), (block.cid(), 18));
    assert!(matches!(section.clone().verify(), Err(CarError::Block { at: 18, .. })));
    assert_eq!(section.into_parts(), (block.cid().clone(), Bytes::from_static(b"helln")));
    assert_eq!(reader.finish(), Ok(()), "the archive itself is whole");
}

#[test]
fn a_known_length_says_what_is_missing_before_it_is() {
    let blocks = sample();
    let whole = v1(&[], &blocks);
    for (archive, data) in [(whole.clone(), None), (v2(&whole, 0), Some(51))] {
        for len in 0..archive.len() as u64 {
            let options = Options { len: Some(len), ..Options::default() };
            let outcome = read_pieces([&archive[..len as usize]], options);
            let without = read(&archive[..len as usize]);
            assert_eq!(outcome.end.is_ok(), without.end.is_ok(), "{len}");
            if data.is_none() {
                assert_eq!(outcome.blocks, without.blocks, "{len}");
            }
        }
    }
    let options = Options { len: Some(whole.len() as u64), ..Options::default() };
    assert_eq!(read_pieces([&whole[..]], options).blocks, blocks);
    let mut reader = Reader::<Bytes>::new(Options { len: Some(30), ..Options::default() });
    reader.push(Bytes::copy_from_slice(&whole[..20]));
    let error = reader.next_block().unwrap_err();
    assert_eq!(error, CarError::Truncated { part: Part::Section, at: 18, need: 42, end: 30 });
    assert_eq!(
        error.to_string(),
        "the archive is incomplete: it ends at byte 30, the section at byte 18 takes 42 bytes"
    );
}

fn any_block() -> impl Strategy<Value = Block> {
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    (bytes, 0..3usize).prop_map(|(bytes, sort)| {
        let (version, codec, hash) = [
            (Version::V0, code::DAG_PB, code::SHA2_256),
            (Version::V1, code::RAW, code::SHA2_256),
            (Version::V1, code::RAW, code::IDENTITY),
        ][sort];
        let len = if hash == code::IDENTITY { bytes.len().min(128) } else { bytes.len() };
        Block::hash(version, codec, hash, Bytes::copy_from_slice(&bytes[..len])).unwrap()
    })
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn what_is_written_is_read(blocks in prop::collection::vec(any_block(), 0..20), roots in 0..20usize) {
        let roots: Vec<Cid> = blocks.iter().take(roots).map(|block| block.cid().clone()).collect();
        let outcome = read(&v1(&roots, &blocks));
        prop_assert_eq!(outcome, Outcome { header: Some((1, roots)), blocks, end: Ok(()) });
    }

    #[test]
    fn any_split_gives_the_same(
        blocks in prop::collection::vec(any_block(), 0..8),
        v2_gap in prop::option::of(0..80usize),
        flip in prop::option::of((any::<prop::sample::Index>(), 0..8u8)),
        size in 1..50usize,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut archive = v1(&[], &blocks);
        if let Some(gap) = v2_gap {
            archive = v2(&archive, gap);
        }
        if let Some((at, bit)) = flip {
            let at = at.index(archive.len());
            archive[at] ^= 1 << bit;
        }
        let archive = &archive[..=cut.index(archive.len())];
        let whole = read(archive);
        let split = read_pieces(archive.chunks(size), Options::default());
        prop_assert_eq!(&whole, &split);
        prop_assert!(whole.blocks.len() <= archive.len());
    }

    #[test]
    fn car_08_any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let mut archive = car::header(&[]);
        archive.extend(&bytes);
        let _ = read(&archive);
        let mut header = with_len(&bytes);
        header.extend(&bytes);
        let _ = read(&header);
    }
}

#[test]
fn car_01_a_header_of_216_gb() {
    let mut bytes = vec![0xe0, 0xe0, 0xe0, 0xe0, 0xa7, 0x06];
    bytes.extend([0x6f; 32]);
    let error = fault(&bytes);
    assert!(
        matches!(error, CarError::TooLarge { part: Part::Header, at: 0, len, most: MAX_HEADER } if len > 200_000_000_000),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Limit);
    // at the bound the bytes are waited for, one above it is refused
    let mut bound = Vec::new();
    varint::write(MAX_HEADER as u64, &mut bound);
    assert!(matches!(fault(&bound), CarError::Truncated { part: Part::Header, .. }));
    bound.clear();
    varint::write(MAX_HEADER as u64 + 1, &mut bound);
    assert!(matches!(fault(&bound), CarError::TooLarge { .. }));
}

#[test]
fn car_02_a_section_longer_than_the_rest() {
    let block = raw(b"hello");
    let mut archive = v1(&[], std::slice::from_ref(&block));
    let at = archive.len() as u64;
    let mut huge = archive.clone();
    huge.extend([0xe0, 0xe0, 0xe0, 0xe0, 0xa7, 0x06, 0x01, 0x55, 0x12, 0x20]);
    let outcome = read(&huge);
    assert_eq!(outcome.blocks, std::slice::from_ref(&block), "what came before stays valid");
    assert!(matches!(
        outcome.end,
        Err(CarError::TooLarge { part: Part::Section, at: found, most: MAX_SECTION, .. }) if found == at
    ));
    archive.extend(car::section_head(block.cid(), 1000));
    let end = archive.len() as u64;
    let outcome = read(&archive);
    assert_eq!(outcome.blocks, [block]);
    let need = 1038;
    assert_eq!(outcome.end, Err(CarError::Truncated { part: Part::Section, at, need, end }));
}

#[test]
fn car_03_a_truncated_pragma() {
    let bytes = b"\x12\xa2eroots\xf6gversi";
    let end = bytes.len() as u64;
    assert_eq!(fault(bytes), CarError::Truncated { part: Part::Header, at: 0, need: 19, end });
    assert_eq!(fault(b""), CarError::Truncated { part: Part::Header, at: 0, need: 1, end: 0 });
    let v2 = v2(&car::header(&[]), 0);
    for len in 0..11 {
        assert!(matches!(fault(&v2[..len]), CarError::Truncated { part: Part::Header, .. }));
    }
    for len in 11..51 {
        let error = fault(&v2[..len]);
        assert!(matches!(error, CarError::Truncated { part: Part::Prelude, at: 11, .. }));
    }
}

#[test]
fn car_04_version_42_without_roots() {
    let error = fault(b"\x0b\xa1gversion\x18\x2a");
    assert_eq!(error.to_string(), "invalid CAR version: 42 (expected 1 or 2)");
}

#[test]
fn car_05_a_corrupt_last_section() {
    let blocks: Vec<Block> = (0..1048u32).map(|n| raw(&n.to_be_bytes())).collect();
    let mut archive = v1(&[], &blocks);
    let at = archive.len() as u64;
    let mut cut = archive.clone();
    // the length says more than the bytes that are left, which are no section either
    cut.extend([0xdb, 0x06, 0x02, 0x20, 0x18, 0xfe]);
    let outcome = read(&cut);
    assert_eq!(outcome.blocks, blocks);
    assert!(matches!(outcome.end, Err(CarError::Cid { at: found, .. }) if found == at));
    put(raw(b"the last").cid(), b"the lost", &mut archive);
    let outcome = read(&archive);
    assert_eq!(outcome.blocks, blocks);
    assert!(matches!(outcome.end, Err(CarError::Block { at: found, .. }) if found == at));
}

#[test]
fn car_06_data_beyond_the_file() {
    let data = v1(&[], &sample());
    let mut archive = v2_head(51, data.len() as u64 + 100);
    archive.extend(&data);
    let (end, need) = (archive.len() as u64, data.len() as u64 + 100);
    let truncated = CarError::Truncated { part: Part::Data, at: 51, need, end };
    assert_eq!(fault(&archive), truncated);
    let known = read_pieces([&archive[..]], Options { len: Some(end), ..Options::default() });
    assert_eq!(known.end, Err(CarError::Data { offset: 51, size: need }));
    assert_eq!(known.blocks, []);
    // a place that does not exist, one inside the header, one that wraps around
    let size = data.len() as u64;
    let mut far = v2_head(1 << 40, size);
    far.extend(&data);
    assert!(matches!(fault(&far), CarError::Truncated { part: Part::Data, .. }));
    for (offset, size) in [(0, 0), (50, size), (u64::MAX, size), (u64::MAX - 10, u64::MAX)] {
        let mut archive = v2_head(offset, size);
        archive.extend(&data);
        assert_eq!(fault(&archive), CarError::Data { offset, size });
    }
    // data that ends inside its header, inside a section's length, its CID and its block
    for size in [0, 1, 17, 19, 30, 50] {
        let mut archive = v2_head(51, size);
        archive.extend(&data);
        let error = fault(&archive);
        assert!(matches!(error, CarError::PastEnd { end, .. } if end == 51 + size), "{error}");
    }
}

#[test]
fn car_07_a_section_of_length_zero() {
    let blocks = [raw(b"a"), raw(b"b")];
    let mut archive = v1(&[], &blocks[..1]);
    let at = archive.len() as u64;
    archive.push(0);
    put(blocks[1].cid(), b"b", &mut archive);
    let outcome = read(&archive);
    assert_eq!((outcome.blocks, outcome.end), (blocks[..1].to_vec(), Err(CarError::Empty { at })));
    let padded = Options { null_padding: true, ..Options::default() };
    let outcome = read_pieces(archive.chunks(7), padded);
    assert_eq!((outcome.blocks, outcome.end), (blocks[..1].to_vec(), Ok(())));
}

#[test]
fn car_08_inputs_that_crashed_others() {
    // a root with a tag that is not 42; a length of ten bytes; version 2 that goes on; and
    // version 2 with a huge length inside
    let tag = b"\xa2eroots\x81\xd80X%\x00\x01000 0000000000000000000000000000000000gversion\x01";
    assert!(matches!(header_fault(tag), HeaderError::Expected("a CID")));
    assert!(matches!(fault(&[0xff, 0x80, 0xaa, 0x95, 0xa6, 0x73]), CarError::TooLarge { .. }));
    let mut goes_on = b"\xa1gversion\x02".to_vec();
    goes_on.extend([0x30; 38]);
    assert_eq!(header_fault(&goes_on), HeaderError::Trailing(38));
}

#[test]
fn car_09_version_3() {
    let error = fault(&with_len(b"\xa1gversion\x03"));
    assert_eq!(error.to_string(), "invalid CAR version: 3 (expected 1 or 2)");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(matches!(
        fault(&with_len(b"\xa2eroots\x80gversion\x03")),
        CarError::Version { found: 3, .. }
    ));
}

#[test]
fn car_10_no_roots() {
    assert_eq!(header_fault(b"\xa1gversion\x01"), HeaderError::NoRoots);
    assert_eq!(
        header_fault(b"\xa2eroots\xf6gversion\x01"),
        HeaderError::Expected("a list of roots")
    );
    assert_eq!(header_fault(b"\xa1eroots\x80"), HeaderError::NoVersion);
}

#[test]
fn car_11_a_version_of_text() {
    let error = header_fault(b"\xa2eroots\x80gversiona1");
    assert_eq!(error, HeaderError::Expected("a version number"));
}

#[test]
fn car_12_roots_in_a_map() {
    assert_eq!(
        header_fault(b"\xa2eroots\xa0gversion\x01"),
        HeaderError::Expected("a list of roots")
    );
}

#[test]
fn car_13_a_key_too_many() {
    assert_eq!(header_fault(b"\xa3dblip\xf5eroots\x80gversion\x01"), HeaderError::Key);
    assert_eq!(header_fault(b"\xa3eroots\x80eroots\x80gversion\x01"), HeaderError::Key, "twice");
    assert_eq!(header_fault(b"\xa2eroots\x80gversion\x02"), HeaderError::Key, "roots in a pragma");
}

#[test]
fn car_14_no_map() {
    for body in [&b"\x82\x01\x80"[..], b"\xf6", b"\x01", b"\x60", b"\xbf\xff"] {
        assert_eq!(header_fault(body), HeaderError::Expected("a map"));
    }
    assert_eq!(header_fault(b""), HeaderError::Truncated);
    assert_eq!(header_fault(b"\xa2eroots\x80gversion"), HeaderError::Truncated);
    assert_eq!(header_fault(b"\xa2eroots\x80gversion\x01\x00"), HeaderError::Trailing(1));
    // not the shortest form, and lengths that are not said at once
    assert!(matches!(header_fault(b"\xa2eroots\x80gversion\x18\x01"), HeaderError::Expected(_)));
    assert!(matches!(header_fault(b"\xa2eroots\x9f\xffgversion\x01"), HeaderError::Expected(_)));
    assert!(matches!(
        header_fault(b"\xa2eroots\x9b\xff\xff\xff\xff\xff\xff\xff\xffgversion\x01"),
        HeaderError::Expected("a CID")
    ));
    // a root without the byte before it, one that is no CID
    let error = header_fault(b"\xa2eroots\x81\xd8*D\x01U\x00\x00gversion\x01");
    assert_eq!(error, HeaderError::Expected("a CID"));
    let error = header_fault(b"\xa2eroots\x81\xd8*E\x00\x02U\x00\x00gversion\x01");
    assert_eq!(error, HeaderError::Root { index: 0, source: CidError::Version(2) });
}

#[test]
fn car_15_version_2_in_version_2() {
    let inner = v2(&v1(&[], &[]), 0);
    let error = fault(&v2(&inner, 0));
    assert_eq!(error.to_string(), "invalid CAR version: 2 (expected 1)");
}

#[test]
fn car_16_a_cid_of_version_0_in_the_form_of_1() {
    let block = raw(b"hello");
    let mut archive = v1(&[], &[block]);
    archive[19] = 0;
    let error = fault(&archive);
    assert_eq!(error, CarError::Cid { at: 18, source: CidError::Version(0) });
    assert!(error.to_string().contains("unexpected CID version (0)"), "{error}");
}

#[test]
fn car_17_one_bit_flipped() {
    let blocks = [raw(b"hello"), raw(b"world")];
    let archive = v1(&[], &blocks);
    for bit in 0..40 {
        let mut bytes = archive.clone();
        let from_end = 1 + bit / 8;
        let at = bytes.len() - from_end;
        bytes[at] ^= 1 << (bit % 8);
        let outcome = read(&bytes);
        assert_eq!(outcome.blocks, blocks[..1]);
        let source = BlockError::Mismatch(blocks[1].cid().clone());
        assert_eq!(outcome.end, Err(CarError::Block { at: 60, source }));
    }
}

#[test]
fn car_18_cut_at_every_byte() {
    let blocks = sample();
    let whole = v1(&[blocks[0].cid().clone()], &blocks);
    let mut ends = vec![v1(&[blocks[0].cid().clone()], &[]).len()];
    for block in &blocks {
        let head = car::section_head(block.cid(), block.len()).len();
        ends.push(ends.last().unwrap() + head + block.len());
    }
    for len in 0..=whole.len() {
        let outcome = read(&whole[..len]);
        let complete = ends.iter().filter(|end| **end <= len).count();
        assert_eq!(outcome.blocks, blocks[..complete.saturating_sub(1)], "{len}");
        match outcome.end {
            Ok(()) => assert!(ends.contains(&len), "{len}"),
            Err(CarError::Truncated { part, at, need, end }) => {
                assert!(!ends.contains(&len), "{len}");
                assert_eq!(end, len as u64);
                let start = ends[..complete].last().map_or(0, |end| *end as u64);
                assert_eq!((at, at + need > end), (start, true), "{len}");
                let section = complete > 0;
                assert_eq!(part, if section { Part::Section } else { Part::Header });
            }
            Err(other) => panic!("{len}: {other}"),
        }
    }
    let wrapped = v2(&whole, 5);
    let data_end = 56 + whole.len();
    for len in 0..=wrapped.len() {
        let outcome = read(&wrapped[..len]);
        assert_eq!(outcome.end.is_ok(), len >= data_end, "{len}");
        assert!(matches!(outcome.end, Ok(()) | Err(CarError::Truncated { .. })), "{len}");
    }
}

#[test]
fn car_19_an_identity_cid_of_a_mebibyte() {
    let mut section = vec![1, 0x55, 0];
    varint::write(1 << 20, &mut section);
    section.extend(vec![1; 1 << 20]);
    let mut archive = car::header(&[]);
    archive.extend(with_len(&section));
    let source = CidError::DigestLength { code: code::IDENTITY, len: 1 << 20 };
    assert_eq!(fault(&archive), CarError::Cid { at: 18, source });
    // 128 bytes are accepted if they are the content, and 129 are not
    let cid = Cid::new_v1(code::RAW, Multihash::new(code::IDENTITY, &[7; 128]).unwrap());
    let mut archive = car::header(&[]);
    put(&cid, &[7; 128], &mut archive);
    assert_eq!(read(&archive).blocks.len(), 1);
    let mut other = car::header(&[]);
    put(&cid, &[8; 128], &mut other);
    assert!(matches!(fault(&other), CarError::Block { .. }));
    let mut long = car::header(&[]);
    let mut section = vec![1, 0x55, 0, 0x81, 0x01];
    section.extend([7; 258]);
    long.extend(with_len(&section));
    assert!(matches!(fault(&long), CarError::Cid { .. }));
}

#[test]
fn car_20_lengths_of_ten_bytes() {
    let ten = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let source = VarintError::TooLong;
    assert_eq!(fault(&ten), CarError::Length { part: Part::Header, at: 0, source });
    let mut archive = car::header(&[]);
    archive.extend(ten);
    assert_eq!(fault(&archive), CarError::Length { part: Part::Section, at: 18, source });
    let nine = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    assert!(matches!(fault(&nine), CarError::TooLarge { .. }));
}

#[test]
fn car_21_lengths_that_are_not_minimal() {
    let mut bytes = vec![0x8a, 0x00, 0xa1];
    bytes.extend(b"gversion\x02");
    let source = VarintError::NotMinimal;
    assert_eq!(fault(&bytes), CarError::Length { part: Part::Header, at: 0, source });
    let mut archive = car::header(&[]);
    archive.extend([0xa9, 0x00]);
    archive.extend(raw(b"hello").cid().to_bytes());
    assert_eq!(fault(&archive), CarError::Length { part: Part::Section, at: 18, source });
}

#[test]
fn car_22_a_million_times_the_same_block() {
    let block = raw(&[9; 32]);
    let mut section = car::section_head(block.cid(), 32);
    section.extend(&block.bytes()[..]);
    let piece: Bytes = section.repeat(1000).into();
    let mut reader = Reader::<Bytes>::new(Options::default());
    reader.push(car::header(&[]).into());
    let mut count = 0;
    for _ in 0..1000 {
        reader.push(piece.clone());
        while let Some(section) = reader.next_section().unwrap() {
            assert_eq!(section.cid(), block.cid());
            count += 1;
        }
    }
    assert_eq!((count, reader.finish()), (1_000_000, Ok(())));
}

#[test]
fn car_23_blocks_that_nobody_asked_for() {
    let mut store = Store::default();
    let parts: Vec<(Cid, u64)> = (0..20u8).map(|n| (store.put_raw(&[n; 10]), 10)).collect();
    let root = store.put_file(&parts);
    let wanted: Vec<Block> = store.0.values().cloned().collect();
    let unasked = (0..1000u32).map(|n| raw(&n.to_be_bytes()));
    let mut blocks: Vec<Block> = unasked.collect();
    blocks.splice(500..500, wanted);
    let archive = v1(std::slice::from_ref(&root), &blocks);
    // whoever follows a graph says of each block whether it belongs there, and keeps no other
    let mut walk = Walk::new([root], MAX_VISITED).unwrap();
    let mut asked = HashSet::new();
    for block in read(&archive).blocks.iter().cycle().take(3 * blocks.len()) {
        asked.extend(std::iter::from_fn(|| walk.next_want()).map(|want| want.cid().clone()));
        let is_node = block.cid().codec() == code::DAG_PB && asked.contains(block.cid());
        assert!(!walk.give(block).unwrap() || is_node);
    }
    assert!(walk.is_done());
    assert_eq!(asked, store.0.into_keys().collect::<HashSet<_>>());
}

#[test]
fn car_24_a_block_above_two_mebibytes() {
    let with = |len: usize| {
        let bytes = vec![0; len];
        let hash = Multihash::hash(code::SHA2_256, &bytes).unwrap();
        let mut archive = car::header(&[]);
        put(&Cid::new_v1(code::RAW, hash), &bytes, &mut archive);
        archive
    };
    assert_eq!(read(&with(MAX_BLOCK)).blocks.len(), 1);
    let error = fault(&with(MAX_BLOCK + 1));
    assert_eq!(error, CarError::Block { at: 18, source: BlockError::TooLarge(MAX_BLOCK + 1) });
    assert!(error.to_string().contains("over 2 MiB"), "{error}");
}
