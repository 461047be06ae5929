//! An archive goes out: blocks are fetched ahead, and their sections come as they are pulled.

use std::{pin::Pin, rc::Rc};

use avocet_dag::{
    Payload as _,
    car::{Export, ExportOptions},
    path::{Path, Root},
};
use futures::{
    FutureExt, Stream, StreamExt,
    future::RemoteHandle,
    stream::{self, FuturesUnordered},
};
use libp2p::Multiaddr;

use super::super::{
    FileError,
    apart::apart,
    export::{WINDOW, readable},
};
use crate::{
    fetch::{FetchError, Fetcher, Session},
    platform::{Block, Payload},
};

/// Pieces are put together until they have as many bytes: whoever pulls them pays for each pull,
/// and small blocks, and the heads of all others, are many. To copy as much costs less than a pull.
const PULL: usize = 256 * 1024;

/// An archive that is being written.
pub struct CarExport {
    export: Export<Payload>,
    session: Rc<Session>,
    /// Blocks that are asked for; the export's window bounds them.
    coming: FuturesUnordered<RemoteHandle<Result<Block, FetchError>>>,
}

impl CarExport {
    /// An archive of what `path` leads to; `providers` are asked first for what is not here.
    pub fn open(
        fetcher: &Fetcher,
        path: &str,
        options: ExportOptions,
        providers: Vec<Multiaddr>,
    ) -> Result<Self, FileError> {
        let (root, segments) = path.parse::<Path>()?.into_parts();
        let Root::Ipfs(root) = root else { return Err(FileError::Names(path.to_owned())) };
        let session = Rc::new(fetcher.session(root.clone(), providers));
        let export = Export::new(root, segments, ExportOptions { window: WINDOW, ..options });
        let coming = FuturesUnordered::new();
        Ok(Self { export, session, coming })
    }

    /// The next bytes, of any number; `None` after the last. Blocks are fetched ahead meanwhile.
    pub async fn next(&mut self) -> Result<Option<Payload>, FileError> {
        let (mut pieces, mut len) = (Vec::new(), 0);
        loop {
            while len < PULL
                && let Some(piece) = self.export.read()?
            {
                len += piece.len();
                pieces.push(piece);
            }
            self.ask();
            if len >= PULL || self.export.is_done() {
                break;
            }
            // what is here already is taken along; nobody waits with bytes in hand
            let block = match pieces.is_empty() {
                true => self.coming.next().await,
                false => self.coming.next().now_or_never().flatten(),
            };
            match block {
                Some(block) => drop(self.export.give(&readable(block?))?),
                None if pieces.is_empty() => return Err(FileError::Stuck),
                None => break,
            }
        }
        if pieces.is_empty() { Ok(None) } else { Ok(Payload::join(&pieces)) }
    }

    /// The same as a stream, which ends after an error.
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = Result<Payload, FileError>>>> {
        stream::unfold(Some(self), |export| async {
            let mut export = export?;
            match export.next().await {
                Ok(bytes) => Some((Ok(bytes?), Some(export))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed_local()
    }

    /// Asks for what the export wants and was not asked for.
    fn ask(&mut self) {
        for cid in self.export.wants() {
            let session = self.session.clone();
            self.coming.push(apart(async move { session.get(&cid).await }));
        }
    }
}
