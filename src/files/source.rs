//! Where what is imported comes from.

use avocet_dag::{Cid, unixfs::Meta};
use futures::future::LocalBoxFuture;

use crate::platform::{Lent, Payload};

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

    /// As [`Self::next`]; what has `least` bytes or more may come unread.
    fn take(
        &mut self,
        size: usize,
        _least: usize,
    ) -> LocalBoxFuture<'static, Result<Option<Piece>, String>> {
        let next = self.next(size);
        Box::pin(async move { Ok(next.await?.map(Piece::Bytes)) })
    }
}

/// A part of a file.
pub enum Piece {
    /// Its bytes.
    Bytes(Payload),
    /// As the browser has it.
    Lent(Lent),
}

/// What is imported at one path.
pub struct Entry {
    /// Names between slashes, none of them empty, `.` or `..`; the file's own name or nothing for
    /// what is imported alone. A folder without any is the root.
    pub path: String,
    /// What it is.
    pub content: Content,
    /// Its mode and time; a link to what exists already has its own.
    pub meta: Meta,
}

/// What an entry is.
pub enum Content {
    /// A file of these bytes.
    File(Box<dyn Source>),
    /// A folder.
    Folder,
    /// A symbolic link to this target.
    Symlink(String),
    /// What exists already, here or elsewhere.
    Link {
        /// Its root.
        cid: Cid,
        /// Bytes of all its blocks.
        tsize: u64,
    },
}
