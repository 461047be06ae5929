//! Four blocks at a time: lanes `n` hold word `n` of all four, so that a step of the cipher is one for the four.
//!
//! Everything is inlined by force: what is compiled for vectors is the one function that calls [`apply`].

use cipher::{
    consts::{U4, U64},
    generic_array::GenericArray,
    inout::InOut,
};

/// Blocks in a group.
pub const BLOCKS: usize = 4;

/// A group's bytes.
pub type Group = GenericArray<GenericArray<u8, U64>, U4>;

/// Four words of 32 bits side by side.
pub trait Lanes: Copy {
    /// From the first to the last.
    fn new(words: [u32; BLOCKS]) -> Self;

    /// Of 16 bytes, the least of each word first.
    fn read(bytes: &[u8; 16]) -> Self;

    /// The reverse of [`Lanes::read`].
    fn write(self) -> [u8; 16];

    /// The sums, each modulo 2³².
    fn add(self, other: Self) -> Self;

    fn xor(self, other: Self) -> Self;

    /// Each word rotated to the left.
    fn left<const BITS: u32>(self) -> Self;

    /// Rows for columns.
    fn transposed(rows: [Self; 4]) -> [Self; 4];
}

/// Puts the keystream's four blocks from `state` on to a group's bytes. It leaves the counter as it is.
#[inline(always)]
pub fn apply<L: Lanes>(state: &[u32; 16], mut group: InOut<'_, '_, Group>) {
    let words = stream::<L>(state);
    let (rows, _) = words.as_chunks::<4>();
    for (row, words) in rows.iter().enumerate() {
        for (block, stream) in L::transposed(*words).into_iter().enumerate() {
            let (bytes, _) = group.get_in()[block].as_chunks();
            let mixed = stream.xor(L::read(&bytes[row])).write();
            let (bytes, _) = group.get_out()[block].as_chunks_mut();
            bytes[row] = mixed;
        }
    }
}

/// The words of four blocks (RFC 8439, section 2.3.1).
#[inline(always)]
fn stream<L: Lanes>(state: &[u32; 16]) -> [L; 16] {
    let mut begin = state.map(|word| L::new([word; BLOCKS]));
    begin[12] = begin[12].add(L::new([0, 1, 2, 3]));
    let mut words = begin;
    for _ in 0..10 {
        quarter(&mut words, [0, 4, 8, 12]);
        quarter(&mut words, [1, 5, 9, 13]);
        quarter(&mut words, [2, 6, 10, 14]);
        quarter(&mut words, [3, 7, 11, 15]);
        quarter(&mut words, [0, 5, 10, 15]);
        quarter(&mut words, [1, 6, 11, 12]);
        quarter(&mut words, [2, 7, 8, 13]);
        quarter(&mut words, [3, 4, 9, 14]);
    }
    for (word, begin) in words.iter_mut().zip(begin) {
        *word = word.add(begin);
    }
    words
}

/// The quarter round of four blocks (RFC 8439, section 2.1).
#[inline(always)]
fn quarter<L: Lanes>(words: &mut [L; 16], [a, b, c, d]: [usize; 4]) {
    words[a] = words[a].add(words[b]);
    words[d] = words[d].xor(words[a]).left::<16>();
    words[c] = words[c].add(words[d]);
    words[b] = words[b].xor(words[c]).left::<12>();
    words[a] = words[a].add(words[b]);
    words[d] = words[d].xor(words[a]).left::<8>();
    words[c] = words[c].add(words[d]);
    words[b] = words[b].xor(words[c]).left::<7>();
}
