//! Drafts: what is being gathered and not yet pinned, safe from collection in every tab.
//!
//! A draft is a row with a stamp, greater than that of every draft before it. Whatever its tab
//! writes or sees while it has drafts is stamped with the newest of theirs. A collection takes
//! the smallest stamp of all drafts as its floor, and leaves alone what is stamped at or above
//! it; since it reads a stamp in the very transaction that would remove the block, a block that
//! is seen first stays, and a block that is removed first is not seen and so written again. A
//! draft that begins after the collection did has a stamp above its floor.
//!
//! The row says when it expires, and its tab renews it: what a crashed tab leaves holds nothing
//! up for longer than [`LIFE`]. A tab that merely slept so long finds its row gone when it pins
//! ([`StoreError::DraftLost`]): the clock decides only when a draft is given up, never whether a
//! pin is whole.

use std::time::Duration;

use super::{
    StoreError,
    backend::{Access, Ask, Backend, Table, Transaction},
    row::{numbers, read_numbers},
};

/// How long a draft holds without being renewed. Browsers let the timers of a hidden tab fire
/// once a minute; this is five of those.
pub const LIFE: Duration = Duration::from_secs(300);
/// How often it is renewed.
pub const BEAT: Duration = Duration::from_secs(20);

/// The stamp given last.
const STAMP: &[u8] = b"stamp";
/// How many drafts a collection reads at once.
const PAGE: u32 = 1024;

/// What names a draft: 16 random bytes.
pub type DraftId = [u8; 16];

/// Begins a draft and says its stamp.
pub async fn begin(backend: &dyn Backend, id: &DraftId, now: u64) -> Result<u64, StoreError> {
    let transaction = backend.begin(&[Table::Drafts, Table::State], Access::Relaxed).await?;
    let stamp = last_stamp(transaction.as_ref()).await? + 1;
    transaction.put(Table::State, STAMP, numbers([stamp]))?;
    transaction.put(Table::Drafts, id, numbers([stamp, expiry(now)]))?;
    transaction.commit().await?;
    Ok(stamp)
}

/// Renews a draft; false when it was given up.
pub async fn renew(backend: &dyn Backend, id: &DraftId, now: u64) -> Result<bool, StoreError> {
    let transaction = backend.begin(&[Table::Drafts], Access::Relaxed).await?;
    let found = transaction.look(vec![Ask::Value(Table::Drafts, id.to_vec())]).await?;
    let Some(Some(row)) = found.first() else { return Ok(false) };
    let [stamp, _] = read_numbers(Table::Drafts, row)?;
    transaction.put(Table::Drafts, id, numbers([stamp, expiry(now)]))?;
    transaction.commit().await?;
    Ok(true)
}

/// Ends a draft; it may have ended before.
pub async fn end(backend: &dyn Backend, id: &DraftId) -> Result<(), StoreError> {
    let transaction = backend.begin(&[Table::Drafts], Access::Relaxed).await?;
    transaction.delete(Table::Drafts, id)?;
    transaction.commit().await
}

/// Within a transaction that writes `Drafts` and `State`: gives up what has expired, and says
/// below which stamp blocks are in no draft.
///
/// A row that expires later than any could is from before the clock was set back: it gets the
/// time that a draft renewed now would have.
pub(super) async fn floor(transaction: &dyn Transaction, now: u64) -> Result<u64, StoreError> {
    let mut floor = last_stamp(transaction).await? + 1;
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = transaction.entries(Table::Drafts, after.as_deref(), PAGE).await?;
        for (id, row) in &page {
            match read_numbers(Table::Drafts, row) {
                Ok([stamp, expires]) if expires > now => {
                    floor = floor.min(stamp);
                    if expires > expiry(now) {
                        transaction.put(Table::Drafts, id, numbers([stamp, expiry(now)]))?;
                    }
                }
                _ => transaction.delete(Table::Drafts, id)?,
            }
        }
        match page.into_iter().last() {
            Some((last, _)) => after = Some(last),
            None => return Ok(floor),
        }
    }
}

async fn last_stamp(transaction: &dyn Transaction) -> Result<u64, StoreError> {
    let found = transaction.look(vec![Ask::Value(Table::State, STAMP.to_vec())]).await?;
    let Some(Some(row)) = found.first() else { return Ok(0) };
    read_numbers(Table::State, row).map(|[stamp]| stamp)
}

fn expiry(now: u64) -> u64 {
    now.saturating_add(LIFE.as_millis() as u64)
}
