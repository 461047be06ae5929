//! The protobuf wire format, as little of it as a Bitswap message needs.

use std::ops::Range;

use avocet_dag::varint;

use super::DecodeError;

/// One field of a message: its number and what it holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A number.
    Varint(u64, u64),
    /// Where the bytes lie, counted from the start of the whole buffer.
    Bytes(u64, Range<usize>),
    /// Of a kind that no field of Bitswap is in.
    Other,
}

/// Walks the fields of the message in `bytes[at..end]`. Nothing is copied or allocated.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// `range` lies within `bytes`.
    pub(super) const fn new(bytes: &'a [u8], range: Range<usize>) -> Self {
        Self { bytes, at: range.start, end: range.end }
    }

    /// The next field; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Field>, DecodeError> {
        if self.at == self.end {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 || number >= 1 << 29 {
            return Err(DecodeError::FieldNumber(number));
        }
        Ok(Some(match key & 7 {
            0 => Field::Varint(number, self.varint()?),
            1 => self.skip(8)?,
            2 => {
                let len = self.varint()?;
                Field::Bytes(number, self.take(len)?)
            }
            5 => self.skip(4)?,
            other => return Err(DecodeError::WireType(other as u8)),
        }))
    }

    /// Protobuf's own varint: up to ten bytes, the shortest form not demanded.
    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for index in 0..10 {
            if self.at == self.end {
                return Err(DecodeError::Truncated);
            }
            let byte = *self.bytes.get(self.at).ok_or(DecodeError::Truncated)?;
            self.at += 1;
            if index == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Overflow)
    }

    fn skip(&mut self, len: u64) -> Result<Field, DecodeError> {
        self.take(len)?;
        Ok(Field::Other)
    }

    fn take(&mut self, len: u64) -> Result<Range<usize>, DecodeError> {
        match usize::try_from(len) {
            Ok(len) if len <= self.end - self.at => {
                let start = self.at;
                self.at += len;
                Ok(start..self.at)
            }
            _ => Err(DecodeError::Truncated),
        }
    }
}

/// The length of field `number` with `len` bytes in it; field numbers here are below 16.
pub(super) const fn bytes_len(len: usize) -> usize {
    1 + varint::len(len as u64) + len
}

/// The length of a number; proto3 leaves out a zero.
pub(super) const fn number_len(value: u64) -> usize {
    if value == 0 { 0 } else { 1 + varint::len(value) }
}

/// Writes what comes before `len` bytes of field `number`.
pub(super) fn write_head(number: u8, len: usize, out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    varint::write(len as u64, out);
}

/// Writes a field of bytes.
pub(super) fn write_bytes(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    write_head(number, bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Writes a number, unless it is zero.
pub(super) fn write_number(number: u8, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        out.push(number << 3);
        varint::write(value, out);
    }
}
