//! A directory of 100,000 entries, within bounds. Alone in its program, so that the memory that
//! the system counts is this test's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::collections::HashMap;

use avocet_dag::{
    Block, Cid, Multihash, code,
    resolve::Resolver,
    unixfs::{Change, Edit, Entry, ImportOptions, Listing, Tree, Window},
};
use bytes::Bytes;

const ENTRIES: u64 = 100_000;
/// What building, listing and changing may take, all blocks included.
const MEMORY: u64 = 256 * 1024 * 1024;

fn name(index: u64) -> String {
    format!("a name as files have them, number {index}.txt")
}

fn entry(index: u64) -> Entry {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&index.to_le_bytes());
    let cid = Cid::new_v1(code::RAW, Multihash::from_sha256(digest));
    Entry { cid, tsize: index, size: index }
}

#[test]
fn a_directory_of_100_000_entries_is_built_listed_found_in_and_changed() {
    let mut store: HashMap<Cid, Block> = HashMap::new();
    let mut root = None;
    // the second time from the last to the first
    for reversed in [false, true] {
        let mut tree = Tree::new(&ImportOptions::default()).unwrap();
        for index in 0..ENTRIES {
            let index = if reversed { ENTRIES - 1 - index } else { index };
            tree.insert(&name(index), entry(index)).unwrap();
        }
        let mut building = tree.build();
        while let Some(block) = building.next_block().unwrap() {
            store.insert(block.cid().clone(), block);
        }
        let built = building.into_root().unwrap().cid;
        assert_eq!(*root.get_or_insert(built.clone()), built);
    }
    let root = root.unwrap();
    println!("{} blocks", store.len());

    let mut listing = Listing::<Bytes>::new(root.clone(), Window::default());
    let mut listed = 0;
    while !listing.is_done() {
        for cid in listing.wants() {
            assert!(listing.give(&store[&cid]).unwrap());
        }
        while let Some(entry) = listing.next_entry().unwrap() {
            listed += u64::from(entry.tsize.is_some());
        }
    }
    assert_eq!(listed, ENTRIES);

    for index in (0..ENTRIES).step_by(9973) {
        let mut resolver = Resolver::new(root.clone(), vec![name(index)]);
        let mut blocks = 0;
        while let Some(cid) = resolver.want().cloned() {
            assert!(resolver.give(&store[&cid]).unwrap());
            blocks += 1;
        }
        assert_eq!(*resolver.cid(), entry(index).cid);
        assert!(blocks <= 5, "{blocks} blocks");
    }

    let mut edit =
        Edit::<Bytes>::new(&ImportOptions::default(), root, &name(7), Change::Remove, false)
            .unwrap();
    let mut fetched = 0;
    while !edit.is_done() {
        for cid in edit.wants() {
            fetched += u64::from(edit.give(&store[&cid]).unwrap());
        }
    }
    assert!(fetched < 100, "{fetched} blocks to remove one entry");
    assert!(edit.finish().unwrap().blocks.len() <= 5);

    match peak() {
        Some(peak) => assert!(peak < MEMORY, "{peak} bytes at most"),
        None => println!("left out: this system does not tell how much memory was used"),
    }
}

/// The most memory that this program has used, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    println!("{kib} KiB at most");
    Some(kib * 1024)
}
