//! UnixFS: files and directories on DAG-PB and raw blocks.
//!
//! Writing: [`Chunker`] cuts, [`leaf`] makes a block of each chunk, [`Importer`] builds the file
//! above them, [`Tree`] the directories. Reading: [`Reader`] gives a file's bytes, [`Listing`] a
//! directory's entries, [`stat`] says what a block is. Changing: [`Edit`].

mod chunk;
mod data;
mod dir;
mod edit;
mod folder;
mod hamt;
mod import;
mod list;
mod profile;
mod read;
mod tree;
mod write;

use std::{fmt, ops::Range};

pub use chunk::{Chunker, Chunking, Cut, Cutter, Fixed, FixedChunker};
pub use data::{Data, DataError, Kind, MAX_BLOCKSIZES, Meta, Mtime};
pub use dir::{DirEntry, DirError, Entries, entries};
pub use edit::{Change, Edit, EditError, Edited};
pub use hamt::HamtError;
pub(crate) use hamt::{Shape, shard};
pub use import::{ImportError, Imported, Importer, Leaf, leaf, leaf_bytes, single, symlink};
pub use list::{ListError, ListedEntry, Listing, MAX_LISTED};
pub use profile::{
    HamtSize, ImportOptions, Layout, MAX_CHUNK, MAX_FANOUT, MAX_LINKS, MIN_RABIN, OptionsError,
    Profile, hash_code,
};
pub use read::{MAX_FILE_DEPTH, MAX_HELD, ReadError, Reader, Window};
pub use tree::{Building, Built, Entry, MAX_DEPTH, Tree};
pub use write::Writer;

use crate::{
    Block, Cid, Payload, code,
    codec::{
        CodecError,
        pb::{Links, Node},
    },
};

/// Why a block is nothing that UnixFS knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// Its codec is another one, or its bytes do not follow it.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// It is dag-pb, and its data is not a UnixFS message.
    #[error("{cid} is dag-pb but not unixfs: {source}")]
    NotUnixfs {
        /// The block.
        cid: Cid,
        /// What is wrong with its data.
        source: DataError,
    },
    /// It is no part of a sharded directory, or a damaged one.
    #[error("{cid} is not a valid part of a sharded directory: {source}")]
    Hamt {
        /// The block.
        cid: Cid,
        /// What is wrong with it.
        source: HamtError,
    },
}

/// What a block is to somebody who lists files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// A raw block: a file, or part of one, without an envelope.
    Raw,
    /// A file, or part of one.
    File,
    /// A directory in one block.
    Directory,
    /// A directory spread over many blocks.
    Shard,
    /// A symbolic link.
    Symlink,
    /// Metadata: a type that was never used.
    Metadata,
    /// A block of DAG-CBOR or DAG-JSON: data, and no part of a tree of files.
    Ipld,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw block",
            Self::File => "file",
            Self::Directory => "directory",
            Self::Shard => "sharded directory",
            Self::Symlink => "symbolic link",
            Self::Metadata => "metadata node",
            Self::Ipld => "block of IPLD data",
        })
    }
}

/// What one block says of the file, directory or link whose root it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Type,
    /// Bytes of a file's content, as its root claims, or of a link's target. `None` of
    /// directories, and of a file whose root contradicts itself.
    pub size: Option<u64>,
    /// Bytes of all blocks below and this one, as the links claim; `None` past 64 bits.
    pub dag_size: Option<u64>,
    /// The target of a symbolic link: text to be shown, never to be followed out of the tree.
    pub target: Option<Vec<u8>>,
    /// File mode, all 32 bits as they are stored; permissions are the lowest twelve.
    pub mode: Option<u32>,
    /// When it was last changed. A malformed time counts as none.
    pub mtime: Option<Mtime>,
}

/// Says what `block` is. Errors where it is nothing that UnixFS knows.
pub fn stat<B: Payload>(block: &Block<B>) -> Result<Stat, NodeError> {
    let mut opened = open(block)?;
    let kind = opened.kind();
    if kind == Type::Shard {
        opened = Opened(Ok(shard::check(block.cid(), opened)?.0));
    }
    let own = block.len() as u64;
    let Some(Envelope { node, data, .. }) = opened.envelope() else {
        // what lies below IPLD data is not claimed anywhere
        let dag_size = (kind == Type::Raw).then_some(own);
        return Ok(Stat { kind, size: Some(own), dag_size, target: None, mode: None, mtime: None });
    };
    let payload = data.data.unwrap_or_default();
    let (size, target) = match kind {
        Type::File | Type::Raw => (file_size(&data), None),
        Type::Symlink => (Some(payload.len() as u64), Some(payload.to_vec())),
        _ => (None, None),
    };
    let mut sizes = node.links().map(|link| link.tsize.unwrap_or(0));
    let dag_size = sizes.try_fold(own, u64::checked_add);
    Ok(Stat { kind, size, dag_size, target, mode: data.mode, mtime: data.mtime })
}

