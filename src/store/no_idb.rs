//! A native process has no IndexedDB.

use std::rc::Rc;

use super::{StoreError, backend::Backend};

/// Says so.
#[expect(clippy::unused_async, reason = "the web's kind waits")]
pub(super) async fn open(name: &str) -> Result<Rc<dyn Backend>, StoreError> {
    let reason = "a native process has none".to_owned();
    Err(StoreError::Unavailable { name: name.to_owned(), reason })
}
