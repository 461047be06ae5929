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

/// So many bytes are given at once where they are here: whoever pulls them pays for each pull, and
/// small blocks, and the heads of all others, are many.
const PULL: usize = 1024 * 1024;
/// Pieces that are shorter are put together: to copy as much costs less than to hand it over.
const SHORT: usize = 32 * 1024;

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

    /// The next bytes, in pieces of any size; `None` after the last. Blocks are fetched ahead
    /// meanwhile.
    pub async fn next(&mut self) -> Result<Option<Vec<Payload>>, FileError> {
        let mut pieces = Pieces::default();
        loop {
            while pieces.len < PULL
                && let Some(piece) = self.export.read()?
            {
                pieces.add(piece);
            }
            self.ask();
            if pieces.len >= PULL || self.export.is_done() {
                break;
            }
            // what is here already is taken along; nobody waits with bytes in hand
            let block = match pieces.len == 0 {
                true => self.coming.next().await,
                false => self.coming.next().now_or_never().flatten(),
            };
            match block {
                Some(block) => drop(self.export.give(&readable(block?))?),
                None if pieces.len == 0 => return Err(FileError::Stuck),
                None => break,
            }
        }
        Ok((pieces.len > 0).then(|| pieces.into_all()))
    }

    /// The same as a stream, which ends after an error.
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = Result<Vec<Payload>, FileError>>>> {
        stream::unfold(Some(self), |export| async {
            let mut export = export?;
            match export.next().await {
                Ok(pieces) => Some((Ok(pieces?), Some(export))),
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

/// What is given at once.
#[derive(Default)]
struct Pieces {
    all: Vec<Payload>,
    /// The short ones that came last.
    short: Vec<Payload>,
    /// Bytes of them all.
    len: usize,
}

impl Pieces {
    fn add(&mut self, piece: Payload) {
        self.len += piece.len();
        if piece.len() < SHORT {
            self.short.push(piece);
        } else {
            self.join_short();
            self.all.push(piece);
        }
    }

    fn join_short(&mut self) {
        if !self.short.is_empty() {
            self.all.extend(Payload::join(&std::mem::take(&mut self.short)));
        }
    }

    fn into_all(mut self) -> Vec<Payload> {
        self.join_short();
        self.all
    }
}
