//! What a database must offer the store: tables of bytes, and transactions over them.
//!
//! Everything that the store means by a pin, a draft or a counter is written once, over these
//! two traits. A backend holds no policy, so each passes the same tests.

use std::{any::Any, rc::Rc};

use async_trait::async_trait;
use avocet_dag::Payload as _;
use futures::future::LocalBoxFuture;

use super::StoreError;
use crate::platform::{Lent, Payload, Taken};

/// The tables of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Multihash -> the bytes of a block.
    Blocks,
    /// Multihash -> [`super::blocks::Meta`]. Apart from the bytes, so that no block is written
    /// anew when its stamp changes or sizes are summed.
    Meta,
    /// CID -> [`super::Pin`].
    Pins,
    /// Draft id -> its stamp and when it expires.
    Drafts,
    /// Name -> a counter of the whole store.
    State,
    /// Identity slot -> its sealed secret; and what seals it.
    Keys,
    /// Identity slot -> who has it and until when, where the platform has no locks.
    Leases,
}

impl Table {
    /// All of them; the place of each is its number.
    pub const ALL: [Self; 7] =
        [Self::Blocks, Self::Meta, Self::Pins, Self::Drafts, Self::State, Self::Keys, Self::Leases];

    /// The name in a database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Meta => "meta",
            Self::Pins => "pins",
            Self::Drafts => "drafts",
            Self::State => "state",
            Self::Keys => "keys",
            Self::Leases => "leases",
        }
    }
}

/// What a transaction may do, and how much its end promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads, beside others that read.
    Read,
    /// Reads and writes, alone on its tables. Its end means that others see what it wrote.
    Relaxed,
    /// As `Relaxed`, and its end means that it reached the disk.
    Strict,
}

/// One thing to look up.
#[derive(Clone, Debug)]
pub enum Ask {
    /// The value at a key.
    Value(Table, Vec<u8>),
    /// Whether there is one; the answer to a yes is empty. The value is not read.
    Presence(Table, Vec<u8>),
}

impl Ask {
    /// Where it looks.
    #[allow(dead_code, reason = "natively there is no database whose errors are told by table")]
    pub const fn table(&self) -> Table {
        match self {
            Self::Value(table, _) | Self::Presence(table, _) => *table,
        }
    }
}

/// What is to be written, in the form that its backend likes best.
#[derive(Clone)]
pub struct Value {
    /// The bytes; none where `own` has them.
    pub bytes: Payload,
    /// The backend's own form of them.
    #[allow(dead_code, reason = "natively there is no backend that has one")]
    pub own: Option<Rc<dyn Any>>,
    /// How many bytes there are.
    pub len: usize,
}

impl From<Payload> for Value {
    fn from(bytes: Payload) -> Self {
        let len = bytes.len();
        Self { bytes, own: None, len }
    }
}

/// Hashes and keeps parts of files in one go, outside this program.
pub trait Take {
    /// From how many bytes on that is worth it.
    fn least(&self) -> usize;

    /// Takes a part; it is on its way when this returns.
    fn take(&self, lent: Lent) -> LocalBoxFuture<'static, Result<Taken, Refused>>;
}

/// A part that was not taken: it can be tried again.
pub struct Refused {
    /// Why not.
    pub error: TakeError,
    /// The part.
    pub lent: Lent,
}

/// Why a part was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TakeError {
    /// It could not be read: what its owner is to be told.
    #[error("{0}")]
    #[allow(dead_code, reason = "natively nothing is lent")]
    Lent(String),
    /// The store could not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of asking for a lock.
#[allow(dead_code, reason = "natively there are no locks to give")]
pub enum Locked {
    /// Ours until this is dropped, or this program ends in whatever way.
    Ours(Box<dyn Any>),
    /// Somebody else has it.
    Taken,
    /// There are no locks here: plain http, or no browser at all.
    NoLocks,
}

/// A database that may be shared with other tabs.
#[async_trait(?Send)]
pub trait Backend {
    /// How messages name it.
    fn name(&self) -> &str;

    /// Begins a transaction on `tables`.
    async fn begin(
        &self,
        tables: &[Table],
        access: Access,
    ) -> Result<Box<dyn Transaction>, StoreError>;

    /// What hashes and keeps parts of files in one go, where there is such a thing.
    async fn hands(&self) -> Option<Rc<dyn Take>> {
        None
    }

    /// Makes a value ready to be written. Done before the transaction begins, what this costs
    /// holds up nobody who waits for that to end.
    fn prepare(&self, bytes: Payload) -> Value {
        bytes.into()
    }

    /// Waits until prepared values can be written. Called again after an error for lack of room, it tries again.
    async fn settle(&self, _values: &[Value]) -> Result<(), StoreError> {
        Ok(())
    }

    /// Gives back the room of what was removed, where that does not happen by itself.
    async fn tidy(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Lets go of what others may wait for, as far as it can be had again only by opening anew.
    fn release(&self) {}

    /// Takes a lock of this name among all who share the database, or says at once why not.
    async fn try_lock(&self, name: &str) -> Locked;

    /// Sees to it that [`Self::left`] gives `word` at `place` once this tab goes away, closed or
    /// reloaded, until what it returns is dropped. `on_return` is called if it comes back.
    fn leave_word(&self, _place: &str, _word: &str, _on_return: Box<dyn Fn()>) -> Box<dyn Any> {
        Box::new(())
    }

    /// The word that a tab left at `place`.
    fn left(&self, _place: &str) -> Option<String> {
        None
    }

    /// Takes the word at `place` back.
    fn forget_word(&self, _place: &str) {}

    /// Makes of a secret what may lie in the database.
    async fn seal(&self, secret: &[u8; 32]) -> Result<Vec<u8>, StoreError>;

    /// Undoes [`Self::seal`].
    async fn unseal(&self, sealed: &[u8]) -> Result<[u8; 32], StoreError>;
}

/// A transaction: all of it or nothing.
///
/// Between its calls wait for nothing else: a browser commits a transaction on its own once it
/// is asked for nothing more. Dropped without [`Self::commit`], what it wrote is undone.
#[async_trait(?Send)]
pub trait Transaction {
    /// Looks up all of `asks` in one round; the answers are in their order.
    async fn look(&self, asks: Vec<Ask>) -> Result<Vec<Option<Payload>>, StoreError>;

    /// As [`Self::look`], the last thing that a transaction which only reads is asked for.
    async fn look_last(self: Box<Self>, asks: Vec<Ask>)
    -> Result<Vec<Option<Payload>>, StoreError>;

    /// Up to `limit` entries of a table in the order of their keys, those after `after`.
    async fn entries(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: u32,
    ) -> Result<Vec<(Vec<u8>, Payload)>, StoreError>;

    /// As [`Self::entries`], without the values.
    async fn keys(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, StoreError>;

    /// How many entries a table has.
    async fn count(&self, table: Table) -> Result<u64, StoreError>;

    /// Writes an entry over what there was.
    fn put_value(&self, table: Table, key: &[u8], value: Value) -> Result<(), StoreError>;

    /// As [`Self::put_value`], of what is too small to be prepared.
    fn put(&self, table: Table, key: &[u8], value: Payload) -> Result<(), StoreError> {
        self.put_value(table, key, value.into())
    }

    /// Removes an entry if there is one.
    fn delete(&self, table: Table, key: &[u8]) -> Result<(), StoreError>;

    /// Ends it; on an error nothing of it is kept.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
