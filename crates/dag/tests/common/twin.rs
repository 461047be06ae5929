//! The importer's slow twin: recursive, everything in memory, each rule written down once more in
//! the plainest way.

use avocet_dag::{
    Block, BlockError, Version, code,
    codec::pb::{self, Link},
    unixfs::{Chunking, Data, ImportOptions, Kind, Layout, Leaf, Meta},
};
use bytes::Bytes;

use super::Store;

/// The file of these bytes; every block goes to the store.
pub fn import(
    options: &ImportOptions,
    meta: Meta,
    bytes: &[u8],
    store: &mut Store,
) -> Result<Leaf, BlockError> {
    let mut twin = Twin { options, meta, chunks: chunks(options.chunking, bytes), store };
    match options.layout {
        Layout::Balanced => twin.balanced(),
        Layout::Trickle => twin.trickle(None),
    }
}

/// Where a chunker cuts.
pub fn chunks(chunking: Chunking, mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    while !bytes.is_empty() {
        let ends = 1..=bytes.len();
        let end = match chunking {
            Chunking::Size(size) => size,
            Chunking::Rabin { min, avg, max } => {
                let bits = avg.ilog2();
                let ends_at =
                    |end: &usize| fingerprint(&bytes[end - 16..*end]).trailing_zeros() >= bits;
                ends.skip(min - 1).find(ends_at).unwrap_or(bytes.len()).min(max)
            }
            other => panic!("{other:?} has no twin"),
        };
        let (chunk, rest) = bytes.split_at(end.min(bytes.len()));
        chunks.push(chunk);
        bytes = rest;
    }
    chunks
}

/// The remainder of these bytes by Kubo's polynomial of degree 53, bit by bit.
fn fingerprint(bytes: &[u8]) -> u64 {
    const POLYNOMIAL: u64 = 0x003D_F305_DFB2_A805;
    let mut rest = 0;
    for bit in bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)) {
        rest = rest << 1 | u64::from(bit);
        if rest >> 53 == 1 {
            rest ^= POLYNOMIAL;
        }
    }
    rest
}

struct Twin<'a> {
    options: &'a ImportOptions,
    meta: Meta,
    /// Those that have no leaf yet.
    chunks: Vec<&'a [u8]>,
    store: &'a mut Store,
}

impl Twin<'_> {
    fn balanced(&mut self) -> Result<Leaf, BlockError> {
        if self.chunks.len() < 2 {
            let chunk = self.chunks.pop().unwrap_or_default();
            return self.leaf(chunk, Kind::File, self.meta);
        }
        let mut parts = Vec::new();
        for chunk in std::mem::take(&mut self.chunks) {
            parts.push(self.leaf(chunk, Kind::File, Meta::default())?);
        }
        self.level(&parts)
    }

    fn level(&mut self, parts: &[Leaf]) -> Result<Leaf, BlockError> {
        if parts.len() <= self.options.max_links {
            return self.node(parts, self.meta);
        }
        let mut parents = Vec::new();
        for parts in parts.chunks(self.options.max_links) {
            parents.push(self.node(parts, Meta::default())?);
        }
        self.level(&parents)
    }

    /// A trickle of this depth; without one, the root.
    fn trickle(&mut self, depth: Option<usize>) -> Result<Leaf, BlockError> {
        let mut parts = Vec::new();
        while parts.len() < self.options.max_links && !self.chunks.is_empty() {
            let chunk = self.chunks.remove(0);
            parts.push(self.leaf(chunk, Kind::Raw, Meta::default())?);
        }
        for below in 1..depth.unwrap_or(usize::MAX) {
            for _ in 0..4 {
                if self.chunks.is_empty() {
                    let meta = if depth.is_none() { self.meta } else { Meta::default() };
                    return self.node(&parts, meta);
                }
                parts.push(self.trickle(Some(below))?);
            }
        }
        self.node(&parts, Meta::default())
    }

    fn leaf(&mut self, chunk: &[u8], kind: Kind, meta: Meta) -> Result<Leaf, BlockError> {
        let size = chunk.len() as u64;
        if self.options.raw_leaves && meta == Meta::default() {
            return self.put(code::RAW, size, 0, Bytes::copy_from_slice(chunk));
        }
        let mut data = Data::new(kind);
        data.data = if chunk.is_empty() { None } else { Some(chunk) };
        data.filesize = Some(size);
        (data.mode, data.mtime) = (meta.mode, meta.mtime);
        self.put(code::DAG_PB, size, 0, pb::encode(&[], Some(&data.encode())).into())
    }

    fn node(&mut self, parts: &[Leaf], meta: Meta) -> Result<Leaf, BlockError> {
        let mut data = Data::new(Kind::File);
        data.blocksizes = parts.iter().map(|part| part.size).collect();
        let size = data.blocksizes.iter().sum();
        data.filesize = Some(size);
        (data.mode, data.mtime) = (meta.mode, meta.mtime);
        let links: Vec<_> = parts
            .iter()
            .map(|part| Link { cid: part.cid.clone(), name: Some(b""), tsize: Some(part.tsize) })
            .collect();
        let below = parts.iter().map(|part| part.tsize).sum();
        self.put(code::DAG_PB, size, below, pb::encode(&links, Some(&data.encode())).into())
    }

    fn put(&mut self, codec: u64, size: u64, below: u64, bytes: Bytes) -> Result<Leaf, BlockError> {
        let tsize = below + bytes.len() as u64;
        let inside = (1..=self.options.inline_limit).contains(&bytes.len().max(1));
        let block = match (inside, codec) {
            (true, _) => Block::hash(Version::V1, codec, code::IDENTITY, bytes)?,
            (false, code::RAW) => Block::hash(Version::V1, codec, self.options.hash, bytes)?,
            _ => Block::hash(self.options.cid_version, codec, self.options.hash, bytes)?,
        };
        let cid = self.store.put(block);
        Ok(Leaf { cid, size, tsize })
    }
}
