//! Blocks, and the account of how many there are.
//!
//! A block lies in [`Table::Blocks`] under its multihash, so that every CID of the same bytes
//! shares it. Its size and stamp lie beside it in [`Table::Meta`], written and removed in the
//! same transaction. [`Usage`] in [`Table::State`] sums the rows of `Meta`, again in the same
//! transaction. The stamp says since which draft the block is in use (see [`super::drafts`]);
//! it only ever grows.

use avocet_dag::{Multihash, Payload as _};

use super::{
    StoreError, Usage,
    backend::{Access, Ask, Backend, Table, Transaction, Value},
    row::{numbers, read_numbers},
};
use crate::platform::Payload;

/// The tables that a change of blocks concerns.
pub(super) const TABLES: [Table; 3] = [Table::Blocks, Table::Meta, Table::State];
/// Where the sums are.
pub(super) const USAGE: &[u8] = b"usage";
/// How many rows one round of a long walk over a table reads.
const PAGE: u32 = 1024;

/// What is known of a block apart from its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Bytes of the block.
    pub size: u64,
    /// The newest draft under which it was written or seen; 0 for none.
    pub stamp: u64,
}

impl Meta {
    pub fn to_row(self) -> Payload {
        numbers([self.size, self.stamp])
    }

    pub fn from_row(value: &Payload) -> Result<Self, StoreError> {
        read_numbers(Table::Meta, value).map(|[size, stamp]| Self { size, stamp })
    }
}

/// Reads the bytes under `key`, unverified.
pub async fn read(backend: &dyn Backend, key: &Multihash) -> Result<Option<Payload>, StoreError> {
    match read_once(backend, key).await {
        // Another tab may have moved or removed them since their row was read.
        Err(StoreError::Lost { .. }) => read_once(backend, key).await,
        read => read,
    }
}

async fn read_once(backend: &dyn Backend, key: &Multihash) -> Result<Option<Payload>, StoreError> {
    let transaction = backend.begin(&[Table::Blocks], Access::Read).await?;
    let found = transaction.look_last(vec![Ask::Value(Table::Blocks, key.to_bytes())]).await?;
    Ok(found.into_iter().next().flatten())
}

/// The sizes of blocks, of those that are here.
pub async fn sizes(
    backend: &dyn Backend,
    keys: &[Multihash],
) -> Result<Vec<Option<u64>>, StoreError> {
    let transaction = backend.begin(&[Table::Blocks, Table::Meta], Access::Read).await?;
    let found = transaction.look(both(keys.iter().map(Multihash::to_bytes))).await?;
    let mut sizes = Vec::with_capacity(keys.len());
    for (key, pair) in keys.iter().zip(found.chunks(2)) {
        let meta = whole(transaction.as_ref(), &key.to_bytes(), pair).await?;
        sizes.push(meta.map(|meta| meta.size));
    }
    Ok(sizes)
}

