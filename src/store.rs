//! Where blocks, pins and identities are kept.
//!
//! [`Store::open`] gives a handle, which clones share; tabs of one origin that open the same
//! name share everything in it. Blocks come in by [`Store::put`], up to [`BATCH`] in one
//! transaction that the browser writes out when it likes; a root is fit to be told to anyone
//! once [`Draft::pin`] or [`Store::pin`] has returned, which waits for the disk. What is neither
//! pinned nor in a [`Draft`] goes at the next [`Store::gc`].
//!
//! To gather content safely while any tab may collect: take a [`Draft`], put or look at every
//! block ([`Store::has`] is enough), [`Draft::pin`] the root, drop the draft.
//!
//! What is read is verified. The network is not known here, nor what is in a block beyond its
//! links.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use avocet_dag::{BlockError, Cid, Multihash};

mod backend;
mod blocks;
mod discard;
mod draft;
mod drafts;
mod error;
mod figures;
mod gc;
#[cfg(target_arch = "wasm32")]
mod idb;
#[cfg(not(target_arch = "wasm32"))]
#[path = "store/no_idb.rs"]
mod idb;
mod keys;
mod memory;
mod name;
mod pins;
mod row;
#[cfg(test)]
mod suite;
mod take;
mod write;

use self::{backend::Backend, draft::Stamped, drafts::DraftId, memory::Memory};
pub use self::{
    backend::TakeError,
    draft::{Draft, MAX_DRAFTS},
    error::StoreError,
    figures::{Collected, Counters, Usage},
    keys::{Identity, Seat},
    name::StoreName,
    pins::{MAX_NAME, Pin},
    take::Taker,
    write::{BATCH, Ready},
};
use crate::platform::{self, Block};

/// Milliseconds since 1970.
type Clock = Rc<dyn Fn() -> u64>;

/// A handle on a store. Clones share it.
#[derive(Clone)]
pub struct Store(Rc<Inner>);

struct Inner {
    backend: Rc<dyn Backend>,
    clock: Clock,
    /// The drafts of this handle and their stamps.
    drafts: RefCell<Vec<(DraftId, u64)>>,
    /// Drafts that were dropped and may still have their row.
    dropped: RefCell<Vec<DraftId>>,
    /// Blocks that are known to be stamped as this handle's drafts are.
    stamped: RefCell<Stamped>,
    counters: Cell<Counters>,
}

impl Store {
    /// Opens a store and makes it if there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Blocked`, `TooNew` or `Foreign`: an existing database is never emptied.
    pub async fn open(name: &StoreName) -> Result<Self, StoreError> {
        let backend: Rc<dyn Backend> = match name {
            StoreName::Memory => Rc::new(Memory::default()),
            StoreName::Database(name) => idb::open(name).await?,
        };
        let store = Self::on(backend, Rc::new(platform::unix_millis));
        store.mend_later();
        Ok(store)
    }

    fn on(backend: Rc<dyn Backend>, clock: Clock) -> Self {
        Self(Rc::new(Inner {
            backend,
            clock,
            drafts: RefCell::default(),
            dropped: RefCell::default(),
            stamped: RefCell::default(),
            counters: Cell::default(),
        }))
    }

    /// The block that `cid` names, if it is here and whole. One that is damaged is removed, so
    /// that it can be fetched again.
    pub async fn get(&self, cid: &Cid) -> Result<Option<Block>, StoreError> {
        if let Some(block) = Block::inline(cid) {
            return Ok(Some(block));
        }
        let block = self.read(cid).await?;
        let Some(block) = block else {
            self.count(|counters| counters.misses += 1);
            return Ok(None);
        };
        self.count(|counters| counters.hits += 1);
        let stamp = self.stamp();
        if stamp > 0 && !self.is_stamped(cid.hash(), stamp) {
            match blocks::keep(self.backend(), cid.hash(), stamp).await? {
                true => self.stamped(cid.hash(), stamp),
                // Another tab collected it after it was read.
                false => self.put(vec![block.clone()]).await?,
            }
        }
        Ok(Some(block))
    }

    /// Whether the block is here. It is not read.
    pub async fn has(&self, cid: &Cid) -> Result<bool, StoreError> {
        Ok(self.size_of(cid).await?.is_some())
    }

    /// The bytes of the block, if it is here. It is not read.
    pub async fn size_of(&self, cid: &Cid) -> Result<Option<u64>, StoreError> {
        let sizes = self.sizes_of(std::slice::from_ref(cid)).await?;
        Ok(sizes.into_iter().next().flatten())
    }

