//! What can go wrong in a store.

use avocet_dag::Cid;

/// Why the store did not do what it was asked. Each names the thing that failed; none of them
/// leaves half of a transaction behind, and what was stored before stays readable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no database to be had: a private window, a setting, no IndexedDB.
    #[error(
        "this browser gives no database to keep '{name}' in ({reason}): leave the private window, \
         allow this site to store data, or use the 'memory' store"
    )]
    Unavailable {
        /// The database.
        name: String,
        /// The browser's words.
        reason: String,
    },
    /// Another tab holds an older version of the database open and did not let go.
    #[error(
        "another tab of this page keeps an older version of '{name}' open: close it, then reload"
    )]
    Blocked {
        /// The database.
        name: String,
    },
    /// A newer version of this program made the database. It was left as it is.
    #[error(
        "'{name}' was made by a newer version of this page, which knows more than schema {ours}: reload to get it"
    )]
    TooNew {
        /// The database.
        name: String,
        /// The newest schema that this program knows.
        ours: u32,
    },
    /// Something else made the database. It was left as it is.
    #[error(
        "the database '{name}' is not one of ours, it has no table '{missing}': choose another name"
    )]
    Foreign {
        /// The database.
        name: String,
        /// The first table that it lacks.
        missing: &'static str,
    },
    /// Another tab began to upgrade the database, and this one made way.
    #[error("a newer version of this page took over '{name}': reload this tab")]
    Replaced {
        /// The database.
        name: String,
    },
    /// The browser closed the database: site data were cleared, or its disk failed.
    #[error("the browser closed the database '{name}': reload this tab")]
    Closed {
        /// The database.
        name: String,
    },
    /// No room. Nothing of what was to be written is kept.
    #[error(
        "no room left to write {bytes} bytes to '{name}': remove files that are no longer needed, or free disk space"
    )]
    Quota {
        /// The database.
        name: String,
        /// The size of the transaction.
        bytes: u64,
    },
    /// A pin needs the block.
    #[error("{cid} is pinned, or part of something pinned: remove the pin first")]
    Pinned {
        /// The block.
        cid: Cid,
    },
    /// An unfinished import, here or in another tab, needs the block.
    #[error("{cid} is part of an import that is not finished")]
    InUse {
        /// The block.
        cid: Cid,
    },
    /// The draft expired, because this tab slept, and a collection elsewhere went past it: what
    /// was written under it may be gone.
    #[error(
        "this tab slept too long, and unfinished content may have been removed meanwhile: start again"
    )]
    DraftLost,
    /// More drafts at once than [`super::MAX_DRAFTS`].
    #[error("{0} imports are under way in this tab: wait for one to finish")]
    TooManyDrafts(usize),
    /// A pin's name is longer than [`super::MAX_NAME`].
    #[error("the name of a pin has {0} bytes: {max} are the most", max = super::MAX_NAME)]
    NameTooLong(usize),
    /// Every identity slot is taken by another tab.
    #[error("{slots} tabs of this page are open already: close one")]
    NoSlot {
        /// How many there are.
        slots: u32,
    },
    /// The secret of an identity cannot be read back; it was left as it is.
    #[error("the key of identity {slot} in '{name}' cannot be read ({reason})")]
    Key {
        /// The database.
        name: String,
        /// The identity slot.
        slot: u32,
        /// What happened.
        reason: String,
    },
    /// A row does not have the shape that its schema gives it.
    #[error("a row of the table '{table}' is damaged")]
    Row {
        /// The table.
        table: &'static str,
    },
    /// The browser can no longer read a value that it has.
    #[error("the browser lost a value of the table '{table}'")]
    Lost {
        /// The table.
        table: &'static str,
    },
    /// The database refused for another reason.
    #[error("the database '{name}' failed: {reason}")]
    Failed {
        /// The database.
        name: String,
        /// The browser's words.
        reason: String,
    },
}