/// Raises the stamp of a block that was just read to `stamp`; false when it was removed since.
///
/// It looks at `Meta` alone, so that reads need not wait for it.
pub async fn keep(backend: &dyn Backend, key: &Multihash, stamp: u64) -> Result<bool, StoreError> {
    let key = key.to_bytes();
    let transaction = backend.begin(&[Table::Meta], Access::Relaxed).await?;
    let found = transaction.look(vec![Ask::Value(Table::Meta, key.clone())]).await?;
    let Some(Some(row)) = found.first() else { return Ok(false) };
    let meta = Meta::from_row(row)?;
    if meta.stamp < stamp {
        transaction.put(Table::Meta, &key, Meta { stamp, ..meta }.to_row())?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// Raises the stamps of those of `keys` that are here to `stamp`, and says their sizes.
pub async fn touch(
    backend: &dyn Backend,
    keys: &[Multihash],
    stamp: u64,
) -> Result<Vec<Option<u64>>, StoreError> {
    let transaction = backend.begin(&[Table::Blocks, Table::Meta], Access::Relaxed).await?;
    let keys: Vec<Vec<u8>> = keys.iter().map(Multihash::to_bytes).collect();
    let found = transaction.look(both(keys.iter().cloned())).await?;
    let mut sizes = Vec::with_capacity(keys.len());
    for (key, pair) in keys.iter().zip(found.chunks(2)) {
        let meta = whole(transaction.as_ref(), key, pair).await?;
        if let Some(meta) = meta.filter(|meta| meta.stamp < stamp) {
            transaction.put(Table::Meta, key, Meta { stamp, ..meta }.to_row())?;
        }
        sizes.push(meta.map(|meta| meta.size));
    }
    transaction.commit().await?;
    Ok(sizes)
}

/// Writes blocks in one transaction: the bytes of those that are not here, the stamps of all.
/// The keys are distinct. Says how many bytes were new.
pub async fn put(
    backend: &dyn Backend,
    blocks: Vec<(Multihash, Value)>,
    stamp: u64,
) -> Result<Usage, StoreError> {
    let values: Vec<Value> = blocks.iter().map(|(_, value)| value.clone()).collect();
    backend.settle(&values).await?;
    let transaction = backend.begin(&TABLES, Access::Relaxed).await?;
    let blocks: Vec<(Vec<u8>, Value)> =
        blocks.into_iter().map(|(key, value)| (key.to_bytes(), value)).collect();
    let mut asks = both(blocks.iter().map(|(key, _)| key.clone()));
    asks.push(Ask::Value(Table::State, USAGE.to_vec()));
    let found = transaction.look(asks).await?;
    let mut usage = Usage::from_row(found.last())?;
    let mut added = Usage::default();
    for ((key, value), pair) in blocks.into_iter().zip(found.chunks(2)) {
        let size = value.len as u64;
        let old = pair[1].as_ref().map(Meta::from_row).transpose()?;
        if pair[0].is_none() {
            transaction.put_value(Table::Blocks, &key, value)?;
        }
        if old.is_none() {
            added.blocks += 1;
            added.used += size;
        }
        let meta = Meta { size, stamp: stamp.max(old.map_or(0, |old| old.stamp)) };
        if old != Some(meta) {
            transaction.put(Table::Meta, &key, meta.to_row())?;
        }
    }
    if added.blocks > 0 {
        usage.add(added);
        transaction.put(Table::State, USAGE, usage.to_row())?;
    }
    transaction.commit().await?;
    Ok(added)
}

/// Within a transaction over [`TABLES`]: removes a block and takes it off `usage`.
pub(super) fn remove(
    transaction: &dyn Transaction,
    key: &[u8],
    meta: Option<&Payload>,
    usage: &mut Usage,
) -> Result<u64, StoreError> {
    let meta = meta.map(Meta::from_row).transpose()?;
    transaction.delete(Table::Blocks, key)?;
    let Some(meta) = meta else { return Ok(0) };
    transaction.delete(Table::Meta, key)?;
    usage.take(Usage { used: meta.size, blocks: 1 });
    transaction.put(Table::State, USAGE, usage.to_row())?;
    Ok(meta.size)
}

/// The sums.
pub async fn usage(backend: &dyn Backend) -> Result<Usage, StoreError> {
    let transaction = backend.begin(&[Table::State], Access::Read).await?;
    let found = transaction.look(vec![Ask::Value(Table::State, USAGE.to_vec())]).await?;
    Usage::from_row(found.first())
}

/// Compares the counts of both tables with the sums, and mends them where they differ.
///
/// They are always written together, so they differ only where something else wrote to the
/// database or the disk lost rows. Says whether there was something to mend.
pub async fn mend(backend: &dyn Backend) -> Result<bool, StoreError> {
    let transaction = backend.begin(&TABLES, Access::Read).await?;
    let blocks = transaction.count(Table::Blocks).await?;
    let metas = transaction.count(Table::Meta).await?;
    let found = transaction.look(vec![Ask::Value(Table::State, USAGE.to_vec())]).await?;
    drop(transaction);
    let usage = Usage::from_row(found.first()).unwrap_or_default();
    if blocks == metas && metas == usage.blocks {
        return Ok(false);
    }
    rebuild(backend).await?;
    Ok(true)
}

/// Gives every block its row in `Meta`, removes the rows of blocks that are gone, and sums anew.
/// One transaction, so that no other tab sees the middle of it.
async fn rebuild(backend: &dyn Backend) -> Result<(), StoreError> {
    let transaction = backend.begin(&TABLES, Access::Relaxed).await?;
    let mut usage = Usage::default();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let keys = transaction.keys(Table::Blocks, after.as_deref(), PAGE).await?;
        let metas = transaction.entries(Table::Meta, after.as_deref(), PAGE).await?;
        // Where a page is full, its table is known only up to the page's last key.
        let full =
            |len: usize, last: Option<&Vec<u8>>| last.filter(|_| len == PAGE as usize).cloned();
        let ends = [full(keys.len(), keys.last()), full(metas.len(), metas.last().map(|m| &m.0))];
        let end = ends.into_iter().flatten().min();
        let within = |key: &Vec<u8>| end.as_ref().is_none_or(|end| key <= end);
        for (key, _) in metas.iter().filter(|(key, _)| within(key)) {
            if keys.binary_search(key).is_err() {
                transaction.delete(Table::Meta, key)?;
            }
        }
        for key in keys.iter().filter(|key| within(key)) {
            let row = metas.binary_search_by(|(of, _)| of.cmp(key)).ok();
            let meta = row.and_then(|at| Meta::from_row(&metas.get(at)?.1).ok());
            let size = match meta {
                Some(meta) => meta.size,
                None => {
                    let size = measure(transaction.as_ref(), key).await?;
                    transaction.put(Table::Meta, key, Meta { size, stamp: 0 }.to_row())?;
                    size
                }
            };
            usage.add(Usage { used: size, blocks: 1 });
        }
        match end {
            Some(end) => after = Some(end),
            None => break,
        }
    }
    transaction.put(Table::State, USAGE, usage.to_row())?;
    transaction.commit().await
}

/// The size of a block that has no row in `Meta`.
async fn measure(transaction: &dyn Transaction, key: &[u8]) -> Result<u64, StoreError> {
    let found = transaction.look(vec![Ask::Value(Table::Blocks, key.to_vec())]).await?;
    Ok(found.first().and_then(Option::as_ref).map_or(0, |bytes| bytes.len() as u64))
}

/// For each key: is the block there, and its row in `Meta`.
fn both(keys: impl Iterator<Item = Vec<u8>>) -> Vec<Ask> {
    keys.flat_map(|key| [Ask::Presence(Table::Blocks, key.clone()), Ask::Value(Table::Meta, key)])
        .collect()
}

/// The answer to [`both`] for one key; a row without its block counts for nothing.
async fn whole(
    transaction: &dyn Transaction,
    key: &[u8],
    pair: &[Option<Payload>],
) -> Result<Option<Meta>, StoreError> {
    match pair {
        [Some(_), Some(meta)] => Meta::from_row(meta).map(Some),
        [Some(_), None] => Ok(Some(Meta { size: measure(transaction, key).await?, stamp: 0 })),
        _ => Ok(None),
    }
}

impl Usage {
    pub(super) fn to_row(self) -> Payload {
        numbers([self.used, self.blocks])
    }

    pub(super) fn from_row(value: Option<&Option<Payload>>) -> Result<Self, StoreError> {
        let Some(Some(value)) = value else { return Ok(Self::default()) };
        read_numbers(Table::State, value).map(|[used, blocks]| Self { used, blocks })
    }

    fn add(&mut self, more: Self) {
        self.used = self.used.saturating_add(more.used);
        self.blocks = self.blocks.saturating_add(more.blocks);
    }

    fn take(&mut self, less: Self) {
        self.used = self.used.saturating_sub(less.used);
        self.blocks = self.blocks.saturating_sub(less.blocks);
    }
}
