//! What a browser and a native process do differently: time, tasks, chance, digests and where
//! the bytes of a block live.
//!
//! The peer runs in a browser; it also compiles natively so that its tests run in seconds. Both
//! kinds have the same face, written side by side in `platform/web.rs` and `platform/native.rs`.
//!
//! Natively, [`spawn`] wants the caller to be inside [`block_on`] or another tokio `LocalSet`.

use std::{any::Any, ops::Range, rc::Rc, time::Duration};

use avocet_dag::{BlockError, Cid, MAX_BLOCK, Multihash, Payload as _, Version, code};
use bytes::Bytes;

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
use native as here;
#[cfg(not(target_arch = "wasm32"))]
pub use native::block_on;
#[cfg(target_arch = "wasm32")]
use web as here;
#[cfg(target_arch = "wasm32")]
pub(crate) use web::subtle;

pub use self::here::{Payload, is_hidden, spawn, unix_millis};
pub use web_time::Instant;

/// A block whose bytes may live outside wasm memory.
pub type Block = avocet_dag::Block<Payload>;

/// A part of a file that is still to be hashed and kept.
#[derive(Clone)]
pub enum Lent {
    /// Its bytes, which nobody else has.
    Bytes(Payload),
    /// The browser's own handle on it, unread, and how many bytes it has.
    File(Rc<dyn Any>, usize),
}

/// What was hashed and kept in one go: its bytes are nowhere else.
#[derive(Clone)]
pub struct Taken {
    sha256: [u8; 32],
    len: usize,
    place: Rc<dyn Any>,
}

/// The longest that one timer is set for: browsers hold the delay in an `i32` of milliseconds.
const LONGEST_TIMER: Duration = Duration::from_millis(i32::MAX as u64);

/// The monotonic clock.
#[allow(clippy::disallowed_methods, reason = "natively it is std's; this is the one place")]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Waits. A hidden tab's timers may fire up to a minute late, and not at all while it is frozen.
pub async fn sleep(duration: Duration) {
    futures_timer::Delay::new(duration.min(LONGEST_TIMER)).await;
}

/// Fills `out` from the system's cryptographic generator.
#[expect(
    clippy::expect_used,
    reason = "no secret may ever be made without it, and both kinds have one"
)]
pub fn random_bytes(out: &mut [u8]) {
    getrandom::fill(out).expect("the system has a random generator");
}

/// Makes a block by hashing `payload`.
///
/// WebCrypto does it where there is one, the hash is SHA2-256 and the payload is large enough to
/// pay for the call; else the hash runs here.
///
/// # Errors
/// Those of [`avocet_dag::Block::hash`].
pub async fn hash(
    version: Version,
    codec: u64,
    hash_code: u64,
    payload: Payload,
) -> Result<Block, BlockError> {
    if let Some(digest) = digest(hash_code, &payload).await {
        return Block::from_digest(version, codec, digest, payload);
    }
    let block = avocet_dag::Block::hash(version, codec, hash_code, payload.to_bytes())?;
    Ok(block.map(|_| payload))
}

/// The block with its bytes in this program's memory.
#[must_use]
pub fn bring_in(block: Block) -> avocet_dag::Block {
    block.map(|payload| payload.to_bytes())
}

/// Makes a block of `cid` from `payload`, if that is what `cid` names.
///
/// # Errors
/// Those of [`avocet_dag::Block::verify`]: the bytes are others, too many, or the hash is one
/// that is not trusted.
pub async fn verify(cid: Cid, payload: Payload) -> Result<Block, BlockError> {
    if let Some(digest) = digest(cid.hash().code(), &payload).await {
        return Block::verify_digest(cid, digest, payload);
    }
    let block = avocet_dag::Block::verify(cid, payload.to_bytes())?;
    Ok(block.map(|_| payload))
}

/// The SHA2-256 of `payload` by the platform's own code, where that is the hash asked for and
/// the call pays. What is too large for a block is not worth hashing: `dag` refuses it unread.
async fn digest(hash_code: u64, payload: &Payload) -> Option<[u8; 32]> {
    if hash_code != code::SHA2_256 || payload.len() > MAX_BLOCK {
        return None;
    }
    here::sha256(payload).await
}

impl Lent {
    /// The bytes in it.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nothing empty is lent")]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(_, len) => *len,
        }
    }
}

impl Taken {
    /// `len` bytes, of which `sha256` was made by WebCrypto, are at `place`.
    #[must_use]
    pub fn new(sha256: [u8; 32], len: usize, place: Rc<dyn Any>) -> Self {
        Self { sha256, len, place }
    }

    /// The bytes in it.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nothing empty is taken")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Where the store has them.
    #[must_use]
    pub fn into_place(self) -> Rc<dyn Any> {
        self.place
    }

    /// What a block of these bytes is called.
    ///
    /// # Errors
    /// When they are too many for a block, or no such CID can be.
    pub fn cid(&self, version: Version, codec: u64) -> Result<Cid, BlockError> {
        if self.len > MAX_BLOCK {
            return Err(BlockError::TooLarge(self.len));
        }
        Ok(Cid::new(version, codec, Multihash::new(code::SHA2_256, &self.sha256)?)?)
    }
}

impl Payload {
    /// The bytes in this program's memory: copied when they live outside it, else shared.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.to_bytes_in(0..self.len())
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Wasm(bytes)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Wasm(bytes.into())
    }
}

impl Payload {
    /// As [`Self::to_bytes`], of a part. A range past the end is cut to what there is.
    #[must_use]
    pub fn to_bytes_in(&self, range: Range<usize>) -> Bytes {
        let end = range.end.min(self.len());
        self.copy_in(range.start.min(end)..end)
    }
}
