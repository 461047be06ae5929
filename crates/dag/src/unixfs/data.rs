//! The protobuf message inside a DAG-PB node that makes it a file or a directory.

use std::ops::Range;

use super::OptionsError;
use crate::{
    MAX_BLOCK,
    proto::{Fields, ProtoError, Value},
    varint,
};

/// The most block sizes that a node can list: each belongs to a link, and a link takes at least
/// eight bytes of a block.
pub const MAX_BLOCKSIZES: usize = MAX_BLOCK / 8;

/// Why a DAG-PB node's data is not UnixFS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// The node has no data.
    #[error("it has no data")]
    Missing,
    /// The data is not protobuf.
    #[error(transparent)]
    Proto(#[from] ProtoError),
    /// The message has no type.
    #[error("it has no type")]
    NoType,
    /// A type that does not exist.
    #[error("type {0} is not known")]
    Type(u64),
    /// A field of the wrong wire type.
    #[error("field {0} has the wrong wire type")]
    Field(u64),
    /// More than [`MAX_BLOCKSIZES`] block sizes.
    #[error("it lists more than {MAX_BLOCKSIZES} block sizes")]
    TooManySizes,
    /// A symbolic link that links to blocks.
    #[error("it is a symbolic link with links")]
    LinkedSymlink,
}

/// The type of a node, numbered as in the specification's enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Bytes of a file: some writers' leaves.
    Raw = 0,
    /// A directory.
    Directory = 1,
    /// A file or a part of one.
    File = 2,
    /// Never used.
    Metadata = 3,
    /// A symbolic link; its target is the data.
    Symlink = 4,
    /// A part of a sharded directory.
    HamtShard = 5,
}

/// A time since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mtime {
    /// Whole seconds, any.
    pub secs: i64,
    /// Nanoseconds, below 1,000,000,000; zero is written as an absent field.
    pub nanos: u32,
}

/// What a file, directory or link may carry beside its content. `None` is written as nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Meta {
    /// File mode, all bits kept.
    pub mode: Option<u32>,
    /// When it was last changed.
    pub mtime: Option<Mtime>,
}

impl Meta {
    /// Whether there is neither.
    pub const fn is_empty(&self) -> bool {
        self.mode.is_none() && self.mtime.is_none()
    }

    /// Whether the time is one.
    pub fn check(&self) -> Result<(), OptionsError> {
        match self.mtime {
            Some(Mtime { nanos, .. }) if nanos >= NANOS => Err(OptionsError::Nanos(nanos)),
            _ => Ok(()),
        }
    }
}

/// Nanoseconds of a second.
const NANOS: u32 = 1_000_000_000;

/// The message. What is `None` was absent, and is not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data<'a> {
    /// What the node is.
    pub kind: Kind,
    /// A file's own bytes, a link's target, a shard's bitfield.
    pub data: Option<&'a [u8]>,
    /// Bytes of the whole file below.
    pub filesize: Option<u64>,
    /// Bytes of the file under each link, in the links' order.
    pub blocksizes: Vec<u64>,
    /// A shard's hash function.
    pub hash_type: Option<u64>,
    /// A shard's width.
    pub fanout: Option<u64>,
    /// File mode, all bits kept.
    pub mode: Option<u32>,
    /// When it was last changed.
    pub mtime: Option<Mtime>,
    /// Where in the message `data` was found.
    at: usize,
}

