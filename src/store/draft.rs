//! The guard of a draft; what a draft is, [`drafts`] says.

use std::{collections::HashSet, rc::Rc};

use avocet_dag::{Cid, Multihash};

use super::{
    Pin, Store, StoreError,
    drafts::{self, DraftId},
    pins,
};
use crate::platform;

/// Drafts of one handle at once: each renews its row on a timer of its own.
pub const MAX_DRAFTS: usize = 256;

/// Blocks remembered as stamped: those of 16 GiB at 1 MiB each, in about 1 MiB of memory.
const MAX_STAMPED: usize = 16 * 1024;

/// Blocks that bear a stamp, so that a block which is read or asked for again and again under a
/// draft is stamped once. True for as long as the draft of that stamp is: nothing collects them.
#[derive(Default)]
pub(super) struct Stamped {
    stamp: u64,
    keys: HashSet<Multihash>,
}

impl Store {
    /// Begins a draft: what this handle and its clones put or see until it is dropped stays, in
    /// whichever tab [`Self::gc`] runs.
    ///
    /// # Errors
    /// `TooManyDrafts` above [`MAX_DRAFTS`].
    pub async fn draft(&self) -> Result<Draft, StoreError> {
        let held = self.0.drafts.borrow().len();
        if held >= MAX_DRAFTS {
            return Err(StoreError::TooManyDrafts(held));
        }
        let mut id = DraftId::default();
        platform::random_bytes(&mut id);
        // From here on its row is removed, whether this ends well, badly or is dropped.
        let draft = Draft { store: self.clone(), id };
        let stamp = drafts::begin(self.backend(), &id, self.now()).await?;
        self.0.drafts.borrow_mut().push((id, stamp));
        draft.renew_while_held();
        Ok(draft)
    }

    /// Removes the rows of the drafts that were dropped.
    pub(super) async fn end_dropped(&self) -> Result<(), StoreError> {
        let dropped = self.0.dropped.borrow().clone();
        for id in dropped {
            drafts::end(self.backend(), &id).await?;
            self.0.dropped.borrow_mut().retain(|other| *other != id);
        }
        Ok(())
    }

    /// The newest stamp among this handle's drafts; 0 without any.
    pub(super) fn stamp(&self) -> u64 {
        self.0.drafts.borrow().iter().map(|(_, stamp)| *stamp).max().unwrap_or(0)
    }

    /// Whether a block is known to bear `stamp`; all bear 0.
    pub(super) fn is_stamped(&self, key: &Multihash, stamp: u64) -> bool {
        let stamped = self.0.stamped.borrow();
        stamp == 0 || (stamped.stamp == stamp && stamped.keys.contains(key))
    }

    /// Remembers that a block bears `stamp`.
    pub(super) fn stamped(&self, key: &Multihash, stamp: u64) {
        let mut stamped = self.0.stamped.borrow_mut();
        if stamp == 0 || stamped.stamp > stamp {
            return;
        }
        if stamped.stamp < stamp || stamped.keys.len() >= MAX_STAMPED {
            *stamped = Stamped { stamp, keys: HashSet::new() };
        }
        stamped.keys.insert(key.clone());
    }
}

/// Keeps what is being gathered. Ends when it is dropped; a crashed tab's expires.
pub struct Draft {
    store: Store,
    pub(super) id: DraftId,
}

impl Draft {
    /// Pins the root of what was gathered. It, and all that was written before, is on the disk
    /// when this returns.
    ///
    /// # Errors
    /// `DraftLost` when this tab slept for so long that a collection went past the draft: gather
    /// again under a new one. What is still here need not be fetched.
    pub async fn pin(&self, cid: &Cid, pin: &Pin) -> Result<(), StoreError> {
        pins::pin(self.store.backend(), cid, pin, Some(&self.id)).await
    }

    fn renew_while_held(&self) {
        let (weak, id) = (Rc::downgrade(&self.store.0), self.id);
        platform::spawn(async move {
            loop {
                platform::sleep(drafts::BEAT).await;
                let Some(inner) = weak.upgrade() else { return };
                if !inner.drafts.borrow().iter().any(|(held, _)| *held == id) {
                    return;
                }
                match drafts::renew(inner.backend.as_ref(), &id, (inner.clock)()).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => tracing::warn!(%error, "a draft could not be renewed"),
                }
            }
        });
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let store = self.store.clone();
        store.0.drafts.borrow_mut().retain(|(held, _)| *held != self.id);
        store.0.dropped.borrow_mut().push(self.id);
        platform::spawn(async move {
            if let Err(error) = store.end_dropped().await {
                tracing::debug!(%error, "a draft stays until it expires");
            }
        });
    }
}
