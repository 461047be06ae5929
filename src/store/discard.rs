//! A block that was found damaged goes, so that it can be fetched again.

use avocet_dag::Multihash;
use bytes::Bytes;

use super::{
    StoreError, Usage,
    backend::{Access, Ask, Backend, Table},
    blocks,
};

/// Removes the block under `key` if its bytes are still `bad`: another tab may have put it right.
/// Without `bad`, or where they cannot be read any more, if reading fails once again: a disk may
/// fail for a moment.
pub async fn discard(
    backend: &dyn Backend,
    key: &Multihash,
    bad: Option<&Bytes>,
) -> Result<(), StoreError> {
    if let Some(bad) = bad {
        match discard_while(backend, key, Some(bad)).await {
            Err(StoreError::Lost { .. }) => {}
            done => return done,
        }
    }
    match blocks::read(backend, key).await {
        Err(StoreError::Lost { .. }) => discard_while(backend, key, None).await,
        read => read.map(drop),
    }
}

/// Removes the block under `key`, with `bad` if its bytes are these.
async fn discard_while(
    backend: &dyn Backend,
    key: &Multihash,
    bad: Option<&Bytes>,
) -> Result<(), StoreError> {
    let key = key.to_bytes();
    let transaction = backend.begin(&blocks::TABLES, Access::Relaxed).await?;
    let mut asks = vec![
        Ask::Value(Table::Meta, key.clone()),
        Ask::Value(Table::State, blocks::USAGE.to_vec()),
    ];
    if bad.is_some() {
        asks.push(Ask::Value(Table::Blocks, key.clone()));
    }
    let found = transaction.look(asks).await?;
    if let (Some(bad), Some(Some(now))) = (bad, found.get(2))
        && now.to_bytes() != bad
    {
        return Ok(());
    }
    blocks::remove(
        transaction.as_ref(),
        &key,
        found[0].as_ref(),
        &mut Usage::from_row(found.get(1))?,
    )?;
    transaction.commit().await
}