impl<'a> Data<'a> {
    /// A message of this type and nothing else.
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            data: None,
            filesize: None,
            blocksizes: Vec::new(),
            hash_type: None,
            fanout: None,
            mode: None,
            mtime: None,
            at: 0,
        }
    }

    /// Sets mode and time.
    pub const fn set_meta(&mut self, meta: Meta) {
        (self.mode, self.mtime) = (meta.mode, meta.mtime);
    }

    /// Reads a message. Unknown fields are skipped, and of a field that comes twice the last one
    /// counts, as in any protobuf decoder.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DataError> {
        let mut out = Self::new(Kind::Raw);
        let mut kind = None;
        let mut fields = Fields::new(bytes);
        while let Some((field, value)) = fields.next()? {
            match (field, value) {
                (1, Value::Varint(number)) => kind = Some(number),
                (2, Value::Bytes(range)) => {
                    out.at = range.start;
                    out.data = Some(&bytes[range]);
                }
                (3, Value::Varint(size)) => out.filesize = Some(size),
                (4, Value::Varint(size)) => out.push_size(size)?,
                (4, Value::Bytes(range)) => {
                    let mut packed = Fields::new(&bytes[range]);
                    while packed.at < packed.bytes.len() {
                        out.push_size(packed.varint()?)?;
                    }
                }
                (5, Value::Varint(number)) => out.hash_type = Some(number),
                (6, Value::Varint(number)) => out.fanout = Some(number),
                (7, Value::Varint(mode)) => out.mode = Some(mode as u32),
                (8, Value::Bytes(range)) => out.mtime = decode_mtime(&bytes[range])?,
                (1..=8, _) => return Err(DataError::Field(field)),
                _ => {}
            }
        }
        out.kind = match kind.ok_or(DataError::NoType)? {
            0 => Kind::Raw,
            1 => Kind::Directory,
            2 => Kind::File,
            3 => Kind::Metadata,
            4 => Kind::Symlink,
            5 => Kind::HamtShard,
            other => return Err(DataError::Type(other)),
        };
        Ok(out)
    }

    /// The message's bytes, fields in the order of their numbers.
    pub fn encode(&self) -> Vec<u8> {
        let data_len = self.data.map_or(0, <[u8]>::len);
        let mut out = Vec::with_capacity(64 + data_len + 6 * self.blocksizes.len());
        let number = |field: u8, value: u64, out: &mut Vec<u8>| {
            out.push(field << 3);
            varint::write(value, out);
        };
        number(1, self.kind as u64, &mut out);
        if let Some(data) = self.data {
            out.push(2 << 3 | 2);
            varint::write(data.len() as u64, &mut out);
            out.extend_from_slice(data);
        }
        if let Some(size) = self.filesize {
            number(3, size, &mut out);
        }
        self.blocksizes.iter().for_each(|size| number(4, *size, &mut out));
        let rest = [(5, self.hash_type), (6, self.fanout), (7, self.mode.map(u64::from))];
        for (field, value) in rest {
            if let Some(value) = value {
                number(field, value, &mut out);
            }
        }
        if let Some(mtime) = self.mtime {
            let mut inner = Vec::with_capacity(16);
            number(1, mtime.secs as u64, &mut inner);
            if mtime.nanos != 0 {
                inner.push(2 << 3 | 5);
                inner.extend_from_slice(&mtime.nanos.to_le_bytes());
            }
            out.push(8 << 3 | 2);
            varint::write(inner.len() as u64, &mut out);
            out.extend_from_slice(&inner);
        }
        out
    }

    /// Where in the decoded message the data lies; empty where there is none.
    pub fn data_range(&self) -> Range<usize> {
        self.at..self.at + self.data.map_or(0, <[u8]>::len)
    }

    fn push_size(&mut self, size: u64) -> Result<(), DataError> {
        if self.blocksizes.len() == MAX_BLOCKSIZES {
            return Err(DataError::TooManySizes);
        }
        self.blocksizes.push(size);
        Ok(())
    }
}

/// `None` for a time that breaks its rules: it is shown as no time, and the file stays readable.
fn decode_mtime(bytes: &[u8]) -> Result<Option<Mtime>, DataError> {
    let (mut secs, mut nanos, mut valid) = (None, 0, true);
    let mut fields = Fields::new(bytes);
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Value::Varint(value)) => secs = Some(value as i64),
            (2, Value::Fixed32(value)) => {
                nanos = value;
                valid = (1..NANOS).contains(&value);
            }
            (1 | 2, _) => return Err(DataError::Field(8)),
            _ => {}
        }
    }
    Ok(secs.filter(|_| valid).map(|secs| Mtime { secs, nanos }))
}
