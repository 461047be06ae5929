//! Which blocks an archive without repetitions has already.

use std::collections::HashSet;

use super::{ExportError, slots::Part};
use crate::{Cid, walk::MAX_VISITED};

/// The blocks that were written, about 100 bytes each.
#[derive(Debug, Default)]
pub(super) struct Seen {
    written: HashSet<Cid>,
    /// Of these the ones below which something may be missing that the range did not need there.
    /// The same block may stand elsewhere in the file, where the range needs it.
    partly: HashSet<Cid>,
}

impl Seen {
    /// Whether the block was written with all that lies below it.
    pub fn has_all_of(&self, cid: &Cid) -> bool {
        self.written.contains(cid) && !self.partly.contains(cid)
    }

    /// Notes that a block is being written; `false`: it was before.
    pub fn write(&mut self, cid: &Cid, part: Part) -> Result<bool, ExportError> {
        let is_new = !self.written.contains(cid);
        if is_new {
            if self.written.len() == MAX_VISITED {
                return Err(ExportError::TooMany);
            }
            self.written.insert(cid.clone());
        }
        if part.is_whole {
            self.partly.remove(cid);
        } else if is_new {
            self.partly.insert(cid.clone());
        }
        Ok(is_new)
    }
}
