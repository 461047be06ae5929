//! Archives in and out.
//!
//! [`import_car()`] stores the blocks of an archive and pins its roots. [`CarExport`] gives the
//! bytes of an archive of whatever a path leads to, as they are pulled.

mod export;
mod import;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;

pub use self::{
    export::CarExport,
    import::{CarImport, CarImportError, CarImported, import_car},
};
