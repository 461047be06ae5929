//! Unsigned varints as the multiformats specification has them: seven bits a byte, the lowest
//! first, in the shortest form, at most nine bytes.

/// The longest varint: nine bytes hold 63 bits (multiformats, unsigned-varint).
pub const MAX_LEN: usize = 9;

/// Why bytes are no varint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VarintError {
    /// The bytes end inside the number.
    #[error("the bytes end inside a varint")]
    Truncated,
    /// The number goes on past the ninth byte.
    #[error("a varint is longer than {MAX_LEN} bytes")]
    TooLong,
    /// The last byte is zero: the same number has a shorter form.
    #[error("a varint is not in its shortest form")]
    NotMinimal,
}

/// Reads the varint that `bytes` begin with; gives it and its length.
pub fn read(bytes: &[u8]) -> Result<(u64, usize), VarintError> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(MAX_LEN).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            if *byte == 0 && index > 0 {
                return Err(VarintError::NotMinimal);
            }
            return Ok((value, index + 1));
        }
    }
    Err(if bytes.len() < MAX_LEN { VarintError::Truncated } else { VarintError::TooLong })
}

/// Appends `value`. All 64 bits are written, though [`read`] takes back 63 at most.
pub fn write(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes [`write()`] appends for `value`.
pub const fn len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prelude::*, test_runner::RngSeed};

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn what_is_written_is_read_back(value in 0..(1u64 << 63), rest in any::<Vec<u8>>()) {
            let mut bytes = Vec::new();
            write(value, &mut bytes);
            prop_assert_eq!(bytes.len(), len(value));
            let size = bytes.len();
            bytes.extend(rest);
            prop_assert_eq!(read(&bytes), Ok((value, size)));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        assert_eq!(read(&[]), Err(VarintError::Truncated));
        assert_eq!(read(&[0x80]), Err(VarintError::Truncated));
        assert_eq!(read(&[0x8a, 0x00]), Err(VarintError::NotMinimal));
        assert_eq!(read(&[0xff; 10]), Err(VarintError::TooLong));
        assert_eq!(read(&[0]), Ok((0, 1)));
    }
}
