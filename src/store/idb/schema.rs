//! The steps from one schema of the database to the next: one file each, never changed once it
//! was published.

use wasm_bindgen::JsValue;
use web_sys::{IdbDatabase, IdbTransaction};

mod v1;
mod v2;
mod v3;

/// One step. It runs inside the upgrade's own transaction, and so is done whole or not at all.
pub(in crate::store) type Step = fn(&IdbDatabase, &IdbTransaction) -> Result<(), JsValue>;

/// All steps; the first makes schema 1 of an empty database.
pub(in crate::store) const STEPS: &[Step] = &[v1::step, v2::step, v3::step];
