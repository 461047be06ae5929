//! An archive goes out: blocks are fetched ahead, and their sections come as they are pulled.

use std::{pin::Pin, rc::Rc};

use avocet_dag::{
    Payload as _,
    car::{Export, ExportOptions},
    path::{Path, Root},
};
use futures::{
    Stream, StreamExt,
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

/// Shorter pieces than this are put together: whoever pulls them pays for each pull, and small
/// blocks and the heads of all others are many. Copying as much costs less than a pull does.
const PULL: usize = 64 * 1024;

/// An archive that is being written.
pub struct CarExport {
    export: Export<Payload>,
    session: Rc<Session>,
    /// Blocks that are asked for; the export's window bounds them.
    coming: FuturesUnordered<RemoteHandle<Result<Block, FetchError>>>,
    /// Short pieces that were read and not yet given.
    short: Vec<Payload>,
    /// A long one that comes after them.
    long: Option<Payload>,
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
        Ok(Self { export, session, coming, short: Vec::new(), long: None })
    }

    /// The next bytes, of any number; `None` after the last. Blocks are fetched ahead meanwhile.
    pub async fn next(&mut self) -> Result<Option<Payload>, FileError> {
        loop {
            if self.long.is_none() {
                self.read()?;
            }
            self.ask();
            if !self.short.is_empty() {
                let short = std::mem::take(&mut self.short);
                return Ok(Payload::join(&short));
            }
            if let Some(long) = self.long.take() {
                return Ok(Some(long));
            }
            if self.export.is_done() {
                return Ok(None);
            }
            let block = self.coming.next().await.ok_or(FileError::Stuck)?;
            self.export.give(&readable(block?))?;
        }
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

    /// Reads what is here: short pieces up to a long one, or until they are long together.
    fn read(&mut self) -> Result<(), FileError> {
        let mut len = 0;
        while len < PULL {
            match self.export.read()? {
                None => break,
                Some(piece) if piece.len() >= PULL => {
                    self.long = Some(piece);
                    break;
                }
                Some(piece) => {
                    len += piece.len();
                    self.short.push(piece);
                }
            }
        }
        Ok(())
    }

    /// Asks for what the export wants and was not asked for.
    fn ask(&mut self) {
        for cid in self.export.wants() {
            let session = self.session.clone();
            self.coming.push(apart(async move { session.get(&cid).await }));
        }
    }
}
