//! The state of the cipher, and what the `cipher` crate asks of it.

use cipher::{
    Block, BlockSizeUser, Iv, IvSizeUser, Key, KeyIvInit, KeySizeUser, ParBlocksSizeUser,
    StreamBackend, StreamCipherCore, StreamCipherCoreWrapper, StreamCipherSeekCore, StreamClosure,
    consts::{U1, U12, U32, U64},
    inout::InOutBuf,
    zeroize::{Zeroize, ZeroizeOnDrop},
};

use crate::{
    group::{BLOCKS, Group},
    vectors,
};

/// ChaCha20 with a nonce of 96 bits and a counter of 32.
pub type ChaCha20 = StreamCipherCoreWrapper<Core>;

/// The name alone, for the types of `chacha20poly1305`: nobody in this workspace has a nonce of 192 bits.
pub enum XChaCha20 {}

/// "expand 32-byte k" (RFC 8439, section 2.3).
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Where the block's number is among the words of the state.
const COUNTER: usize = 12;

/// The state that a block is made of: constants, key, the block's number, nonce.
pub struct Core([u32; 16]);

impl Core {
    /// The keystream's next four blocks; the counter stays.
    fn next(&self) -> Group {
        let mut blocks = Group::default();
        vectors::apply(&self.0, (&mut blocks).into());
        blocks
    }

    /// Counts blocks that were used. Callers ask [`StreamCipherCore::remaining_blocks`] before: it does not wrap.
    fn advance(&mut self, blocks: usize) {
        self.0[COUNTER] = self.0[COUNTER].wrapping_add(blocks as u32);
    }
}

impl KeySizeUser for Core {
    type KeySize = U32;
}

impl IvSizeUser for Core {
    type IvSize = U12;
}

impl BlockSizeUser for Core {
    type BlockSize = U64;
}

impl ParBlocksSizeUser for Core {
    type ParBlocksSize = U1;
}

impl KeyIvInit for Core {
    fn new(key: &Key<Self>, nonce: &Iv<Self>) -> Self {
        let mut state = [0; 16];
        let (key, _) = key.as_chunks::<4>();
        let (nonce, _) = nonce.as_chunks::<4>();
        state[..4].copy_from_slice(&CONSTANTS);
        for (word, bytes) in state[4..COUNTER].iter_mut().zip(key) {
            *word = u32::from_le_bytes(*bytes);
        }
        for (word, bytes) in state[COUNTER + 1..].iter_mut().zip(nonce) {
            *word = u32::from_le_bytes(*bytes);
        }
        Self(state)
    }
}

impl StreamCipherCore for Core {
    fn remaining_blocks(&self) -> Option<usize> {
        usize::try_from(u32::MAX - self.0[COUNTER]).ok()
    }

    /// For the single blocks at the ends of a message.
    fn process_with_backend(&mut self, closure: impl StreamClosure<BlockSize = U64>) {
        closure.call(self);
    }

    /// For all between: four blocks at a time, and what is left of the last four not kept.
    fn apply_keystream_blocks_inout(&mut self, blocks: InOutBuf<'_, '_, Block<Self>>) {
        let (groups, mut rest) = blocks.into_chunks();
        for group in groups {
            vectors::apply(&self.0, group);
            self.advance(BLOCKS);
        }
        if !rest.is_empty() {
            let stream = self.next();
            for (at, block) in stream.iter().enumerate().take(rest.len()) {
                rest.get(at).xor_in2out(block);
            }
            self.advance(rest.len());
        }
    }
}

impl StreamBackend for Core {
    fn gen_ks_block(&mut self, block: &mut Block<Self>) {
        *block = self.next()[0];
        self.advance(1);
    }
}

impl StreamCipherSeekCore for Core {
    type Counter = u32;

    fn get_block_pos(&self) -> u32 {
        self.0[COUNTER]
    }

    fn set_block_pos(&mut self, position: u32) {
        self.0[COUNTER] = position;
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Core {}
