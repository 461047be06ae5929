//! Collection: removes what no pin reaches and no draft holds.
//!
//! 1. Mend the tables, if they differ ([`blocks::mend`]).
//! 2. In one transaction read the pins and the floor of the drafts ([`drafts::floor`]).
//! 3. Mark: walk from the pins, reading only blocks that may have links.
//! 4. Sweep: page by page through the blocks, one small transaction for each page. It reads the
//!    stamps again, and whether a pin was made since; if one was, that one is marked too before
//!    the sweep goes on.
//!
//! So another tab may write, pin and draft all the while. What it gathers under a draft stays;
//! a pin without a draft promises only that what is here when the pin is made stays from then on.

use std::collections::HashSet;

use avocet_dag::{Cid, Multihash, code, codec};
use futures::future::try_join_all;

use super::{
    Collected, StoreError, Usage,
    backend::{Access, Ask, Backend, Table, Transaction},
    blocks::{self, Meta},
    drafts, pins,
};
use crate::platform;

/// Blocks that one transaction of the sweep looks at. Deleting is quick, and other tabs' writes
/// wait no longer than one such transaction.
const PAGE: u32 = 256;
/// Blocks that the walk reads at once: enough that hashing one hides reading the next, and 16 MiB
/// at the most.
const AT_ONCE: usize = 8;

/// Removes all that nothing holds.
pub async fn collect(backend: &dyn Backend, now: u64) -> Result<Collected, StoreError> {
    blocks::mend(backend).await?;
    let (floor, mut marks) = begin(backend, now).await?;
    marks.walk(backend).await?;
    let mut collected = Collected::default();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = page(backend, after.as_deref()).await?;
        let Some(last) = page.last().cloned() else { return Ok(collected) };
        let idle: Vec<Vec<u8>> = page.into_iter().filter(|key| !marks.holds(key)).collect();
        match sweep(backend, &idle, floor, marks.epoch).await? {
            Some(freed) => {
                collected.blocks += freed.blocks;
                collected.bytes += freed.bytes;
                after = Some(last);
            }
            // A pin was made meanwhile: the same page again, with what it reaches marked.
            None => marks.refresh(backend).await?,
        }
    }
}

/// Removes one block, unless a pin or a draft holds it. False when it was not here.
///
/// Costs a walk through all that is pinned recursively.
pub async fn delete(backend: &dyn Backend, cid: &Cid, now: u64) -> Result<bool, StoreError> {
    let key = cid.hash().to_bytes();
    let (floor, mut marks) = begin(backend, now).await?;
    loop {
        marks.walk(backend).await?;
        if marks.holds(&key) {
            return Err(StoreError::Pinned { cid: cid.clone() });
        }
        match sweep(backend, std::slice::from_ref(&key), floor, marks.epoch).await? {
            Some(freed) if freed.blocks > 0 => return Ok(true),
            Some(_) => {
                return match blocks::sizes(backend, std::slice::from_ref(cid.hash())).await?[..] {
                    [Some(_)] => Err(StoreError::InUse { cid: cid.clone() }),
                    _ => Ok(false),
                };
            }
            None => marks.refresh(backend).await?,
        }
    }
}

/// What the pins reach.
struct Marks {
    epoch: u64,
    /// Blocks to keep, here or not. About 100 bytes each: what can be pinned bounds it, and a
    /// terabyte of blocks of 1 MiB takes 100 MB for as long as the collection runs.
    keys: HashSet<Multihash>,
    /// CIDs whose links were followed or are in `open`: a block may be reached by the codec that
    /// says its links and by one that does not.
    seen: HashSet<Cid>,
    open: Vec<Cid>,
}

impl Marks {
    fn holds(&self, key: &[u8]) -> bool {
        Multihash::from_bytes(key).is_ok_and(|key| self.keys.contains(&key))
    }

    fn add(&mut self, cid: Cid, recursive: bool) {
        self.keys.insert(cid.hash().clone());
        if recursive && cid.codec() != code::RAW && self.seen.insert(cid.clone()) {
            self.open.push(cid);
        }
    }

