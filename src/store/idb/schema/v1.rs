//! Schema 1: a table for each kind of row, keys given from outside.

use wasm_bindgen::JsValue;
use web_sys::{IdbDatabase, IdbTransaction};

/// The tables as they were named then.
const TABLES: [&str; 7] = ["blocks", "meta", "pins", "drafts", "state", "keys", "leases"];

pub(super) fn step(database: &IdbDatabase, _: &IdbTransaction) -> Result<(), JsValue> {
    for table in TABLES {
        database.create_object_store(table)?;
    }
    Ok(())
}
