//! What archives and blocks that are made to take much of it take of the memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "common/allocator.rs"]
mod allocator;

use allocator::{alone, measure};
use avocet_dag::{
    Block, Cid, MAX_BLOCK, Multihash, Version,
    car::{self, CarError, Export, ExportOptions, MAX_HEADER, Options, Reader},
    code, varint,
};
use bytes::Bytes;

/// What any parser may take beside its input.
const MOST: usize = 32 * 1024 * 1024;

/// Reads what `piece` gives until it gives nothing.
fn read(options: Options, mut piece: impl FnMut() -> Option<Bytes>) -> (u64, Result<(), CarError>) {
    let mut reader = Reader::<Bytes>::new(options);
    let mut count = 0;
    while let Some(bytes) = piece() {
        reader.push(bytes);
        loop {
            match reader.next_section() {
                Ok(Some(_)) => count += 1,
                Ok(None) => break,
                Err(error) => return (count, Err(error)),
            }
        }
    }
    (count, reader.finish())
}

#[test]
fn car_01_the_densest_header_takes_little() {
    let _alone = alone();
    let empty = Cid::new_v1(code::RAW, Multihash::new(code::IDENTITY, &[]).unwrap());
    let header = Bytes::from(car::header(&vec![empty; MAX_HEADER / 8 - 3]));
    assert!(header.len() > MAX_HEADER - 100 && header.len() <= MAX_HEADER + 3);
    let mut once = Some(header);
    let ((count, end), took) = measure(|| read(Options::default(), || once.take()));
    assert_eq!((count, end), (0, Ok(())));
    assert!(took < MOST, "{took}");
}

#[test]
fn car_02_a_length_reserves_nothing() {
    let _alone = alone();
    let mut archive = car::header(&[]);
    varint::write(MAX_BLOCK as u64, &mut archive);
    archive.extend([1, 0x55, 0x12, 0x20]);
    archive.extend([0; 32]);
    let mut once = Some(Bytes::from(archive));
    let ((_, end), took) = measure(|| read(Options::default(), || once.take()));
    assert!(matches!(end, Err(CarError::Truncated { .. })));
    assert!(took < 100_000, "{took}");
}

#[test]
fn car_22_a_million_blocks_take_no_more_than_one() {
    let _alone = alone();
    let block = Block::hash(Version::V1, code::RAW, code::SHA2_256, vec![9; 32].into()).unwrap();
    let mut section = car::section_head(block.cid(), 32);
    section.extend(&block.bytes()[..]);
    let piece: Bytes = section.repeat(1000).into();
    let mut left = 1001;
    let next = || {
        left -= 1;
        match left {
            1000 => Some(car::header(&[]).into()),
            0.. => Some(piece.clone()),
            _ => None,
        }
    };
    let ((count, end), took) = measure(|| read(Options::default(), next));
    assert_eq!((count, end), (1_000_000, Ok(())));
    assert!(took < 100_000, "{took}");
}

#[test]
fn the_densest_block_is_exported_within_the_bound() {
    let _alone = alone();
    // nothing but links without a name to an empty dag-pb node that stands in its CID
    let link = [0x12, 0x06, 0x0a, 0x04, 0x01, 0x70, 0, 0];
    let bytes = Bytes::from(link.repeat(MAX_BLOCK / link.len()));
    let block = Block::hash(Version::V1, code::DAG_PB, code::SHA2_256, bytes).unwrap();
    let mut export = Export::new(block.cid().clone(), Vec::new(), ExportOptions::default());
    assert_eq!(export.wants(), std::slice::from_ref(block.cid()));
    let (read, took) = measure(|| {
        export.give(&block).unwrap();
        let mut read = 0;
        while let Some(bytes) = export.read().unwrap() {
            read += bytes.len();
        }
        read
    });
    assert!(export.is_done() && read > MAX_BLOCK);
    assert!(took < MOST, "{took}");
}
