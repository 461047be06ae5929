//! Reading a message.

use std::ops::Range;

use avocet_dag::{Cid, MAX_CID, Prefix, Version, code, varint};
use bytes::Bytes;

use super::{
    DecodeError, Entry, MAX_BLOCKS, MAX_ENTRIES, MAX_MESSAGE, MAX_PRESENCES, Message, Presence,
    RawBlock, WantKind,
    proto::{Field, Reader},
};

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

fn read_wantlist(
    bytes: &[u8],
    range: Range<usize>,
    message: &mut Message,
) -> Result<(), DecodeError> {
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

fn read_entry(bytes: &[u8], range: Range<usize>) -> Result<Option<Entry>, DecodeError> {
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

fn read_block(
    bytes: &Bytes,
    range: Range<usize>,
    message: &mut Message,
) -> Result<(), DecodeError> {
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

fn read_presence(
    bytes: &[u8],
    range: Range<usize>,
    message: &mut Message,
) -> Result<(), DecodeError> {
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
