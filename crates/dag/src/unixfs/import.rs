//! Files: leaves in, blocks out, root at the end.

use bytes::Bytes;

use super::{Data, ImportOptions, Kind, OptionsError};
use crate::{
    Block, BlockError, Cid, Payload, code,
    codec::pb::{self, Link},
};

/// Why a file could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The options make no import.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The file's size does not fit 64 bits.
    #[error("the file is larger than 2^64 bytes")]
    TooMuch,
    /// A block could not be made.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// A part of a file that has its block: all that the importer must know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The block's CID.
    pub cid: Cid,
    /// Bytes of the file in it.
    pub size: u64,
    /// Bytes of the block, and of all blocks below it.
    pub tsize: u64,
}

impl Leaf {
    /// The leaf of a block that [`leaf`] or the platform made of `size` bytes of the file.
    pub fn new<B: Payload>(block: &Block<B>, size: usize) -> Self {
        Self { cid: block.cid().clone(), size: size as u64, tsize: block.len() as u64 }
    }
}

/// The bytes of the block that a chunk becomes: itself where leaves are raw, else an envelope
/// with a copy of it. Hash them under [`ImportOptions::leaf_codec`].
pub fn leaf_bytes(options: &ImportOptions, chunk: Bytes) -> Bytes {
    if options.raw_leaves {
        return chunk;
    }
    let mut data = Data::new(Kind::File);
    data.data = (!chunk.is_empty()).then_some(&chunk);
    data.filesize = Some(chunk.len() as u64);
    pb::encode(&[], Some(&data.encode())).into()
}

/// The block that a chunk becomes. Give its [`Leaf`] to the [`Importer`].
pub fn leaf(options: &ImportOptions, chunk: Bytes) -> Result<Block, BlockError> {
    options.block(options.leaf_codec(), leaf_bytes(options, chunk))
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The blocks that the end of the file completed, child before parent. The root is the last
    /// of them, except where a single leaf, already known to the caller, is the whole file.
    pub blocks: Vec<Block>,
    /// The file: the root's CID, the file's size, the bytes of all its blocks.
    pub root: Leaf,
}

/// Builds a balanced tree over leaves that are pushed in the order of the file.
///
/// All leaves lie equally deep, and nodes are filled from the left. Memory: the links of one
/// unfinished node a level, whatever the size of the file.
#[derive(Debug, Clone)]
pub struct Importer {
    options: ImportOptions,
    /// Unfinished nodes, the leaves' parent first. Invariant: each holds fewer than `max_links`
    /// links, and the last level holds at least one.
    levels: Vec<Vec<Leaf>>,
    total: u64,
}

impl Importer {
    /// An importer for one file. Errors when the options make no import.
    pub fn new(options: &ImportOptions) -> Result<Self, ImportError> {
        options.check()?;
        Ok(Self { options: options.clone(), levels: Vec::new(), total: 0 })
    }

    /// Adds the next leaf; gives the inner blocks that it completed, child before parent.
    pub fn push(&mut self, leaf: Leaf) -> Result<Vec<Block>, ImportError> {
        self.total = self.total.checked_add(leaf.size).ok_or(ImportError::TooMuch)?;
        let mut blocks = Vec::new();
        self.add(0, leaf, &mut blocks)?;
        Ok(blocks)
    }

    /// Bytes of the file so far.
    pub const fn size(&self) -> u64 {
        self.total
    }

    /// Ends the file. Without any leaf it is the empty file.
    pub fn finish(mut self) -> Result<Imported, ImportError> {
        let mut blocks = Vec::new();
        if self.levels.is_empty() {
            let block = leaf(&self.options, Bytes::new())?;
            let root = Leaf::new(&block, 0);
            return Ok(Imported { blocks: vec![block], root });
        }
        let mut level = 0;
        loop {
            let links = std::mem::take(&mut self.levels[level]);
            let top = level + 1 == self.levels.len();
            match <[Leaf; 1]>::try_from(links) {
                Ok([root]) if top => return Ok(Imported { blocks, root }),
                Ok(single) => self.close(level, &single, &mut blocks)?,
                Err(links) if links.is_empty() => {}
                Err(links) => self.close(level, &links, &mut blocks)?,
            }
            level += 1;
        }
    }

    /// Adds a link to a level, and what that fills to the levels above.
    fn add(
        &mut self,
        mut level: usize,
        mut link: Leaf,
        blocks: &mut Vec<Block>,
    ) -> Result<(), ImportError> {
        loop {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(link);
            if self.levels[level].len() < self.options.max_links {
                return Ok(());
            }
            let links = std::mem::take(&mut self.levels[level]);
            let (block, parent) = node(&self.options, &links)?;
            blocks.push(block);
            link = parent;
            level += 1;
        }
    }

    /// Makes a node of a level's last links.
    fn close(
        &mut self,
        level: usize,
        links: &[Leaf],
        blocks: &mut Vec<Block>,
    ) -> Result<(), ImportError> {
        let (block, link) = node(&self.options, links)?;
        blocks.push(block);
        self.add(level + 1, link, blocks)
    }
}

/// An inner node of a file, and the link to it.
fn node(options: &ImportOptions, children: &[Leaf]) -> Result<(Block, Leaf), ImportError> {
    let mut data = Data::new(Kind::File);
    let size = children.iter().try_fold(0u64, |sum, child| sum.checked_add(child.size));
    let size = size.ok_or(ImportError::TooMuch)?;
    data.filesize = Some(size);
    data.blocksizes = children.iter().map(|child| child.size).collect();
    // the links of a file have names, and they are empty
    let link = |child: &Leaf| Link {
        cid: child.cid.clone(),
        name: Some(b"".as_slice()),
        tsize: Some(child.tsize),
    };
    let links: Vec<_> = children.iter().map(link).collect();
    let bytes = pb::encode(&links, Some(&data.encode()));
    let block = options.block(code::DAG_PB, bytes.into())?;
    let below = children.iter().fold(0u64, |sum, child| sum.saturating_add(child.tsize));
    let tsize = below.saturating_add(block.len() as u64);
    let root = Leaf { cid: block.cid().clone(), size, tsize };
    Ok((block, root))
}
