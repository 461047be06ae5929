//! Blocks in: made ready, then written together.

use std::collections::HashSet;

use avocet_dag::{Cid, Multihash, code};
use bytes::Bytes;

use super::{Store, StoreError, backend::Value, blocks};
use crate::platform::{Block, Taken};

/// Blocks that one transaction writes: at 1 MiB each, more are no faster, and a collection or
/// another tab waits for no more than this.
pub const BATCH: usize = 32;

/// A block as it will be written, best after [`Store::ready`].
#[derive(Clone)]
pub struct Ready {
    key: Multihash,
    value: Value,
}

impl Ready {
    /// A block that was hashed and kept in one go.
    pub fn taken(cid: &Cid, taken: Taken) -> Self {
        let len = taken.len();
        let value = Value { bytes: Bytes::new().into(), own: Some(taken.into_place()), len };
        Self { key: cid.hash().clone(), value }
    }

    /// What the block is kept under.
    pub fn key(&self) -> &Multihash {
        &self.key
    }

    /// Bytes of the block.
    pub fn size(&self) -> usize {
        self.value.len
    }
}

impl From<Block> for Ready {
    fn from(block: Block) -> Self {
        let (cid, bytes) = block.into_parts();
        Self { key: cid.hash().clone(), value: bytes.into() }
    }
}

impl Store {
    /// Makes a block ready to be written by [`Self::write`]. Worth doing as soon as there is one:
    /// the browser begins to take its bytes over, and whoever writes next need not wait for that
    /// (nor is it asked yet whether the block is here already).
    pub fn ready(&self, block: impl Into<Ready>) -> Ready {
        let Ready { key, value } = block.into();
        let value = match value.own {
            Some(_) => value,
            None => self.backend().prepare(value.bytes),
        };
        Ready { key, value }
    }

    /// Writes blocks: those that are here already are not written again. Each [`BATCH`] of them
    /// is one transaction; of a transaction that fails nothing is kept.
    ///
    /// # Errors
    /// `Quota` when there is no room.
    pub async fn put(&self, blocks: Vec<Block>) -> Result<(), StoreError> {
        self.write(blocks.into_iter().map(|block| self.ready(block)).collect()).await
    }

    /// As [`Self::put`], of blocks that are ready.
    pub async fn write(&self, blocks: Vec<Ready>) -> Result<(), StoreError> {
        let mut batch = Vec::with_capacity(blocks.len().min(BATCH));
        let mut seen = HashSet::new();
        for Ready { key, value } in blocks {
            if key.code() == code::IDENTITY || !seen.insert(key.clone()) {
                continue;
            }
            batch.push((key, value));
            if batch.len() == BATCH {
                self.write_batch(std::mem::take(&mut batch)).await?;
            }
        }
        match batch.is_empty() {
            true => Ok(()),
            false => self.write_batch(batch).await,
        }
    }

    async fn write_batch(&self, batch: Vec<(Multihash, Value)>) -> Result<(), StoreError> {
        let stamp = self.stamp();
        let keys: Vec<Multihash> = batch.iter().map(|(key, _)| key.clone()).collect();
        blocks::put(self.backend(), batch, stamp).await?;
        keys.iter().for_each(|key| self.stamped(key, stamp));
        Ok(())
    }
}
