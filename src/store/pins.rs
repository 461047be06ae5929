//! Pins: what must stay.
//!
//! A pin lies under its CID in version 1, so that both versions of a CID name the same pin. Each
//! new one raises a counter in the same transaction, by which a collection that is under way
//! notices it.

use avocet_dag::{Cid, Version};
use bytes::BufMut;

use super::{
    StoreError,
    backend::{Access, Ask, Backend, Table, Transaction},
    drafts::DraftId,
    row::{Row, numbers, read_numbers},
};
use crate::platform::Payload;

/// The longest name of a pin, in bytes. Four times what file systems allow for one name.
pub const MAX_NAME: usize = 1024;

/// How many pins were ever made.
const EPOCH: &[u8] = b"pins";
/// How many pins one round reads.
const PAGE: u32 = 1024;

const RECURSIVE: u8 = 1;
const NAMED: u8 = 2;
const SIZED: u8 = 4;
const VERSION_0: u8 = 8;

/// Why something stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// With everything that it links to, or the one block alone.
    pub recursive: bool,
    /// What people call it.
    pub name: Option<String>,
    /// Bytes of the content, where that is known.
    pub size: Option<u64>,
    /// When it was pinned, in milliseconds since 1970.
    pub created: u64,
}

/// Pins `cid`; this, and the log of all that was written before it, is on the disk when it
/// returns. A browser may keep large values in files beside its log and leave those of earlier
/// transactions to the system: should a power cut take one of them, reading finds it missing.
///
/// With a `draft` it fails when that was given up.
pub async fn pin(
    backend: &dyn Backend,
    cid: &Cid,
    pin: &Pin,
    draft: Option<&DraftId>,
) -> Result<(), StoreError> {
    let row = pin.to_row(cid)?;
    // `State` is written by every put, so this waits for all that began before it.
    let tables = [Table::Pins, Table::Drafts, Table::State];
    let transaction = backend.begin(&tables, Access::Strict).await?;
    let mut asks = vec![Ask::Value(Table::State, EPOCH.to_vec())];
    asks.extend(draft.map(|id| Ask::Presence(Table::Drafts, id.to_vec())));
    let found = transaction.look(asks).await?;
    if let Some(None) = found.get(1) {
        return Err(StoreError::DraftLost);
    }
    let epoch = read_epoch(found.first())?;
    transaction.put(Table::State, EPOCH, numbers([epoch + 1]))?;
    transaction.put(Table::Pins, &key(cid), row)?;
    transaction.commit().await
}

/// Removes a pin; false when there was none.
pub async fn unpin(backend: &dyn Backend, cid: &Cid) -> Result<bool, StoreError> {
    let key = key(cid);
    let transaction = backend.begin(&[Table::Pins], Access::Strict).await?;
    let found = transaction.look(vec![Ask::Presence(Table::Pins, key.clone())]).await?;
    let there = matches!(found.first(), Some(Some(_)));
    transaction.delete(Table::Pins, &key)?;
    transaction.commit().await?;
    Ok(there)
}

/// The pin of `cid` itself.
pub async fn find(backend: &dyn Backend, cid: &Cid) -> Result<Option<Pin>, StoreError> {
    let transaction = backend.begin(&[Table::Pins], Access::Read).await?;
    let found = transaction.look(vec![Ask::Value(Table::Pins, key(cid))]).await?;
    let Some(Some(row)) = found.first() else { return Ok(None) };
    Pin::from_row(&key(cid), row).map(|(_, pin)| Some(pin))
}

/// All pins, by CID.
pub async fn list(backend: &dyn Backend) -> Result<Vec<(Cid, Pin)>, StoreError> {
    all(backend.begin(&[Table::Pins], Access::Read).await?.as_ref()).await
}

/// Within a transaction that reads `Pins`: all of them.
pub(super) async fn all(transaction: &dyn Transaction) -> Result<Vec<(Cid, Pin)>, StoreError> {
    let mut pins = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = transaction.entries(Table::Pins, after.as_deref(), PAGE).await?;
        for (key, row) in &page {
            pins.push(Pin::from_row(key, row)?);
        }
        match page.into_iter().last() {
            Some((last, _)) => after = Some(last),
            None => return Ok(pins),
        }
    }
}

/// Asks for the counter that every new pin raises.
pub(super) fn ask_epoch() -> Ask {
    Ask::Value(Table::State, EPOCH.to_vec())
}

/// The answer to [`ask_epoch`].
pub(super) fn read_epoch(answer: Option<&Option<Payload>>) -> Result<u64, StoreError> {
    let Some(Some(row)) = answer else { return Ok(0) };
    read_numbers(Table::State, row).map(|[epoch]| epoch)
}

fn key(cid: &Cid) -> Vec<u8> {
    cid.to_v1().to_bytes()
}

impl Pin {
    fn to_row(&self, cid: &Cid) -> Result<Payload, StoreError> {
        let name = self.name.as_deref().unwrap_or_default();
        if name.len() > MAX_NAME {
            return Err(StoreError::NameTooLong(name.len()));
        }
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let mut row = Vec::with_capacity(17 + name.len());
        row.put_u8(
            flag(self.recursive, RECURSIVE)
                | flag(self.name.is_some(), NAMED)
                | flag(self.size.is_some(), SIZED)
                | flag(cid.version() == Version::V0, VERSION_0),
        );
        row.put_u64(self.size.unwrap_or_default());
        row.put_u64(self.created);
        row.put_slice(name.as_bytes());
        Ok(row.into())
    }

    fn from_row(key: &[u8], value: &Payload) -> Result<(Cid, Self), StoreError> {
        let mut row = Row::new(Table::Pins, value);
        let flags = row.u8()?;
        let size = row.u64()?;
        let created = row.u64()?;
        let name = String::from_utf8(row.rest().to_vec()).map_err(|_| row.damaged())?;
        let cid = Cid::from_bytes(key).map_err(|_| row.damaged())?;
        let cid = match flags & VERSION_0 {
            0 => cid,
            _ => Cid::new_v0(cid.hash().clone()).map_err(|_| row.damaged())?,
        };
        let pin = Self {
            recursive: flags & RECURSIVE != 0,
            name: (flags & NAMED != 0).then_some(name),
            size: (flags & SIZED != 0).then_some(size),
            created,
        };
        Ok((cid, pin))
    }
}
