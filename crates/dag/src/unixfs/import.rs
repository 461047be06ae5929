//! Files: leaves in, blocks out, root at the end.

mod balanced;
mod trickle;

use balanced::Balanced;
use bytes::Bytes;
use trickle::Trickle;

use super::{Data, ImportOptions, Kind, Layout, Meta, OptionsError};
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
    /// A file of a single leaf with a mode or a time was not made by [`single`].
    #[error("a file of one chunk that has a mode or a time is made of the chunk itself")]
    Single,
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
/// with a copy of it. Hash them under [`ImportOptions::leaf_codec`] and as
/// [`ImportOptions::naming`] says.
pub fn leaf_bytes(options: &ImportOptions, chunk: Bytes) -> Bytes {
    if options.raw_leaves {
        return chunk;
    }
    let kind = match options.layout {
        Layout::Balanced => Kind::File,
        // what Kubo writes
        Layout::Trickle => Kind::Raw,
    };
    envelope(kind, &chunk, Meta::default())
}

/// The block that a chunk becomes. Give its [`Leaf`] to the [`Importer`].
pub fn leaf(options: &ImportOptions, chunk: Bytes) -> Result<Block, BlockError> {
    options.block(options.leaf_codec(), leaf_bytes(options, chunk))
}

/// The file that is one chunk, or empty. Mode and time need a dag-pb root: where they are given
/// and no node would stand above the leaf, they and the chunk stand in the same block, even where
/// leaves are raw.
pub fn single(options: &ImportOptions, meta: Meta, chunk: Bytes) -> Result<Imported, ImportError> {
    let mut importer = Importer::with_meta(options, meta)?;
    let size = chunk.len();
    if size == 0 {
        return importer.finish();
    }
    if options.layout == Layout::Balanced && !meta.is_empty() {
        let block = options.block(code::DAG_PB, envelope(Kind::File, &chunk, meta))?;
        return Ok(Imported { root: Leaf::new(&block, size), blocks: vec![block] });
    }
    let block = leaf(options, chunk)?;
    let mut blocks = importer.push(Leaf::new(&block, size))?;
    blocks.insert(0, block);
    let file = importer.finish()?;
    blocks.extend(file.blocks);
    Ok(Imported { blocks, root: file.root })
}

/// The block of a symbolic link. Its target is kept as it is, and followed by nobody here. What
/// the link counts for in a directory are the bytes of the block.
pub fn symlink(options: &ImportOptions, target: &[u8], meta: Meta) -> Result<Block, ImportError> {
    options.check()?;
    meta.check()?;
    let mut data = Data::new(Kind::Symlink);
    data.data = Some(target);
    data.set_meta(meta);
    Ok(options.block(code::DAG_PB, pb::encode(&[], Some(&data.encode())).into())?)
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

/// Builds a file over leaves that are pushed in its order.
///
/// Memory: the links of one unfinished node a level, whatever the size of the file.
#[derive(Debug, Clone)]
pub struct Importer {
    nodes: Nodes,
    shape: Shape,
    total: u64,
}

#[derive(Debug, Clone)]
enum Shape {
    Balanced(Balanced),
    Trickle(Trickle),
}

impl Importer {
    /// An importer for one file. Errors when the options make no import.
    pub fn new(options: &ImportOptions) -> Result<Self, ImportError> {
        Self::with_meta(options, Meta::default())
    }

    /// An importer for one file that has a mode or a time. If it turns out to be one chunk, it
    /// must be made by [`single`] instead: the root then holds the bytes, which the importer
    /// never sees.
    pub fn with_meta(options: &ImportOptions, meta: Meta) -> Result<Self, ImportError> {
        options.check()?;
        meta.check()?;
        let shape = match options.layout {
            Layout::Balanced => Shape::Balanced(Balanced::default()),
            Layout::Trickle => Shape::Trickle(Trickle::default()),
        };
        let nodes = Nodes { options: options.clone(), meta, blocks: Vec::new() };
        Ok(Self { nodes, shape, total: 0 })
    }

    /// Adds the next leaf; gives the inner blocks that it completed, child before parent.
    pub fn push(&mut self, leaf: Leaf) -> Result<Vec<Block>, ImportError> {
        self.total = self.total.checked_add(leaf.size).ok_or(ImportError::TooMuch)?;
        match &mut self.shape {
            Shape::Balanced(shape) => shape.push(leaf, &mut self.nodes)?,
            Shape::Trickle(shape) => shape.push(leaf, &mut self.nodes)?,
        }
        Ok(std::mem::take(&mut self.nodes.blocks))
    }

    /// Bytes of the file so far.
    pub const fn size(&self) -> u64 {
        self.total
    }

    /// Ends the file. Without any leaf it is the empty file.
    pub fn finish(mut self) -> Result<Imported, ImportError> {
        let root = match self.shape {
            Shape::Balanced(shape) => shape.finish(&mut self.nodes)?,
            Shape::Trickle(shape) => shape.finish(&mut self.nodes)?,
        };
        Ok(Imported { blocks: self.nodes.blocks, root })
    }
}

/// Makes the nodes above the leaves.
#[derive(Debug, Clone)]
struct Nodes {
    options: ImportOptions,
    /// The root's.
    meta: Meta,
    /// Blocks that were made and not handed out yet.
    blocks: Vec<Block>,
}

impl Nodes {
    /// A node over `children`; gives the link to it.
    fn inner(&mut self, children: &[Leaf]) -> Result<Leaf, ImportError> {
        self.node(children, Meta::default())
    }

    /// The topmost node.
    fn root(&mut self, children: &[Leaf]) -> Result<Leaf, ImportError> {
        self.node(children, self.meta)
    }

    /// The empty file in the form of a leaf.
    fn empty(&mut self) -> Result<Leaf, ImportError> {
        if !self.meta.is_empty() {
            return self.root(&[]);
        }
        let block = leaf(&self.options, Bytes::new())?;
        let root = Leaf::new(&block, 0);
        self.blocks.push(block);
        Ok(root)
    }

    fn node(&mut self, children: &[Leaf], meta: Meta) -> Result<Leaf, ImportError> {
        let mut data = Data::new(Kind::File);
        let size = children.iter().try_fold(0u64, |sum, child| sum.checked_add(child.size));
        let size = size.ok_or(ImportError::TooMuch)?;
        data.filesize = Some(size);
        data.blocksizes = children.iter().map(|child| child.size).collect();
        data.set_meta(meta);
        // the links of a file have names, and they are empty
        let link = |child: &Leaf| Link {
            cid: child.cid.clone(),
            name: Some(b"".as_slice()),
            tsize: Some(child.tsize),
        };
        let links: Vec<_> = children.iter().map(link).collect();
        let bytes = pb::encode(&links, Some(&data.encode()));
        let block = self.options.block(code::DAG_PB, bytes.into())?;
        let below = children.iter().fold(0u64, |sum, child| sum.saturating_add(child.tsize));
        let tsize = below.saturating_add(block.len() as u64);
        let node = Leaf { cid: block.cid().clone(), size, tsize };
        self.blocks.push(block);
        Ok(node)
    }
}

/// A dag-pb block without links that holds part or all of a file.
fn envelope(kind: Kind, chunk: &[u8], meta: Meta) -> Bytes {
    let mut data = Data::new(kind);
    data.data = (!chunk.is_empty()).then_some(chunk);
    data.filesize = Some(chunk.len() as u64);
    data.set_meta(meta);
    pb::encode(&[], Some(&data.encode())).into()
}
