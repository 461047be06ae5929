//! UnixFS: the message inside a node, and everything that reads a block whose links carry their
//! content in themselves.

use std::collections::HashSet;

use avocet_dag::{
    Block, Cid, Version, code,
    resolve::Resolver,
    unixfs::{self, Data, Listing, MAX_LISTED, ReadError, Reader, Window},
    walk::{Walk, Want},
};
use bytes::Bytes;

/// A file may say that it is larger than anybody will read.
const MAX_READ: usize = 1 << 20;
/// More CIDs than an input of the fuzzer's size can hold.
const MAX_VISITED: usize = 1 << 16;
/// Each costs a pass over the directory.
const MAX_LOOKED_UP: usize = 50;

pub fn run(bytes: &[u8]) {
    message(bytes);
    for codec in [code::DAG_PB, code::RAW] {
        let bytes = Bytes::copy_from_slice(bytes);
        let Ok(block) = Block::hash(Version::V1, codec, code::SHA2_256, bytes) else { return };
        let _ = unixfs::stat(&block);
        list(&block);
        let whole = read(&block, 0, u64::MAX);
        let part = read(&block, 3, 7);
        if let (Some(whole), Some(part)) = (&whole, part) {
            let to = whole.len().min(7);
            assert_eq!(part, whole[to.min(3)..to], "a range is a slice of the whole");
        }
        walk(&block);
    }
}

fn message(bytes: &[u8]) {
    let Ok(data) = Data::decode(bytes) else { return };
    if let Some(content) = data.data {
        assert_eq!(&bytes[data.data_range()], content);
    }
    let written = data.encode();
    let again = Data::decode(&written).expect("what is written is read");
    assert_eq!(again.encode(), written, "there is one form to write");
    assert_eq!(
        (again.kind, again.data, again.filesize, &again.blocksizes, again.mode, again.mtime),
        (data.kind, data.data, data.filesize, &data.blocksizes, data.mode, data.mtime)
    );
}

/// Reads what can be had without any other block: `None` unless that is all of the range.
fn read(root: &Block, from: u64, to: u64) -> Option<Vec<u8>> {
    let mut reader = Reader::<Bytes>::new(root.cid().clone(), from..to, Window::default());
    let mut out = Vec::new();
    let mut step = || -> Result<bool, ReadError> {
        let wants = reader.wants();
        if wants.contains(root.cid()) {
            reader.give(root)?;
        }
        while let Some(bytes) = reader.read()? {
            out.extend_from_slice(&bytes);
            if out.len() > MAX_READ {
                return Ok(false);
            }
        }
        Ok(reader.is_done())
    };
    let done = step().ok()?;
    done.then_some(out)
}

/// Lists as much as can be had without any other block, and looks each name up again.
fn list(root: &Block) {
    let mut listing = Listing::<Bytes>::new(root.cid().clone(), Window::default());
    if listing.wants().contains(root.cid()) && listing.give(root).is_err() {
        return;
    }
    let mut names = HashSet::new();
    while let Ok(Some(entry)) = listing.next_entry() {
        assert!(names.insert(entry.name.clone()), "{:?} is listed twice", entry.text());
        assert!(names.len() <= MAX_LISTED, "a listing has an end");
        if names.len() > MAX_LOOKED_UP {
            continue;
        }
        let Ok(name) = String::from_utf8(entry.name.into_vec()) else { continue };
        match resolve(root, name) {
            // what nothing can be verified by is listed, and not followed
            None => assert!(entry.cid.check().is_err(), "{:?} is listed, and not found", entry.cid),
            Some(found) => assert_eq!(found, entry.cid),
        }
    }
}

fn resolve(root: &Block, name: String) -> Option<Cid> {
    let mut resolver = Resolver::new(root.cid().clone(), vec![name]);
    match resolver.want() {
        Some(cid) if cid == root.cid() => resolver.give(root).ok()?,
        _ => return None,
    };
    resolver.want().is_none().then(|| resolver.cid().clone())
}

fn walk(root: &Block) {
    let Ok(mut walk) = Walk::new([root.cid().clone()], MAX_VISITED) else { return };
    while let Some(want) = walk.next_want() {
        match want {
            Want::Node(cid) if cid == *root.cid() => {
                if walk.give(root).is_err() {
                    return;
                }
            }
            Want::Node(cid) => walk.skip(&cid),
            Want::Leaf(_) | Want::Opaque(_) => {}
        }
    }
    assert!(walk.is_done());
}
