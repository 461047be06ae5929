//! The header: DAG-CBOR of one form only, so that a cursor over it is all that it takes.
//!
//! It is not read as a block of DAG-CBOR is: nobody hashes it, and writers that do not sort its two
//! keys are read by other implementations too.

use std::ops::Range;

use super::CarError;
use crate::{Cid, CidError, varint};

/// The first bytes of an archive of version 2: a header of its own, with nothing but the version.
const PRAGMA: u64 = 11;
/// How many bytes follow it: flags (16 bytes), then where the data begins, how long it is, and
/// where the index begins (8 bytes each, the lowest first).
pub(super) const PRELUDE: usize = 40;

/// Why a header cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It ends in the middle.
    #[error("it ends inside a value")]
    Truncated,
    /// Bytes follow the map.
    #[error("{0} bytes follow it")]
    Trailing(usize),
    /// Something stands where a CBOR value of another sort is needed, or it is not in the
    /// shortest form.
    #[error("{0} was expected")]
    Expected(&'static str),
    /// The map has a key that it must not have, or one twice.
    #[error("a key that does not belong there")]
    Key,
    /// The list of roots is missing.
    #[error("it has no roots")]
    NoRoots,
    /// The version is missing.
    #[error("it has no version")]
    NoVersion,
    /// A root is no CID.
    #[error("root {index}: {source}")]
    Root {
        /// Which one, from 0.
        index: usize,
        /// What is wrong with it.
        source: CidError,
    },
}

/// The tag of a CID in DAG-CBOR.
const TAG_CID: u64 = 42;

/// A header of version 1 with its length before it: what an archive begins with.
pub fn header(roots: &[Cid]) -> Vec<u8> {
    let mut body = vec![0xa2];
    text("roots", &mut body);
    head(4, roots.len() as u64, &mut body);
    for root in roots {
        let cid = root.to_bytes();
        head(6, TAG_CID, &mut body);
        head(2, cid.len() as u64 + 1, &mut body);
        body.push(0); // the multibase prefix of bytes that are in no base
        body.extend_from_slice(&cid);
    }
    text("version", &mut body);
    head(0, 1, &mut body);
    let mut out = Vec::with_capacity(varint::MAX_LEN + body.len());
    varint::write(body.len() as u64, &mut out);
    out.append(&mut body);
    out
}

/// What a header says, whichever version it is of.
#[derive(Debug)]
pub(super) struct Decoded {
    pub version: u64,
    pub roots: Option<Vec<Cid>>,
}

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, HeaderError> {
    let mut cursor = Cursor(bytes);
    let (mut version, mut roots) = (None, None);
    for _ in 0..cursor.head(5, "a map")? {
        let len = cursor.head(3, "a key")?;
        let is_new = match cursor.take(len)? {
            b"version" => version.replace(cursor.head(0, "a version number")?).is_none(),
            b"roots" => roots.replace(cursor.roots()?).is_none(),
            _ => false,
        };
        if !is_new {
            return Err(HeaderError::Key);
        }
    }
    match cursor.0.len() {
        0 => Ok(Decoded { version: version.ok_or(HeaderError::NoVersion)?, roots }),
        left => Err(HeaderError::Trailing(left)),
    }
}

/// Where the data lies in an archive of version 2, by what follows its pragma. `len` is the
/// archive's length where that is known.
pub(super) fn data(prelude: &[u8], len: Option<u64>) -> Result<Range<u64>, CarError> {
    let number = |at: usize| {
        let bytes = prelude[at..at + 8].iter().rev();
        bytes.fold(0, |value, byte| value << 8 | u64::from(*byte))
    };
    let (offset, size) = (number(16), number(24));
    match offset.checked_add(size) {
        Some(end) if offset >= PRAGMA + PRELUDE as u64 && end <= len.unwrap_or(end) => {
            Ok(offset..end)
        }
        _ => Err(CarError::Data { offset, size }),
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// The number at the head of a value of this major type. Lengths that are not said at once
    /// (indefinite), and numbers that have a shorter form, are refused.
    fn head(&mut self, major: u8, what: &'static str) -> Result<u64, HeaderError> {
        let first = self.take(1)?[0];
        let expected = HeaderError::Expected(what);
        if first >> 5 != major {
            return Err(expected);
        }
        let (value, least) = match first & 31 {
            small @ ..24 => return Ok(u64::from(small)),
            size @ 24..28 => {
                let bytes = self.take(1 << (size - 24))?;
                let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
                (value, [24, 1 << 8, 1 << 16, 1 << 32][usize::from(size) - 24])
            }
            _ => return Err(expected),
        };
        if value < least { Err(expected) } else { Ok(value) }
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], HeaderError> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let (taken, rest) = self.0.split_at_checked(len).ok_or(HeaderError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn roots(&mut self) -> Result<Vec<Cid>, HeaderError> {
        let mut roots = Vec::new();
        for index in 0..self.head(4, "a list of roots")? {
            if self.head(6, "a CID")? != TAG_CID {
                return Err(HeaderError::Expected("a CID"));
            }
            let len = self.head(2, "a CID")?;
            let cid = self.take(len)?.strip_prefix(&[0]);
            let cid = Cid::from_bytes(cid.ok_or(HeaderError::Expected("a CID"))?);
            let index = index as usize;
            roots.push(cid.map_err(|source| HeaderError::Root { index, source })?);
        }
        Ok(roots)
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    head(3, text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn head(major: u8, value: u64, out: &mut Vec<u8>) {
    let bytes = value.to_be_bytes();
    let (size, len) = match value {
        ..24 => return out.push(major << 5 | value as u8),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    out.push(major << 5 | size);
    out.extend_from_slice(&bytes[8 - len..]);
}
