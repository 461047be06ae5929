//! Where a path leads.

use avocet_dag::{
    Cid,
    path::{Path, Root},
    resolve::Resolver,
};
use libp2p::Multiaddr;

use super::{FileError, export::readable};
use crate::fetch::{Fetcher, Session};

/// What a path leads to, and the session of the path's root to go on with.
pub struct Place {
    /// The end of the path. Its block has not been fetched for this.
    pub cid: Cid,
    /// The names that lead on within that block, which then is no file.
    pub inside: Vec<String>,
    /// For what lies below.
    pub session: Session,
}

impl Place {
    /// Follows `path`, fetching the directories on the way; `providers` are asked first.
    pub async fn find(
        fetcher: &Fetcher,
        path: &str,
        providers: Vec<Multiaddr>,
    ) -> Result<Self, FileError> {
        let (root, segments) = path.parse::<Path>()?.into_parts();
        let Root::Ipfs(root) = root else { return Err(FileError::Names(path.to_owned())) };
        let session = fetcher.session(root.clone(), providers);
        let mut resolver = Resolver::new(root, segments);
        while let Some(cid) = resolver.want().cloned() {
            resolver.give(&readable(session.get(&cid).await?))?;
        }
        Ok(Self { cid: resolver.cid().clone(), inside: resolver.inside().to_vec(), session })
    }
}
