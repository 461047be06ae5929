//! Blocks to the store, many in one transaction, while others are still being made.

use std::{cell::RefCell, collections::HashSet};

use avocet_dag::Multihash;
use futures::{
    SinkExt, StreamExt, TryStreamExt,
    channel::mpsc,
    stream::{self, Stream},
};

use super::apart::apart;
use crate::store::{self, Ready, Store, StoreError};

/// Bytes after which a batch is written, though it has fewer than [`store::BATCH`] blocks. Each
/// transaction costs Chromium some 4 ms beside its bytes: with 8 MiB adding 64 MiB takes a fourteenth
/// longer, and 32 MiB are no faster (`bench/`). Three of them are held at most: two under way and one
/// that is being gathered.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
/// Batches on their way into the database at once. Transactions that write wait for each other,
/// so the second only makes sure that the database is never idle.
const WRITES: usize = 2;
/// Blocks that wait to be put into a batch.
const WAITING: usize = 4;
/// Blocks that are remembered so as not to be written twice: 1 TiB in chunks of 1 MiB, at about
/// 100 bytes each. Further ones are written again, which costs time but is not wrong.
const REMEMBERED: usize = 1024 * 1024;

/// Takes blocks that are to be written; clones share the way.
#[derive(Clone)]
pub struct Blocks(mpsc::Sender<Ready>);

impl Blocks {
    /// Hands a block over, when there is room. Should writing have failed, this never returns:
    /// whoever waits for the writing learns why.
    pub async fn put(&mut self, block: Ready) {
        if self.0.send(block).await.is_err() {
            futures::future::pending().await
        }
    }
}

/// What was written, each block counted once.
#[derive(Debug, Default)]
pub struct Written {
    /// How many blocks.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What they are called, as far as it is remembered.
    pub hashes: HashSet<Multihash>,
}

/// The way for blocks, and the work of writing them, which ends when all [`Blocks`] are dropped.
pub fn writer(store: &Store) -> (Blocks, impl Future<Output = Result<Written, StoreError>>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let seen = RefCell::new(HashSet::new());
    let work = async move {
        let new = receiver.filter(|block| std::future::ready(is_new(&seen, block)));
        let written = batches(new.map(|block| store.ready(block)))
            .map(|batch| apart(put(store.clone(), batch)));
        let written = written.buffer_unordered(WRITES);
        let sum = written.try_fold((0, 0), |(blocks, bytes), (more, of)| {
            std::future::ready(Ok((blocks + more, bytes + of)))
        });
        let (blocks, bytes) = sum.await?;
        Ok(Written { blocks, bytes, hashes: seen.take() })
    };
    (Blocks(sender), work)
}

/// Whether the block has not come before.
fn is_new(seen: &RefCell<HashSet<Multihash>>, block: &Ready) -> bool {
    let mut seen = seen.borrow_mut();
    match seen.len() < REMEMBERED {
        true => seen.insert(block.key().clone()),
        false => !seen.contains(block.key()),
    }
}

/// The same blocks in batches.
fn batches(blocks: impl Stream<Item = Ready>) -> impl Stream<Item = Vec<Ready>> {
    stream::unfold(Box::pin(blocks), |mut blocks| async {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < store::BATCH && bytes < BATCH_BYTES {
            let Some(block) = blocks.next().await else { break };
            bytes += block.size();
            batch.push(block);
        }
        (!batch.is_empty()).then_some((batch, blocks))
    })
}

/// Writes a batch. When there is no room, what nothing holds makes room, once.
async fn put(store: Store, batch: Vec<Ready>) -> Result<(u64, u64), StoreError> {
    let bytes = batch.iter().map(|block| block.size() as u64).sum();
    let written = (batch.len() as u64, bytes);
    match store.write(batch.clone()).await {
        Err(StoreError::Quota { .. }) => {
            store.gc().await?;
            store.write(batch).await?;
        }
        done => done?,
    }
    Ok(written)
}
