//! What a directory's own blocks say, fetched as it is asked for.

use std::rc::Rc;

use avocet_dag::{
    Cid,
    unixfs::{ListedEntry, Listing, Window},
};
use futures::{
    Stream, StreamExt,
    stream::{self, FuturesUnordered},
};

use super::{FileError, apart::apart, export::readable};
use crate::fetch::Session;

/// Blocks of a sharded directory that are looked at ahead. Each holds some ten entries where the
/// directory is large, so that these keep those who look at entries busy.
const SHARDS_AHEAD: Window = Window { blocks: 32, bytes: 4 * 1024 * 1024 };

/// The entries of the directory `root` as its own blocks have them; ends after an error. Where a
/// block cannot be had, this is said after the entries before it.
pub fn entries(
    session: Rc<Session>,
    root: Cid,
) -> impl Stream<Item = Result<ListedEntry, FileError>> {
    let listing = Listing::new(root, SHARDS_AHEAD);
    let state = Some((listing, session, FuturesUnordered::new(), None));
    stream::unfold(state, |state| async {
        let (mut listing, session, mut coming, mut lacks) = state?;
        let next = async {
            loop {
                let entry = listing.next_entry()?;
                for cid in listing.wants() {
                    let session = session.clone();
                    coming.push(apart(async move { session.get(&cid).await }));
                }
                if entry.is_some() {
                    return Ok(entry);
                }
                match coming.next().await {
                    Some(Ok(block)) => drop(listing.give(&readable(block))?),
                    Some(Err(error)) => drop(lacks.get_or_insert(error)),
                    None if listing.is_done() => return Ok(None),
                    None => return Err(lacks.take().map_or(FileError::Stuck, FileError::from)),
                }
            }
        };
        match next.await {
            Ok(entry) => Some((Ok(entry?), Some((listing, session, coming, lacks)))),
            Err(error) => Some((Err(error), None)),
        }
    })
}
