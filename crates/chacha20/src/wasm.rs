//! With wasm's vectors of 128 bits.

use core::arch::wasm32::{
    i8x16_shuffle, u32x4, u32x4_add, u32x4_shl, u32x4_shr, u32x4_shuffle, u64x2,
    u64x2_extract_lane, u64x2_shuffle, v128, v128_or, v128_xor,
};

use cipher::inout::InOut;

use crate::group::{self, Group, Lanes};

/// As [`group::apply`].
#[target_feature(enable = "simd128")]
pub fn apply(state: &[u32; 16], group: InOut<'_, '_, Group>) {
    group::apply::<v128>(state, group);
}

impl Lanes for v128 {
    #[inline(always)]
    fn new([a, b, c, d]: [u32; 4]) -> Self {
        u32x4(a, b, c, d)
    }

    #[inline(always)]
    fn read(bytes: &[u8; 16]) -> Self {
        let bytes = u128::from_le_bytes(*bytes);
        u64x2(bytes as u64, (bytes >> 64) as u64)
    }

    #[inline(always)]
    fn write(self) -> [u8; 16] {
        let (low, high) = (u64x2_extract_lane::<0>(self), u64x2_extract_lane::<1>(self));
        (u128::from(low) | u128::from(high) << 64).to_le_bytes()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        u32x4_add(self, other)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        v128_xor(self, other)
    }

    /// By whole bytes that is one instruction.
    #[inline(always)]
    fn left<const BITS: u32>(self) -> Self {
        match BITS {
            8 => i8x16_shuffle::<3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14>(self, self),
            16 => i8x16_shuffle::<2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13>(self, self),
            _ => v128_or(u32x4_shl(self, BITS), u32x4_shr(self, 32 - BITS)),
        }
    }

    #[inline(always)]
    fn transposed([a, b, c, d]: [Self; 4]) -> [Self; 4] {
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
