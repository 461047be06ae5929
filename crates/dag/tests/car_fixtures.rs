//! Archives of other implementations. They are no part of the project: the folder that holds them
//! is named by `AVOCET_FIXTURES`, or lies beside the project as `shared/fixtures`. Where it is
//! missing, these tests say what they left out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::{collections::HashSet, env, fs, path::PathBuf};

use avocet_dag::{
    Block, Cid,
    car::{CarError, Export, ExportOptions, Options, Part, Reader},
    unixfs::{self, ReadError},
};
use bytes::Bytes;
use common::Store;

/// Pieces as a browser's stream may give them.
const PIECE: usize = 64 * 1024;

/// The file, or `None` after it was said what is not tested without it.
fn fixture(name: &str) -> Option<Vec<u8>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let folder = env::var_os("AVOCET_FIXTURES").map_or_else(beside, PathBuf::from);
    let bytes = fs::read(folder.join("go-car").join(name)).ok();
    if bytes.is_none() {
        eprintln!("left out: {name} is not there; set AVOCET_FIXTURES to the folder that has it");
    }
    bytes
}

/// The version, roots and blocks of an archive, and how it ended.
#[allow(clippy::type_complexity, reason = "a helper of tests")]
fn read(
    bytes: &[u8],
    options: Options,
) -> (Option<(u64, Vec<Cid>)>, Vec<Block>, Result<(), CarError>) {
    let mut reader = Reader::new(options);
    let mut blocks = Vec::new();
    let mut end = Ok(());
    'pieces: for piece in bytes.chunks(PIECE) {
        reader.push(Bytes::copy_from_slice(piece));
        loop {
            match reader.next_block() {
                Ok(Some(block)) => blocks.push(block),
                Ok(None) => break,
                Err(error) => {
                    end = Err(error);
                    break 'pieces;
                }
            }
        }
    }
    let header = reader.header().map(|header| (header.version, header.roots.clone()));
    (header, blocks, end.and_then(|()| reader.finish()))
}

fn fault(name: &str) -> Option<(usize, CarError)> {
    let bytes = fixture(name)?;
    let (_, blocks, end) = read(&bytes, Options::default());
    Some((blocks.len(), end.unwrap_err()))
}

#[test]
fn whole_archives_of_both_versions() {
    let Some(bytes) = fixture("sample-v1.car") else { return };
    let (header, blocks, end) = read(&bytes, Options::default());
    assert_eq!(end, Ok(()));
    assert_eq!(blocks.len(), 1049);
    let (version, roots) = header.unwrap();
    assert_eq!((version, roots.len()), (1, 1));
    for name in ["sample-wrapped-v2.car", "sample-v2-indexless.car"] {
        let Some(bytes) = fixture(name) else { return };
        let wrapped = read(&bytes, Options::default());
        assert_eq!(wrapped, (Some((2, roots.clone())), blocks.clone(), Ok(())), "{name}");
    }
    for (name, version, count) in [
        ("sample-rw-bs-v2.car", 2, 3),
        ("sample-unixfs-v2.car", 2, 3),
        ("simple-unixfs.car", 1, 22),
    ] {
        let Some(bytes) = fixture(name) else { return };
        let (header, blocks, end) = read(&bytes, Options::default());
        assert_eq!((header.unwrap().0, end), (version, Ok(())), "{name}");
        assert_eq!(blocks.len(), count, "{name}");
    }
}

#[test]
fn car_01_car_02_lengths_of_216_gb() {
    let Some((0, error)) = fault("badheaderlength.car") else { return };
    assert!(matches!(error, CarError::TooLarge { part: Part::Header, at: 0, .. }), "{error}");
    let Some((0, error)) = fault("badsectionlength.car") else { return };
    assert!(matches!(error, CarError::TooLarge { part: Part::Section, at: 18, .. }), "{error}");
}

#[test]
fn car_03_car_04_car_06_archives_that_never_begin() {
    let Some((0, error)) = fault("sample-corrupt-pragma.car") else { return };
    assert!(matches!(error, CarError::Truncated { part: Part::Header, .. }), "{error}");
    let Some((0, error)) = fault("sample-rootless-v42.car") else { return };
    assert_eq!(error.to_string(), "invalid CAR version: 42 (expected 1 or 2)");
    let Some((0, error)) = fault("sample-v2-corrupt-data-and-index.car") else { return };
    assert!(matches!(error, CarError::Data { .. }), "{error}");
}

