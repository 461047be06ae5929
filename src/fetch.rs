//! Getting blocks: from the store, then from connected peers, then from peers that are found.

mod get;
mod plan;
mod save;
mod search;

pub use get::{FetchError, Fetcher, Session};
pub use plan::{MAX_HINTS, Progress};
pub use search::Looking;
