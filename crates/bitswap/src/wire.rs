//! The message of Bitswap 1.2 and its limits, as the Bitswap specification has them
//! (<https://specs.ipfs.tech/bitswap-protocol/>).
//!
//! On a stream every message follows its length, an unsigned varint. [`read_length`] takes that
//! length off, [`decode`] reads a message, [`encode`] writes one with its length. A message is
//! read without any allocation from a size that it claims; block data are slices of the message.

mod proto;
mod read;
mod write;

use avocet_dag::{Block, Cid, Prefix, varint};
use bytes::Bytes;

pub(crate) use self::write::{block_len, presence_len};
pub use self::{
    read::{decode, read_length},
    write::{encode, encoded_len},
};

/// The protocol's name in version 1.2, the one with HAVE and DONT_HAVE.
pub const PROTOCOL: &str = "/ipfs/bitswap/1.2.0";

/// The largest message, without its length: 4 MiB (Bitswap specification).
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// The most entries read of one want list. A peer may hold 1024 wants with us; this leaves it
/// fifteen cancels for each, and bounds what a message of eight-byte entries unfolds into.
pub const MAX_ENTRIES: usize = 16 * 1024;

/// The most presences read of one message: as many as answers to a full want list, often over.
pub const MAX_PRESENCES: usize = 16 * 1024;

/// The most blocks read of one message. No peer is ever asked for more than 1024 at a time.
pub const MAX_BLOCKS: usize = 4096;

/// What a want asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WantKind {
    /// WANT_BLOCK: the block.
    Block,
    /// WANT_HAVE: only whether the peer has it.
    Have,
}

/// One line of a want list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is wanted.
    pub cid: Cid,
    /// Higher is more urgent.
    pub priority: i32,
    /// The want is taken back; all but `cid` is without meaning then.
    pub cancel: bool,
    /// The block, or only word of it.
    pub kind: WantKind,
    /// Whether a DONT_HAVE is asked for.
    pub send_dont_have: bool,
}

impl Entry {
    /// The line that takes a want back.
    pub const fn cancel(cid: Cid) -> Self {
        let kind = WantKind::Block;
        Self { cid, priority: 0, cancel: true, kind, send_dont_have: false }
    }
}

/// HAVE or DONT_HAVE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Of what.
    pub cid: Cid,
    /// HAVE, else DONT_HAVE.
    pub have: bool,
}

/// A block as it is on the wire: how to hash it, and bytes that nobody has hashed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBlock {
    /// All of the CID but the digest.
    pub prefix: Prefix,
    /// A slice of the message.
    pub data: Bytes,
}

/// A message that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// The want list, at most [`MAX_ENTRIES`] lines; those without a valid CID are left out.
    pub wants: Vec<Entry>,
    /// Whether `wants` replaces what the peer wanted before.
    pub full: bool,
    /// At most [`MAX_PRESENCES`]; those without a valid CID are left out.
    pub presences: Vec<Presence>,
    /// At most [`MAX_BLOCKS`], to be hashed.
    pub blocks: Vec<RawBlock>,
    /// How many blocks were left out: without a prefix that can be read, or above the limit.
    pub rejected: usize,
    /// How many bytes the peer says that it has queued for us.
    pub pending_bytes: i32,
    /// The message's length.
    pub size: usize,
}

/// A message to be written. The engine makes none that is larger than [`MAX_MESSAGE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing<B = Bytes> {
    /// Changes to what we want of the peer.
    pub wants: Vec<Entry>,
    /// Whether `wants` replaces what we wanted before.
    pub full: bool,
    /// Answers without a block.
    pub presences: Vec<Presence>,
    /// Answers with one.
    pub blocks: Vec<Block<B>>,
    /// How many bytes more lie ready for the peer.
    pub pending_bytes: usize,
}

impl<B> Default for Outgoing<B> {
    fn default() -> Self {
        let (wants, presences, blocks) = (Vec::new(), Vec::new(), Vec::new());
        Self { wants, full: false, presences, blocks, pending_bytes: 0 }
    }
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The length is above [`MAX_MESSAGE`].
    #[error("a message of {0} bytes is over 4 MiB")]
    TooLarge(u64),
    /// The length is no varint in its shortest form.
    #[error("malformed message length: {0}")]
    Length(varint::VarintError),
    /// A number or a field runs past the end.
    #[error("a field runs past the end of the message")]
    Truncated,
    /// A number does not fit 64 bits.
    #[error("a number in the message does not fit 64 bits")]
    Overflow,
    /// A wire type that does not exist, or a group (which proto3 no longer has).
    #[error("wire type {0} is not known")]
    WireType(u8),
    /// Field number 0, or above the 29 bits that there are.
    #[error("field number {0} is not allowed")]
    FieldNumber(u64),
}

/// Why a message could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// This block's bytes are outside the memory that Rust can read: bring them in first.
    #[error("the bytes of {0} are not in memory")]
    OutOfReach(Cid),
    /// It would be larger than [`MAX_MESSAGE`].
    #[error("a message of {0} bytes is over 4 MiB")]
    TooLarge(usize),
}

#[cfg(test)]
mod tests;
