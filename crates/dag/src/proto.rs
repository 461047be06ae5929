//! The protobuf wire format, as little of it as DAG-PB, UnixFS and the DHT's messages need.

use std::ops::Range;

/// Why bytes are no protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtoError {
    /// A number or a field runs past the end.
    #[error("a field runs past the end")]
    Truncated,
    /// A number does not fit 64 bits.
    #[error("a number does not fit 64 bits")]
    Overflow,
    /// A wire type that does not exist, or a group (which proto3 no longer has).
    #[error("wire type {0} is not known")]
    WireType(u8),
    /// Field number 0, or above the 29 bits that there are.
    #[error("field number {0} is not allowed")]
    Field(u64),
}

/// A field's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Varint(u64),
    /// Eight bytes, which nothing here has a use for.
    Fixed64,
    /// Where the bytes lie in the message.
    Bytes(Range<usize>),
    /// Four bytes, lowest first.
    Fixed32(u32),
}

/// Walks the fields of the message in `bytes[at..]`. Nothing is copied or allocated.
pub struct Fields<'a> {
    /// The whole message.
    pub bytes: &'a [u8],
    /// Where the next field begins.
    pub at: usize,
}

impl<'a> Fields<'a> {
    /// From the first field on.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next field's number and content; `None` at the end.
    ///
    /// # Errors
    /// When what follows is no field.
    #[expect(clippy::should_implement_trait, reason = "an iterator would go on after an error")]
    pub fn next(&mut self) -> Result<Option<(u64, Value)>, ProtoError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let (field, wire) = (key >> 3, (key & 7) as u8);
        if field == 0 || field >= 1 << 29 {
            return Err(ProtoError::Field(field));
        }
        let value = match wire {
            0 => Value::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed64
            }
            2 => {
                let len = self.varint()?;
                Value::Bytes(self.take(len)?)
            }
            5 => {
                let range = self.take(4)?;
                let bytes = self.bytes[range].try_into().map_err(|_| ProtoError::Truncated)?;
                Value::Fixed32(u32::from_le_bytes(bytes))
            }
            other => return Err(ProtoError::WireType(other)),
        };
        Ok(Some((field, value)))
    }

    /// Protobuf's own varint: up to ten bytes, the shortest form not demanded.
    ///
    /// # Errors
    /// When the bytes end inside it, or it does not fit 64 bits.
    pub fn varint(&mut self) -> Result<u64, ProtoError> {
        let mut value = 0u64;
        for index in 0..10 {
            let byte = *self.bytes.get(self.at).ok_or(ProtoError::Truncated)?;
            self.at += 1;
            if index == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ProtoError::Overflow)
    }

    fn take(&mut self, len: u64) -> Result<Range<usize>, ProtoError> {
        let left = self.bytes.len() - self.at;
        match usize::try_from(len) {
            Ok(len) if len <= left => {
                let start = self.at;
                self.at += len;
                Ok(start..self.at)
            }
            _ => Err(ProtoError::Truncated),
        }
    }
}
