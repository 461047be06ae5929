//! For the relay, the tools and the tests. There the compiler finds the vectors.

use std::array::from_fn;

use cipher::inout::InOut;

use crate::group::{self, Group, Lanes};

/// As [`group::apply`].
pub fn apply(state: &[u32; 16], group: InOut<'_, '_, Group>) {
    group::apply::<[u32; 4]>(state, group);
}

impl Lanes for [u32; 4] {
    #[inline(always)]
    fn new(words: Self) -> Self {
        words
    }

    #[inline(always)]
    fn read(bytes: &[u8; 16]) -> Self {
        let (words, _) = bytes.as_chunks();
        from_fn(|lane| u32::from_le_bytes(words[lane]))
    }

    #[inline(always)]
    fn write(self) -> [u8; 16] {
        from_fn(|at| self[at / 4].to_le_bytes()[at % 4])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        from_fn(|lane| self[lane].wrapping_add(other[lane]))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        from_fn(|lane| self[lane] ^ other[lane])
    }

    #[inline(always)]
    fn left<const BITS: u32>(self) -> Self {
        self.map(|word| word.rotate_left(BITS))
    }

    #[inline(always)]
    fn transposed(rows: [Self; 4]) -> [Self; 4] {
        from_fn(|column| from_fn(|row| rows[row][column]))
    }
}
