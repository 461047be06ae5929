//! Schema 2: the same tables, and large values may be files.
//!
//! A program of schema 1 would take such a value for damage and remove it. By the number it makes
//! way, or is told that the database is too new for it.

use wasm_bindgen::JsValue;
use web_sys::{IdbDatabase, IdbTransaction};

/// Rows stay as they are: both kinds of value are read.
pub(super) fn step(_: &IdbDatabase, _: &IdbTransaction) -> Result<(), JsValue> {
    Ok(())
}