    /// Follows the links of all that is open. What is not here has no links to follow.
    async fn walk(&mut self, backend: &dyn Backend) -> Result<(), StoreError> {
        while !self.open.is_empty() {
            let next = self.open.split_off(self.open.len().saturating_sub(AT_ONCE));
            let links = next.into_iter().map(|cid| links(backend, cid));
            for link in try_join_all(links).await?.into_iter().flatten() {
                self.add(link, true);
            }
        }
        Ok(())
    }

    /// Adds the pins that were made since.
    async fn refresh(&mut self, backend: &dyn Backend) -> Result<(), StoreError> {
        let transaction = backend.begin(&[Table::Pins, Table::State], Access::Read).await?;
        self.read(transaction.as_ref()).await?;
        drop(transaction);
        self.walk(backend).await
    }

    async fn read(&mut self, transaction: &dyn Transaction) -> Result<(), StoreError> {
        let answer = transaction.look(vec![pins::ask_epoch()]).await?;
        self.epoch = pins::read_epoch(answer.first())?;
        for (cid, pin) in pins::all(transaction).await? {
            self.add(cid, pin.recursive);
        }
        Ok(())
    }
}

/// The links of a block that is here, and whole.
async fn links(backend: &dyn Backend, cid: Cid) -> Result<Vec<Cid>, StoreError> {
    let payload = match avocet_dag::Block::inline(&cid) {
        Some(block) => Some(block.into_parts().1),
        None => match blocks::read(backend, cid.hash()).await {
            Err(StoreError::Lost { .. }) => None,
            read => read?,
        },
    };
    let Some(payload) = payload else { return Ok(Vec::new()) };
    let Ok(block) = platform::verify(cid, payload).await else { return Ok(Vec::new()) };
    // A block that its codec cannot read holds nothing but itself.
    Ok(codec::links(&block.map(|bytes| bytes.to_bytes())).unwrap_or_default())
}

/// The floor below which no draft holds a block, and the pins at that moment.
async fn begin(backend: &dyn Backend, now: u64) -> Result<(u64, Marks), StoreError> {
    let tables = [Table::Pins, Table::Drafts, Table::State];
    let transaction = backend.begin(&tables, Access::Relaxed).await?;
    let mut marks =
        Marks { epoch: 0, keys: HashSet::new(), seen: HashSet::new(), open: Vec::new() };
    let floor = drafts::floor(transaction.as_ref(), now).await?;
    marks.read(transaction.as_ref()).await?;
    transaction.commit().await?;
    Ok((floor, marks))
}

async fn page(backend: &dyn Backend, after: Option<&[u8]>) -> Result<Vec<Vec<u8>>, StoreError> {
    let transaction = backend.begin(&[Table::Meta], Access::Read).await?;
    transaction.keys(Table::Meta, after, PAGE).await
}

/// Removes those of `keys` that are stamped below `floor`; nothing and `None` if a pin was made
/// since `epoch`.
async fn sweep(
    backend: &dyn Backend,
    keys: &[Vec<u8>],
    floor: u64,
    epoch: u64,
) -> Result<Option<Collected>, StoreError> {
    let mut freed = Collected::default();
    if keys.is_empty() {
        return Ok(Some(freed));
    }
    let transaction = backend.begin(&blocks::TABLES, Access::Relaxed).await?;
    let mut asks = vec![pins::ask_epoch(), Ask::Value(Table::State, blocks::USAGE.to_vec())];
    asks.extend(keys.iter().map(|key| Ask::Value(Table::Meta, key.clone())));
    let found = transaction.look(asks).await?;
    if pins::read_epoch(found.first())? != epoch {
        return Ok(None);
    }
    let mut usage = Usage::from_row(found.get(1))?;
    for (key, row) in keys.iter().zip(&found[2..]) {
        let Some(row) = row else { continue };
        if Meta::from_row(row)?.stamp < floor {
            freed.bytes += blocks::remove(transaction.as_ref(), key, Some(row), &mut usage)?;
            freed.blocks += 1;
        }
    }
    transaction.commit().await?;
    Ok(Some(freed))
}
