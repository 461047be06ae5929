//! Where the bytes of an import come from.

use futures::future::LocalBoxFuture;

use crate::platform::Payload;

/// Why an entry or its bytes could not be had. Who supplied it knows the rest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} could not be read: {reason}")]
pub struct SourceError {
    /// The entry's path; empty where there is none yet.
    pub path: String,
    /// What the platform said.
    pub reason: String,
}

/// The bytes of one file, pulled.
pub trait Source {
    /// The next `size` bytes: fewer only at the end, `None` after it.
    ///
    /// May be called again before the answer is there; the answers are in the order of the calls.
    fn next(&mut self, size: usize) -> LocalBoxFuture<'static, Result<Option<Payload>, String>>;
}

/// A file or a folder to be imported.
pub struct Entry {
    /// Names between slashes, none of them empty, `.` or `..`; the file's own name or nothing for
    /// a file that is imported alone.
    pub path: String,
    /// The file's bytes; `None` for a folder.
    pub content: Option<Box<dyn Source>>,
}
