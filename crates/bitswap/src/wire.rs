//! The message of Bitswap 1.2 and its limits, as the Bitswap specification has them
//! (<https://specs.ipfs.tech/bitswap-protocol/>).
//!
//! On a stream every message follows its length, an unsigned varint. [`read_length`] takes that
//! length off, [`decode`] reads a message, [`encode`] writes one with its length. A message is
//! read without any allocation from a size that it claims; block data are slices of the message.

mod proto;

use avocet_dag::{Block, Cid, MAX_CID, Payload, Prefix, Version, code, varint};
use bytes::Bytes;

use self::proto::{Field, Reader, bytes_len, number_len, write_bytes, write_head, write_number};

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

/// Reads the length that a message follows. Gives the length and how many bytes it took, or
/// `None` when `bytes` end inside it.
pub fn read_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, DecodeError> {
    match varint::read(bytes) {
        Ok((length, used)) => match usize::try_from(length) {
            Ok(length) if length <= MAX_MESSAGE => Ok(Some((length, used))),
            _ => Err(DecodeError::TooLarge(length)),
        },
        Err(varint::VarintError::Truncated) => Ok(None),
        Err(error) => Err(DecodeError::Length(error)),
    }
}

/// Reads a message, without its length. Unknown fields are passed over.
pub fn decode(bytes: Bytes) -> Result<Message, DecodeError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(DecodeError::TooLarge(bytes.len() as u64));
    }
    let mut message = Message { size: bytes.len(), ..Message::default() };
    let mut fields = Reader::new(&bytes, 0..bytes.len());
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, range) => read_wantlist(&bytes, range, &mut message)?,
            Field::Bytes(2, range) => {
                message.add_block(Some(CID_V0), bytes.slice(range));
            }
            Field::Bytes(3, range) => read_block(&bytes, range, &mut message)?,
            Field::Bytes(4, range) => read_presence(&bytes, range, &mut message)?,
            Field::Varint(5, value) => message.pending_bytes = value as i32,
            _ => {}
        }
    }
    Ok(message)
}

/// Writes a message with its length before it.
pub fn encode<B: Payload>(message: &Outgoing<B>) -> Result<Vec<u8>, EncodeError> {
    let size = encoded_len(message);
    if size > MAX_MESSAGE {
        return Err(EncodeError::TooLarge(size));
    }
    let mut out = Vec::with_capacity(varint::len(size as u64) + size);
    varint::write(size as u64, &mut out);
    if !message.wants.is_empty() || message.full {
        write_head(1, wantlist_len(message), &mut out);
        for entry in &message.wants {
            write_entry(entry, &mut out);
        }
        write_number(2, message.full.into(), &mut out);
    }
    for block in &message.blocks {
        let bytes = block.bytes().as_bytes();
        let bytes = bytes.ok_or_else(|| EncodeError::OutOfReach(block.cid().clone()))?;
        let prefix = block.cid().prefix();
        write_head(3, bytes_len(prefix.len()) + bytes_len(bytes.len()), &mut out);
        write_bytes(1, &prefix, &mut out);
        write_bytes(2, bytes, &mut out);
    }
    for presence in &message.presences {
        write_head(4, presence_body_len(presence), &mut out);
        write_bytes(1, &presence.cid.to_bytes(), &mut out);
        write_number(2, (!presence.have).into(), &mut out);
    }
    write_number(5, pending(message), &mut out);
    Ok(out)
}

/// How long a message is, without its length before it.
pub fn encoded_len<B: Payload>(message: &Outgoing<B>) -> usize {
    let wants = match wantlist_len(message) {
        0 => 0,
        len => bytes_len(len),
    };
    let blocks: usize = message.blocks.iter().map(block_len).sum();
    let presences: usize = message.presences.iter().map(presence_len).sum();
    wants + blocks + presences + number_len(pending(message))
}

/// How much longer a block makes a message.
pub(crate) fn block_len<B: Payload>(block: &Block<B>) -> usize {
    bytes_len(bytes_len(block.cid().prefix().len()) + bytes_len(block.len()))
}

/// How much longer a presence makes a message.
pub(crate) fn presence_len(presence: &Presence) -> usize {
    bytes_len(presence_body_len(presence))
}

/// What a block without a prefix is: Bitswap 1.0 knew CIDs of version 0 only.
const CID_V0: Prefix =
    Prefix { version: Version::V0, codec: code::DAG_PB, hash: code::SHA2_256, digest_len: 32 };