#[test]
fn car_05_a_corrupt_last_section() {
    let Some((count, error)) = fault("sample-v1-tailing-corrupt-section.car") else { return };
    assert_eq!(count, 1048, "{error}");
}

#[test]
fn car_07_zero_length_sections() {
    for name in ["sample-v1-with-zero-len-section.car", "sample-v1-with-zero-len-section2.car"] {
        let Some(bytes) = fixture(name) else { return };
        let (_, blocks, end) = read(&bytes, Options::default());
        assert!(matches!(end, Err(CarError::Empty { .. })), "{name}: {end:?}");
        let padded = Options { null_padding: true, ..Options::default() };
        let (_, again, end) = read(&bytes, padded);
        assert_eq!((again, end), (blocks, Ok(())), "{name}");
    }
}

#[test]
fn car_08_inputs_that_crashed_go_car() {
    for id in [
        "21a90a70853c",
        "5857e57e4072",
        "c3c7eedeb496",
        "c640dd07c027",
        "e1d7f87ee37f",
        "fe93cec1356a",
    ] {
        let Some(bytes) = fixture(&format!("fuzz-{id}.car")) else { return };
        for null_padding in [false, true] {
            let options = Options { null_padding, len: Some(bytes.len() as u64) };
            let _ = read(&bytes, options);
        }
    }
}

#[test]
fn car_18_cut_at_every_byte() {
    let Some(bytes) = fixture("simple-unixfs.car") else { return };
    let (_, whole, _) = read(&bytes, Options::default());
    let mut clean = 0;
    for len in 0..=bytes.len() {
        let (_, blocks, end) = read(&bytes[..len], Options::default());
        assert_eq!(blocks, whole[..blocks.len()]);
        assert!(matches!(end, Ok(()) | Err(CarError::Truncated { .. })), "{len}: {end:?}");
        clean += usize::from(end.is_ok());
    }
    assert_eq!(clean, whole.len() + 1, "the end of the header and of each section");
}

#[test]
fn a_tree_is_read_from_its_archive_and_written_again() {
    let Some(bytes) = fixture("simple-unixfs.car") else { return };
    let (header, blocks, _) = read(&bytes, Options::default());
    let root = header.unwrap().1.remove(0);
    let mut store = Store::default();
    let all: HashSet<Cid> = blocks.into_iter().map(|block| store.put(block)).collect();
    let mut export = Export::new(root, Vec::new(), ExportOptions::default());
    let mut archive = Vec::new();
    while !export.is_done() {
        for cid in export.wants() {
            export.give(store.get(&cid)).unwrap();
        }
        while let Some(bytes) = export.read().unwrap() {
            archive.extend_from_slice(&bytes);
        }
    }
    let (_, again, end) = read(&archive, Options::default());
    assert_eq!(end, Ok(()));
    assert_eq!(again.iter().map(|block| block.cid().clone()).collect::<HashSet<_>>(), all);
    assert_eq!(again.len(), all.len());
    assert_eq!(archive.len(), bytes.len(), "the same header and the same sections");
}

#[test]
fn blocks_that_are_missing_are_missed_and_nothing_else() {
    let Some(bytes) = fixture("simple-unixfs-missing-blocks.car") else { return };
    let (header, blocks, end) = read(&bytes, Options::default());
    assert_eq!(end, Ok(()));
    let mut store = Store::default();
    blocks.into_iter().for_each(|block| drop(store.put(block)));
    let root = header.unwrap().1.remove(0);
    let (mut here, mut missing) = (0, 0);
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        let Some(block) = store.0.get(&folder) else {
            missing += 1;
            continue;
        };
        let Ok(entries) = unixfs::entries(block) else { continue };
        for entry in entries {
            match common::read(&store, &entry.cid, ..) {
                Ok(Some(_)) => here += 1,
                Ok(None) => missing += 1,
                Err(ReadError::NotAFile { .. }) => folders.push(entry.cid),
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!((here, missing), (6, 3), "entries that are whole, and that are not");
}
