//! What the tests share: a store, whole imports and whole reads.
#![allow(dead_code)] // each test file uses its own part

pub mod murmur;
pub mod twin;

use std::{collections::HashMap, ops::RangeBounds};

use avocet_dag::{
    Block, Cid, Version, code,
    codec::pb::{self, Link},
    resolve::{ResolveError, Resolver},
    unixfs::{
        Data, ImportError, ImportOptions, Imported, Kind, Leaf, ListError, ListedEntry, Listing,
        Meta, ReadError, Reader, Window, Writer,
    },
};
use bytes::Bytes;
use proptest::test_runner::{Config, RngSeed};

/// The same random cases in every run.
pub fn fixed_seed() -> Config {
    Config { rng_seed: RngSeed::Fixed(2026), ..Config::default() }
}

/// Blocks by CID.
#[derive(Debug, Default)]
pub struct Store(pub HashMap<Cid, Block>);

impl Store {
    pub fn put(&mut self, block: Block) -> Cid {
        let cid = block.cid().clone();
        self.0.insert(cid.clone(), block);
        cid
    }

    pub fn get(&self, cid: &Cid) -> &Block {
        &self.0[cid]
    }

    /// A DAG-PB block of a UnixFS message and unnamed links with these sizes in their `Tsize`.
    pub fn put_node(&mut self, data: &Data<'_>, links: &[(Cid, u64)]) -> Cid {
        let links: Vec<_> = links
            .iter()
            .map(|(cid, tsize)| Link { cid: cid.clone(), name: Some(b""), tsize: Some(*tsize) })
            .collect();
        self.put(dag_pb(pb::encode(&links, Some(&data.encode()))))
    }

    /// An inner node of a file that announces what `parts` say, true or not.
    pub fn put_file(&mut self, parts: &[(Cid, u64)]) -> Cid {
        let mut data = Data::new(Kind::File);
        data.blocksizes = parts.iter().map(|(_, size)| *size).collect();
        data.filesize = Some(data.blocksizes.iter().fold(0, |sum, size| sum.wrapping_add(*size)));
        self.put_node(&data, parts)
    }

    pub fn put_raw(&mut self, bytes: &[u8]) -> Cid {
        self.put(raw(bytes))
    }
}

pub fn raw(bytes: &[u8]) -> Block {
    Block::hash(Version::V1, code::RAW, code::SHA2_256, Bytes::copy_from_slice(bytes)).unwrap()
}

pub fn dag_pb(bytes: Vec<u8>) -> Block {
    Block::hash(Version::V1, code::DAG_PB, code::SHA2_256, bytes.into()).unwrap()
}

/// Adds a file that comes in these pieces; every block goes to the store.
pub fn import(
    options: &ImportOptions,
    pieces: impl IntoIterator<Item = Bytes>,
    store: &mut Store,
) -> Leaf {
    import_with(options, Meta::default(), pieces, store).unwrap()
}

/// As [`import`], with a mode and a time.
pub fn import_with(
    options: &ImportOptions,
    meta: Meta,
    pieces: impl IntoIterator<Item = Bytes>,
    store: &mut Store,
) -> Result<Leaf, ImportError> {
    let mut writer = Writer::new(options, meta)?;
    for piece in pieces {
        writer.push(piece)?.into_iter().for_each(|block| drop(store.put(block)));
    }
    let Imported { blocks, root } = writer.finish()?;
    blocks.into_iter().for_each(|block| drop(store.put(block)));
    Ok(root)
}

/// Reads a range of a file; what is missing from the store ends the read with `None`.
pub fn read(
    store: &Store,
    root: &Cid,
    range: impl RangeBounds<u64>,
) -> Result<Option<Vec<u8>>, ReadError> {
    let mut out = Vec::new();
    let done = read_each(store, root, range, |bytes| out.extend_from_slice(&bytes))?;
    Ok(done.then_some(out))
}

/// As [`read`], piece by piece; `false` when a block is missing.
pub fn read_each(
    store: &Store,
    root: &Cid,
    range: impl RangeBounds<u64>,
    mut each: impl FnMut(Bytes),
) -> Result<bool, ReadError> {
    let mut reader = Reader::<Bytes>::new(root.clone(), range, Window::default());
    loop {
        while let Some(bytes) = reader.read()? {
            each(bytes);
        }
        if reader.is_done() {
            return Ok(true);
        }
        let mut given = false;
        for cid in reader.wants() {
            if let Some(block) = store.0.get(&cid) {
                given |= reader.give(block)?;
            }
        }
        if !given {
            return Ok(false);
        }
    }
}

/// Follows a path through stored blocks.
pub fn resolve(store: &Store, root: &Cid, path: &str) -> Result<Cid, ResolveError> {
    let segments = path.split('/').map(str::to_owned).collect();
    let mut resolver = Resolver::new(root.clone(), segments);
    while let Some(cid) = resolver.want() {
        assert!(resolver.give(store.get(&cid.clone()))?);
    }
    Ok(resolver.cid().clone())
}

/// All entries of a stored directory.
pub fn list(store: &Store, root: &Cid) -> Result<Vec<ListedEntry>, ListError> {
    let mut entries = Vec::new();
    let done = list_each(store, root, |entry| entries.push(entry))?;
    assert!(done, "a block of {root} is missing");
    Ok(entries)
}

/// As [`list`], entry by entry; `false` when a block is missing.
pub fn list_each(
    store: &Store,
    root: &Cid,
    mut each: impl FnMut(ListedEntry),
) -> Result<bool, ListError> {
    let mut listing = Listing::<Bytes>::new(root.clone(), Window::default());
    loop {
        while let Some(entry) = listing.next_entry()? {
            each(entry);
        }
        if listing.is_done() {
            return Ok(true);
        }
        let mut given = false;
        for cid in listing.wants() {
            if let Some(block) = store.0.get(&cid) {
                given |= listing.give(block)?;
            }
        }
        if !given {
            return Ok(false);
        }
    }
}
