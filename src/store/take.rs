//! Parts of files that are hashed and kept in one go, outside this program.

use std::rc::Rc;

use super::{Store, StoreError, backend::Take, backend::TakeError};
use crate::platform::{Lent, Taken};

/// What takes parts of files over for a store.
#[derive(Clone)]
pub struct Taker {
    store: Store,
    hands: Rc<dyn Take>,
}

impl Store {
    /// What takes parts of files over, where there is such a thing. What was taken is written by
    /// [`Self::write`], or its room is used for something else.
    pub async fn taker(&self) -> Option<Taker> {
        let hands = self.backend().hands().await?;
        Some(Taker { store: self.clone(), hands })
    }
}

impl Taker {
    /// From how many bytes on that is worth it.
    pub fn least(&self) -> usize {
        self.hands.least()
    }

    /// Hashes and keeps a part. When there is no room, what nothing holds makes room, once.
    pub async fn take(&self, lent: Lent) -> Result<Taken, TakeError> {
        let refused = match self.hands.take(lent).await {
            Ok(taken) => return Ok(taken),
            Err(refused) => refused,
        };
        match refused.error {
            TakeError::Store(StoreError::Quota { .. }) => {
                self.store.gc().await?;
                self.hands.take(refused.lent).await.map_err(|refused| refused.error)
            }
            error => Err(error),
        }
    }
}