    /// As [`Self::size_of`], for many in one transaction.
    pub async fn sizes_of(&self, cids: &[Cid]) -> Result<Vec<Option<u64>>, StoreError> {
        let keys: Vec<Multihash> = cids.iter().map(|cid| cid.hash().clone()).collect();
        let stamp = self.stamp();
        let mut sizes = match keys.iter().all(|key| self.is_stamped(key, stamp)) {
            true => blocks::sizes(self.backend(), &keys).await?,
            false => {
                let sizes = blocks::touch(self.backend(), &keys, stamp).await?;
                let here = keys.iter().zip(&sizes).filter(|(_, size)| size.is_some());
                here.for_each(|(key, _)| self.stamped(key, stamp));
                sizes
            }
        };
        for (size, cid) in sizes.iter_mut().zip(cids) {
            if let Some(bytes) = cid.inline() {
                *size = Some(bytes.len() as u64);
            }
        }
        Ok(sizes)
    }

    /// Removes a block; false when it was not here. Costs a walk through all that is pinned.
    ///
    /// # Errors
    /// `Pinned` or `InUse` when something holds it.
    pub async fn delete(&self, cid: &Cid) -> Result<bool, StoreError> {
        self.end_dropped().await?;
        let deleted = gc::delete(self.backend(), cid, self.now()).await?;
        if deleted {
            self.backend().tidy().await?;
        }
        Ok(deleted)
    }

    /// Pins what is here already. It, and all that was written before, is on the disk when this
    /// returns. For what was gathered just now use [`Draft::pin`].
    pub async fn pin(&self, cid: &Cid, pin: &Pin) -> Result<(), StoreError> {
        pins::pin(self.backend(), cid, pin, None).await
    }

    /// Removes a pin; false when there was none. Its blocks stay until [`Self::gc`].
    pub async fn unpin(&self, cid: &Cid) -> Result<bool, StoreError> {
        pins::unpin(self.backend(), cid).await
    }

    /// All pins, in the order of their CIDs.
    pub async fn pins(&self) -> Result<Vec<(Cid, Pin)>, StoreError> {
        pins::list(self.backend()).await
    }

    /// The pin of `cid` itself; what it is a part of is not asked.
    pub async fn pin_of(&self, cid: &Cid) -> Result<Option<Pin>, StoreError> {
        pins::find(self.backend(), cid).await
    }

    /// Whether `cid` itself is pinned; what it is a part of is not asked.
    pub async fn is_pinned(&self, cid: &Cid) -> Result<bool, StoreError> {
        Ok(self.pin_of(cid).await?.is_some())
    }

    /// Removes what no pin reaches and no draft of any tab holds.
    pub async fn gc(&self) -> Result<Collected, StoreError> {
        self.end_dropped().await?;
        let collected = gc::collect(self.backend(), self.now()).await?;
        self.backend().tidy().await?;
        Ok(collected)
    }

    /// How much is stored, by all tabs.
    pub async fn usage(&self) -> Result<Usage, StoreError> {
        blocks::usage(self.backend()).await
    }

    /// Takes the lowest identity that no tab has. The same slot has the same secret for ever.
    ///
    /// # Errors
    /// `NoSlot` when all are taken, `Key` when the secret can no longer be read.
    pub async fn identity(&self) -> Result<Identity, StoreError> {
        keys::take(&self.0.backend, &self.0.clock).await
    }

    /// Lets go of the files that blocks lie in, for a peer that stopped: other tabs may do with them what
    /// they like. Large blocks are neither read nor written any more.
    pub fn release(&self) {
        self.backend().release();
    }

    /// What this handle saw.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.0.counters.get()
    }

    /// Reads and verifies; what fails is removed.
    async fn read(&self, cid: &Cid) -> Result<Option<Block>, StoreError> {
        let bad = match blocks::read(self.backend(), cid.hash()).await {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => match platform::verify(cid.clone(), bytes.clone()).await {
                Ok(block) => return Ok(Some(block)),
                // A CID that nothing can be verified by: there is no block of it.
                Err(BlockError::Cid(_)) => return Ok(None),
                Err(BlockError::Mismatch(_) | BlockError::TooLarge(_)) => Some(bytes.to_bytes()),
            },
            Err(StoreError::Lost { .. }) => None,
            Err(error) => return Err(error),
        };
        tracing::warn!(%cid, "a stored block was damaged, and is removed");
        self.count(|counters| counters.corrupt += 1);
        discard::discard(self.backend(), cid.hash(), bad.as_ref()).await?;
        Ok(None)
    }

    fn mend_later(&self) {
        let weak = Rc::downgrade(&self.0);
        platform::spawn(async move {
            let Some(inner) = weak.upgrade() else { return };
            match blocks::mend(inner.backend.as_ref()).await {
                Ok(false) => {}
                Ok(true) => tracing::warn!(store = inner.backend.name(), "mended the tables"),
                Err(error) => tracing::debug!(%error, "could not look for damage"),
            }
        });
    }

    fn backend(&self) -> &dyn Backend {
        self.0.backend.as_ref()
    }

    fn now(&self) -> u64 {
        (self.0.clock)()
    }

    fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.0.counters.get();
        change(&mut counters);
        self.0.counters.set(counters);
    }
}
