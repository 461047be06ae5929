//! Four blocks at a time: lanes `n` hold word `n` of all four, so that a step of the cipher is one for the four.

use cipher::{
    consts::{U4, U64},
    generic_array::GenericArray,
    inout::InOut,
};

use crate::lanes::{Lanes, add, lanes, left, read, transposed, write, xor};

/// Blocks in a group.
pub const BLOCKS: usize = 4;

/// A group's bytes.
pub type Group = GenericArray<GenericArray<u8, U64>, U4>;

/// Puts the keystream's four blocks from `state` on to a group's bytes. It leaves the counter as it is.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn apply(state: &[u32; 16], mut group: InOut<'_, '_, Group>) {
    let words = stream(state);
    let (rows, _) = words.as_chunks::<4>();
    for (row, words) in rows.iter().enumerate() {
        for (block, stream) in transposed(*words).into_iter().enumerate() {
            let (bytes, _) = group.get_in()[block].as_chunks();
            let mixed = write(xor(stream, read(&bytes[row])));
            let (bytes, _) = group.get_out()[block].as_chunks_mut();
            bytes[row] = mixed;
        }
    }
}

/// The words of four blocks (RFC 8439, section 2.3.1).
#[inline(always)]
fn stream(state: &[u32; 16]) -> [Lanes; 16] {
    let mut begin = state.map(|word| lanes([word; BLOCKS]));
    begin[12] = add(begin[12], lanes([0, 1, 2, 3]));
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
        *word = add(*word, begin);
    }
    words
}

/// The quarter round of four blocks (RFC 8439, section 2.1).
#[inline(always)]
fn quarter(words: &mut [Lanes; 16], [a, b, c, d]: [usize; 4]) {
    words[a] = add(words[a], words[b]);
    words[d] = left::<16>(xor(words[d], words[a]));
    words[c] = add(words[c], words[d]);
    words[b] = left::<12>(xor(words[b], words[c]));
    words[a] = add(words[a], words[b]);
    words[d] = left::<8>(xor(words[d], words[a]));
    words[c] = add(words[c], words[d]);
    words[b] = left::<7>(xor(words[b], words[c]));
}