impl Message {
    fn add_block(&mut self, prefix: Option<Prefix>, data: Bytes) {
        match prefix {
            Some(prefix) if self.blocks.len() < MAX_BLOCKS => {
                self.blocks.push(RawBlock { prefix, data });
            }
            _ => self.rejected += 1,
        }
    }
}

type Range = std::ops::Range<usize>;

fn read_wantlist(bytes: &[u8], range: Range, message: &mut Message) -> Result<(), DecodeError> {
    let mut fields = Reader::new(bytes, range);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, range) => {
                let entry = read_entry(bytes, range)?;
                if let Some(entry) = entry.filter(|_| message.wants.len() < MAX_ENTRIES) {
                    message.wants.push(entry);
                }
            }
            Field::Varint(2, value) => message.full = value != 0,
            _ => {}
        }
    }
    Ok(())
}

fn read_entry(bytes: &[u8], range: Range) -> Result<Option<Entry>, DecodeError> {
    let mut fields = Reader::new(bytes, range);
    let (mut cid, mut priority, mut cancel) = (None, 0, false);
    let (mut kind, mut send_dont_have) = (WantKind::Block, false);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, range) => cid = read_cid(&bytes[range]),
            Field::Varint(2, value) => priority = value as i32,
            Field::Varint(3, value) => cancel = value != 0,
            Field::Varint(4, value) => {
                kind = if value == 1 { WantKind::Have } else { WantKind::Block };
            }
            Field::Varint(5, value) => send_dont_have = value != 0,
            _ => {}
        }
    }
    Ok(cid.map(|cid| Entry { cid, priority, cancel, kind, send_dont_have }))
}

fn read_block(bytes: &Bytes, range: Range, message: &mut Message) -> Result<(), DecodeError> {
    let mut fields = Reader::new(bytes, range);
    let (mut prefix, mut data) = (None, Bytes::new());
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, range) => prefix = Prefix::parse(&bytes[range]).ok(),
            Field::Bytes(2, range) => data = bytes.slice(range),
            _ => {}
        }
    }
    message.add_block(prefix, data);
    Ok(())
}

fn read_presence(bytes: &[u8], range: Range, message: &mut Message) -> Result<(), DecodeError> {
    let mut fields = Reader::new(bytes, range);
    let (mut cid, mut have) = (None, true);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, range) => cid = read_cid(&bytes[range]),
            Field::Varint(2, value) => have = value == 0,
            _ => {}
        }
    }
    if let Some(cid) = cid.filter(|_| message.presences.len() < MAX_PRESENCES) {
        message.presences.push(Presence { cid, have });
    }
    Ok(())
}

/// A CID of at most [`MAX_CID`] bytes; a longer one is not even looked at.
fn read_cid(bytes: &[u8]) -> Option<Cid> {
    if bytes.len() > MAX_CID {
        return None;
    }
    Cid::from_bytes(bytes).ok()
}

fn wantlist_len<B>(message: &Outgoing<B>) -> usize {
    let entries: usize = message.wants.iter().map(|entry| bytes_len(entry_len(entry))).sum();
    entries + number_len(message.full.into())
}

fn entry_len(entry: &Entry) -> usize {
    let [priority, cancel, kind, send_dont_have] = entry_numbers(entry);
    bytes_len(entry.cid.encoded_len())
        + number_len(priority)
        + number_len(cancel)
        + number_len(kind)
        + number_len(send_dont_have)
}

fn write_entry(entry: &Entry, out: &mut Vec<u8>) {
    write_head(1, entry_len(entry), out);
    write_bytes(1, &entry.cid.to_bytes(), out);
    for (number, value) in (2..).zip(entry_numbers(entry)) {
        write_number(number, value, out);
    }
}

/// Fields 2 to 5. An int32 is written as the 64 bits that it is when its sign is carried on.
fn entry_numbers(entry: &Entry) -> [u64; 4] {
    let have = entry.kind == WantKind::Have;
    [
        i64::from(entry.priority) as u64,
        entry.cancel.into(),
        have.into(),
        entry.send_dont_have.into(),
    ]
}

fn presence_body_len(presence: &Presence) -> usize {
    bytes_len(presence.cid.encoded_len()) + number_len((!presence.have).into())
}

fn pending<B>(message: &Outgoing<B>) -> u64 {
    message.pending_bytes.min(i32::MAX as usize) as u64
}

#[cfg(test)]
mod tests;
