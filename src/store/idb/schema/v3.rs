//! Schema 3: the same tables, and a value of `blocks` may be its place in a pack, by whose name it is
//! found.

use wasm_bindgen::JsValue;
use web_sys::{IdbDatabase, IdbTransaction};

/// Rows stay as they are; those that are no places have no field `pack`, and are not in the index.
pub(super) fn step(_: &IdbDatabase, transaction: &IdbTransaction) -> Result<(), JsValue> {
    transaction.object_store("blocks")?.create_index_with_str("pack", "pack").map(drop)
}
