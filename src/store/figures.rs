//! What the store counts.

/// How much is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of blocks.
    pub used: u64,
    /// Number of blocks.
    pub blocks: u64,
}

/// What a collection removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Number of blocks.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What this handle saw since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Reads that found the block.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Blocks that no longer were what their key says, and were removed.
    pub corrupt: u64,
}
