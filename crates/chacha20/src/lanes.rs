//! Four words side by side.
//!
//! Everything is inlined by force: what is compiled for vectors is the one function that calls these.

#[cfg(not(target_arch = "wasm32"))]
pub use plain::*;
#[cfg(target_arch = "wasm32")]
pub use wasm::*;

#[cfg(target_arch = "wasm32")]
mod wasm {
    use core::arch::wasm32::{
        i8x16_shuffle, u32x4, u32x4_add, u32x4_shl, u32x4_shr, u32x4_shuffle, u64x2,
        u64x2_extract_lane, u64x2_shuffle, v128, v128_or, v128_xor,
    };

    /// Four words of 32 bits.
    pub type Lanes = v128;

    /// From the first to the last.
    #[inline(always)]
    pub fn lanes([a, b, c, d]: [u32; 4]) -> Lanes {
        u32x4(a, b, c, d)
    }

    /// Of 16 bytes, the least of each word first.
    #[inline(always)]
    pub fn read(bytes: &[u8; 16]) -> Lanes {
        let bytes = u128::from_le_bytes(*bytes);
        u64x2(bytes as u64, (bytes >> 64) as u64)
    }

    /// The reverse of [`read`].
    #[inline(always)]
    pub fn write(words: Lanes) -> [u8; 16] {
        let (low, high) = (u64x2_extract_lane::<0>(words), u64x2_extract_lane::<1>(words));
        (u128::from(low) | u128::from(high) << 64).to_le_bytes()
    }

    /// The sums, each modulo 2³².
    #[inline(always)]
    pub fn add(a: Lanes, b: Lanes) -> Lanes {
        u32x4_add(a, b)
    }

    #[inline(always)]
    pub fn xor(a: Lanes, b: Lanes) -> Lanes {
        v128_xor(a, b)
    }

    /// Each word rotated to the left: by whole bytes that is one instruction.
    #[inline(always)]
    pub fn left<const BITS: u32>(words: Lanes) -> Lanes {
        match BITS {
            8 => {
                i8x16_shuffle::<3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14>(words, words)
            }
            16 => {
                i8x16_shuffle::<2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13>(words, words)
            }
            _ => v128_or(u32x4_shl(words, BITS), u32x4_shr(words, 32 - BITS)),
        }
    }

    /// Rows for columns.
    #[inline(always)]
    pub fn transposed([a, b, c, d]: [Lanes; 4]) -> [Lanes; 4] {
        let (ab, cd) = (u32x4_shuffle::<0, 4, 1, 5>(a, b), u32x4_shuffle::<0, 4, 1, 5>(c, d));
        let (ab2, cd2) = (u32x4_shuffle::<2, 6, 3, 7>(a, b), u32x4_shuffle::<2, 6, 3, 7>(c, d));
        [
            u64x2_shuffle::<0, 2>(ab, cd),
            u64x2_shuffle::<1, 3>(ab, cd),
            u64x2_shuffle::<0, 2>(ab2, cd2),
            u64x2_shuffle::<1, 3>(ab2, cd2),
        ]
    }
}

/// The same for the relay, the tools and the tests. There the compiler finds the vectors.
#[cfg(not(target_arch = "wasm32"))]
mod plain {
    use std::array::from_fn;

    pub type Lanes = [u32; 4];

    #[inline(always)]
    pub fn lanes(words: [u32; 4]) -> Lanes {
        words
    }

    #[inline(always)]
    pub fn read(bytes: &[u8; 16]) -> Lanes {
        let (words, _) = bytes.as_chunks();
        from_fn(|lane| u32::from_le_bytes(words[lane]))
    }

    #[inline(always)]
    pub fn write(words: Lanes) -> [u8; 16] {
        from_fn(|at| words[at / 4].to_le_bytes()[at % 4])
    }

    #[inline(always)]
    pub fn add(a: Lanes, b: Lanes) -> Lanes {
        from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }

    #[inline(always)]
    pub fn xor(a: Lanes, b: Lanes) -> Lanes {
        from_fn(|lane| a[lane] ^ b[lane])
    }

    #[inline(always)]
    pub fn left<const BITS: u32>(words: Lanes) -> Lanes {
        words.map(|word| word.rotate_left(BITS))
    }

    #[inline(always)]
    pub fn transposed(rows: [Lanes; 4]) -> [Lanes; 4] {
        from_fn(|column| from_fn(|row| rows[row][column]))
    }
}