/// The size that a file's message claims; `None` unless it is the sum of what lies in the message
/// and under its links. An absent size means zero, but a leaf of type raw need not say it.
pub(crate) fn file_size(data: &Data<'_>) -> Option<u64> {
    let own = data.data.map_or(0, <[u8]>::len) as u64;
    let sum = data.blocksizes.iter().try_fold(own, |sum, size| sum.checked_add(*size))?;
    let leaf = data.kind == Kind::Raw && data.blocksizes.is_empty();
    let claimed = data.filesize.unwrap_or(if leaf { own } else { 0 });
    (claimed == sum).then_some(sum)
}

/// A block taken apart, borrowed from its bytes; raw blocks and IPLD data have no envelope.
pub(crate) struct Opened<'a>(Result<Envelope<'a>, Type>);

/// A dag-pb node and the UnixFS message in it.
pub(crate) struct Envelope<'a> {
    pub node: Node<'a>,
    pub data: Data<'a>,
    /// Where in the block the message begins.
    data_at: usize,
}

impl<'a> Opened<'a> {
    pub(crate) fn kind(&self) -> Type {
        match self.0.as_ref().map(|envelope| envelope.data.kind) {
            Err(bare) => *bare,
            Ok(Kind::Raw | Kind::File) => Type::File,
            Ok(Kind::Directory) => Type::Directory,
            Ok(Kind::HamtShard) => Type::Shard,
            Ok(Kind::Symlink) => Type::Symlink,
            Ok(Kind::Metadata) => Type::Metadata,
        }
    }

    pub(crate) fn links(&self) -> Links<'a> {
        self.0.as_ref().map_or_else(|_| Links::none(), |envelope| envelope.node.links())
    }

    /// Where in the block of this length the file's own bytes lie.
    pub(crate) fn content(&self, block_len: usize) -> Range<usize> {
        self.0.as_ref().map_or(0..block_len, |Envelope { data, data_at, .. }| {
            let range = data.data_range();
            data_at + range.start..data_at + range.end
        })
    }

    pub(crate) fn data(&self) -> Option<&Data<'a>> {
        self.0.as_ref().ok().map(|envelope| &envelope.data)
    }

    pub(crate) fn envelope(self) -> Option<Envelope<'a>> {
        self.0.ok()
    }
}

/// Takes a block apart.
pub(crate) fn open<B: Payload>(block: &Block<B>) -> Result<Opened<'_>, NodeError> {
    open_bytes(block.cid(), block.bytes())
}

/// The links of a dag-pb block, whatever its data is.
pub(crate) fn links_of<B: Payload>(block: &Block<B>) -> Result<Links<'_>, NodeError> {
    let cid = block.cid();
    let bytes = block.bytes().as_bytes().ok_or_else(|| CodecError::NotInMemory(cid.clone()))?;
    let node = Node::decode(bytes).map_err(|source| CodecError::Pb { cid: cid.clone(), source })?;
    Ok(node.links())
}

/// As [`open`], of bytes that were a block's.
pub(crate) fn open_bytes<'a, B: Payload>(cid: &Cid, bytes: &'a B) -> Result<Opened<'a>, NodeError> {
    match cid.codec() {
        code::RAW => return Ok(Opened(Err(Type::Raw))),
        code::DAG_CBOR | code::DAG_JSON => return Ok(Opened(Err(Type::Ipld))),
        code::DAG_PB => {}
        codec => return Err(CodecError::Unsupported { cid: cid.clone(), codec }.into()),
    }
    let bytes = bytes.as_bytes().ok_or_else(|| CodecError::NotInMemory(cid.clone()))?;
    let node = Node::decode(bytes).map_err(|source| CodecError::Pb { cid: cid.clone(), source })?;
    let not_unixfs = |source| NodeError::NotUnixfs { cid: cid.clone(), source };
    let range = node.data_range().ok_or_else(|| not_unixfs(DataError::Missing))?;
    let data = Data::decode(&bytes[range.clone()]).map_err(not_unixfs)?;
    if data.kind == Kind::Symlink && !node.is_empty() {
        return Err(not_unixfs(DataError::LinkedSymlink));
    }
    Ok(Opened(Ok(Envelope { node, data, data_at: range.start })))
}
