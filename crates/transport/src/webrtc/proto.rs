//! The little of protobuf that the two wire formats of WebRTC need: varints, and the fields of
//! one flat message.

use thiserror::Error;

/// Bytes that are no protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProtoError {
    /// A varint that is longer than its value needs, or longer than 64 bits.
    #[error("varint is not minimal or passes 64 bits")]
    Varint,
    /// A field that ends behind the message.
    #[error("field {0} runs past the end of its message")]
    Truncated(u64),
    /// A wire type that proto3 does not have.
    #[error("field {field} has wire type {wire_type}")]
    WireType {
        /// The field's number.
        field: u64,
        /// The type found: 3 and 4 are groups, 6 and 7 do not exist.
        wire_type: u64,
    },
}

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// Of a fixed width; no message here has one.
    Fixed,
}

/// Reads a varint at the start of `bytes`: its value and length, or `None` when it goes on behind
/// the end.
pub(crate) fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, ProtoError> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        let low = u64::from(byte & 0x7f);
        if at == 9 && low > 1 {
            return Err(ProtoError::Varint);
        }
        value |= low << (7 * at);
        if byte & 0x80 == 0 {
            // the last byte of a minimal varint is zero only when it is the whole
            let minimal = at == 0 || *byte != 0;
            return if minimal { Ok(Some((value, at + 1))) } else { Err(ProtoError::Varint) };
        }
    }
    if bytes.len() >= 10 { Err(ProtoError::Varint) } else { Ok(None) }
}

/// Appends `value` as a varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The fields of a message, in order. After an error there are none.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn varint(&mut self, field: u64) -> Result<u64, ProtoError> {
        let (value, len) = varint(self.rest)?.ok_or(ProtoError::Truncated(field))?;
        self.rest = &self.rest[len..];
        Ok(value)
    }

    fn take(&mut self, field: u64, len: u64) -> Result<&'a [u8], ProtoError> {
        let len = usize::try_from(len).map_err(|_| ProtoError::Truncated(field))?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(ProtoError::Truncated(field))?;
        self.rest = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), ProtoError> {
        let tag = self.varint(0)?;
        let (field, wire_type) = (tag >> 3, tag & 7);
        let value = match wire_type {
            0 => Value::Varint(self.varint(field)?),
            1 => self.take(field, 8).map(|_| Value::Fixed)?,
            2 => {
                let len = self.varint(field)?;
                Value::Bytes(self.take(field, len)?)
            }
            5 => self.take(field, 4).map(|_| Value::Fixed)?,
            _ => return Err(ProtoError::WireType { field, wire_type }),
        };
        Ok((field, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), ProtoError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn net_09_varints_that_are_too_long_are_refused() {
        assert_eq!(varint(&[0x8a, 0x00]), Err(ProtoError::Varint));
        assert_eq!(varint(&[0xff; 10]), Err(ProtoError::Varint));
        assert_eq!(
            varint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]),
            Err(ProtoError::Varint)
        );
        assert_eq!(varint(&[0xff; 9]), Ok(None));
        assert_eq!(varint(&[0x00]), Ok(Some((0, 1))));
    }

    #[test]
    fn groups_and_lying_lengths_are_refused() {
        assert_eq!(
            Fields::new(&[0x0b]).next(),
            Some(Err(ProtoError::WireType { field: 1, wire_type: 3 }))
        );
        assert_eq!(Fields::new(&[0x12, 0x7f, 1]).next(), Some(Err(ProtoError::Truncated(2))));
        assert_eq!(Fields::new(&[0x09, 1, 2]).next(), Some(Err(ProtoError::Truncated(1))));
    }

    proptest! {
        #[test]
        fn varints_come_back(value in any::<u64>(), tail in prop::collection::vec(any::<u8>(), 0..4)) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let len = bytes.len();
            bytes.extend(tail);
            prop_assert_eq!(varint(&bytes), Ok(Some((value, len))));
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Fields::new(&bytes).count() <= bytes.len());
        }
    }
}
