//! Raw blocks: bytes as they are.

use crate::Cid;

/// The links of any raw block: none.
pub const fn links() -> Vec<Cid> {
    Vec::new()
}
