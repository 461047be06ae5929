//! Files and folders: in, out, and what is where.
//!
//! [`import()`] takes entries whose bytes it pulls, and pins what it made of them. [`Export`] follows
//! a path and gives bytes as they are pulled. [`import_car()`] and [`CarExport`] do the same for
//! archives. [`list`], [`stat`] and [`keep`] look at what is there and fetch it to stay. [`data()`]
//! gives what is no file.
//!
//! Content itself is `avocet_dag`'s business; here it meets the store and the network. Nothing here
//! knows of a browser: what a dropped file is, [`Source`] hides.

mod apart;
mod car;
mod data;
mod entries;
mod export;
mod import;
mod leaves;
mod list;
mod resolve;
mod source;
mod top;
mod write;

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;

use avocet_dag::{
    Cid, car::ExportError, codec::CodecError, path::PathError, resolve::ResolveError,
    unixfs::ListError, unixfs::ReadError, walk::WalkError,
};

pub use self::{
    car::{CarExport, CarImport, CarImportError, CarImported, import_car},
    data::data,
    export::{Export, Part},
    import::{Added, Import, ImportError, import},
    list::{Keep, Listed, Stat, Type, keep, list, stat},
    source::{Content, Entry, Piece, Source, SourceError},
};
use crate::{fetch::FetchError, store::StoreError};

/// Why something cannot be read, listed or kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FileError {
    /// The text is no path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The path begins with a name, which would have to be resolved first.
    #[error("{0:?} begins with a name: only paths from a CID are supported by this version")]
    Names(String),
    /// The path leads nowhere.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A block cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was to be read is no file, or a damaged one.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was to be listed is no directory, or a damaged one.
    #[error(transparent)]
    Directory(#[from] ListError),
    /// What was to be taken apart is damaged, or in an unknown codec.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// What hangs under a root cannot be walked through.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// No archive can be written of it.
    #[error(transparent)]
    Archive(#[from] ExportError),
    /// What a block links to cannot be told, so that not all of it can be kept.
    #[error(
        "{0} is in a codec whose links are not read by this version: keep it without \"recursive\""
    )]
    Opaque(Cid),
    /// A reader waits for nothing and has nothing: a mistake in the program.
    #[error("the reader of a file is stuck")]
    Stuck,
}
