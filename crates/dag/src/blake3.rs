//! BLAKE3, the plain hash alone (no key, no derivation): a tenth of the code of the usual crate,
//! which is written for processors with vectors that wasm does not have here.
//!
//! Content is cut into chunks of 1024 bytes, each a chain of blocks of 64; their values are the
//! leaves of a binary tree whose left sides are complete, and the root gives the digest.

/// Bytes of a chunk.
const CHUNK: usize = 1024;
/// Bytes of a block.
const BLOCK: usize = 64;

/// What a block is, for the function to tell it from others.
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const PARENT: u32 = 4;
const ROOT: u32 = 8;

/// The first chaining value: that of SHA-256.
const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
/// Where each word of a block goes between two rounds.
const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

/// The first 64 bytes of the digest of `bytes`; the usual one are the first 32 of them.
pub fn hash(bytes: &[u8]) -> [u8; 64] {
    // the values of complete subtrees that are no part of a larger one yet, the largest first
    let mut subtrees = Vec::new();
    let (mut left, mut chunks) = (bytes, 0_u64);
    while left.len() > CHUNK {
        let (chunk, rest) = left.split_at(CHUNK);
        let mut value = Node::of_chunk(chunk, chunks).value();
        left = rest;
        chunks += 1;
        for _ in 0..chunks.trailing_zeros() {
            let Some(sibling) = subtrees.pop() else { break };
            value = Node::over(sibling, value).value();
        }
        subtrees.push(value);
    }
    let mut node = Node::of_chunk(left, chunks);
    while let Some(sibling) = subtrees.pop() {
        node = Node::over(sibling, node.value());
    }
    let mut digest = [0; 64];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(node.compress(ROOT)) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

/// The last compression of a chunk, or that of a parent, which is done otherwise at the root.
struct Node {
    chain: [u32; 8],
    block: [u32; 16],
    counter: u64,
    len: u32,
    flags: u32,
}

impl Node {
    /// The chunk at this place of the content.
    fn of_chunk(chunk: &[u8], counter: u64) -> Self {
        let mut node = Self { chain: IV, block: [0; 16], counter, len: 0, flags: CHUNK_START };
        let mut left = chunk;
        loop {
            let (block, rest) = left.split_at(left.len().min(BLOCK));
            let mut padded = [0; BLOCK];
            padded[..block.len()].copy_from_slice(block);
            for (word, bytes) in node.block.iter_mut().zip(padded.chunks_exact(4)) {
                *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
            }
            node.len = block.len() as u32;
            if rest.is_empty() {
                node.flags |= CHUNK_END;
                return node;
            }
            node.chain = node.value();
            node.flags = 0;
            left = rest;
        }
    }

    /// The parent of two subtrees.
    fn over(left: [u32; 8], right: [u32; 8]) -> Self {
        let mut block = [0; 16];
        block[..8].copy_from_slice(&left);
        block[8..].copy_from_slice(&right);
        Self { chain: IV, block, counter: 0, len: BLOCK as u32, flags: PARENT }
    }

    fn value(&self) -> [u32; 8] {
        let mut value = [0; 8];
        value.copy_from_slice(&self.compress(0)[..8]);
        value
    }

    fn compress(&self, flags: u32) -> [u32; 16] {
        let Self { chain, block, counter, len, .. } = self;
        let mut block = *block;
        let mut state = [0; 16];
        state[..8].copy_from_slice(chain);
        state[8..12].copy_from_slice(&IV[..4]);
        let rest = [*counter as u32, (*counter >> 32) as u32, *len, self.flags | flags];
        state[12..].copy_from_slice(&rest);
        for _ in 0..7 {
            round(&mut state, &block);
            block = PERMUTATION.map(|from| block[from]);
        }
        for at in 0..8 {
            state[at] ^= state[at + 8];
            state[at + 8] ^= chain[at];
        }
        state
    }
}

/// Mixes columns, then diagonals.
fn round(s: &mut [u32; 16], m: &[u32; 16]) {
    mix(s, [0, 4, 8, 12], [m[0], m[1]]);
    mix(s, [1, 5, 9, 13], [m[2], m[3]]);
    mix(s, [2, 6, 10, 14], [m[4], m[5]]);
    mix(s, [3, 7, 11, 15], [m[6], m[7]]);
    mix(s, [0, 5, 10, 15], [m[8], m[9]]);
    mix(s, [1, 6, 11, 12], [m[10], m[11]]);
    mix(s, [2, 7, 8, 13], [m[12], m[13]]);
    mix(s, [3, 4, 9, 14], [m[14], m[15]]);
}

#[inline(always)] // so that the places are constants, and the state stays in registers
fn mix(s: &mut [u32; 16], [a, b, c, d]: [usize; 4], [x, y]: [u32; 2]) {
    s[a] = s[a].wrapping_add(s[b]).wrapping_add(x);
    s[d] = (s[d] ^ s[a]).rotate_right(16);
    s[c] = s[c].wrapping_add(s[d]);
    s[b] = (s[b] ^ s[c]).rotate_right(12);
    s[a] = s[a].wrapping_add(s[b]).wrapping_add(y);
    s[d] = (s[d] ^ s[a]).rotate_right(8);
    s[c] = s[c].wrapping_add(s[d]);
    s[b] = (s[b] ^ s[c]).rotate_right(7);
}

#[cfg(test)]
mod tests {
    use super::hash;
    use proptest::{prelude::*, test_runner::RngSeed};

    /// The digest by the crate of BLAKE3's authors.
    fn expected(bytes: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        blake3::Hasher::new().update(bytes).finalize_xof().fill(&mut out);
        out
    }

    #[test]
    fn every_length_that_ends_something() {
        let bytes: Vec<u8> = (0..9 * 1024 + 1).map(|at| (at % 251) as u8).collect();
        let around = |len: usize| [len - 1, len, len + 1];
        let chunks = (1..=9).flat_map(|chunks| around(chunks * 1024));
        for len in (0..=130).chain(around(960)).chain(chunks.filter(|len| *len <= bytes.len())) {
            assert_eq!(hash(&bytes[..len]), expected(&bytes[..len]), "{len} bytes");
        }
        let most = vec![7; 2 * 1024 * 1024];
        assert_eq!(hash(&most), expected(&most));
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(3), ..Default::default() })]

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..20_000)) {
            prop_assert_eq!(hash(&bytes), expected(&bytes));
        }
    }
}
