//! What can be wrong with an import.

use avocet_dag::unixfs::{self, DirError, OptionsError};

use crate::{
    files::{leaves::Fault, source::SourceError},
    store::StoreError,
};

/// Why nothing was added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// An entry or its bytes could not be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A directory could not be built, or has no place for an entry.
    #[error(transparent)]
    Directory(#[from] DirError),
    /// The options make no import.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// A block could not be made.
    #[error("{path:?} could not be added: {source}")]
    File {
        /// The entry's path.
        path: String,
        /// Why not.
        source: unixfs::ImportError,
    },
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no entry, or more than one, where one was needed.
    #[error("one entry was expected")]
    NotOne,
}

/// A block of the file at `path` could not be made.
pub fn failed_at(path: &str) -> impl Fn(unixfs::ImportError) -> ImportError {
    move |source| ImportError::File { path: path.to_owned(), source }
}

impl Fault {
    /// The error, of the file at `path`.
    pub fn at(self, path: &str) -> ImportError {
        match self {
            Self::Source(reason) => SourceError { path: path.to_owned(), reason }.into(),
            Self::Block(source) => failed_at(path)(source),
            Self::Store(error) => error.into(),
        }
    }
}
