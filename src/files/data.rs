//! Data that is no file: what a path leads to, as a value.

use avocet_dag::codec::{self, Value};
use libp2p::Multiaddr;

use super::{FileError, resolve::Place};
use crate::{fetch::Fetcher, platform};

/// The value that `path` leads to: a whole block, or what lies in one. Of a file or directory it
/// is the DAG-PB node, of a raw block its bytes.
pub async fn data(
    fetcher: &Fetcher,
    path: &str,
    providers: Vec<Multiaddr>,
) -> Result<Value, FileError> {
    let Place { cid, inside, session } = Place::find(fetcher, path, providers).await?;
    let block = platform::bring_in(session.get(&cid).await?);
    // The path was followed in this very block.
    codec::decode(&block)?.take(&inside).ok_or(FileError::Stuck)
}
