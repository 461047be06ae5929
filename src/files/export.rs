//! Files out: a path is followed, and the bytes it leads to come as they are pulled.

use std::{pin::Pin, rc::Rc};

use avocet_dag::{
    Payload as _, code,
    unixfs::{Reader, Window},
};
use futures::{
    Stream, StreamExt,
    future::RemoteHandle,
    stream::{self, FuturesUnordered},
};
use libp2p::Multiaddr;

use super::{FileError, apart::apart, resolve::Place};
use crate::{
    fetch::{FetchError, Fetcher, Session},
    platform::{Block, Payload},
};

/// How far ahead of the reader blocks are asked for: what a fast connection moves in the round
/// trip and the turn of the event loop that a want takes, with blocks of either profile.
pub(super) const WINDOW: Window = Window { blocks: 64, bytes: 16 * 1024 * 1024 };

/// Which part of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The first byte.
    pub offset: u64,
    /// How many bytes from there; all that there are when left out.
    pub length: Option<u64>,
}

/// A file that is being read.
pub struct Export {
    reader: Reader<Payload>,
    session: Rc<Session>,
    /// Blocks that are asked for; the reader's window bounds them.
    coming: FuturesUnordered<RemoteHandle<Result<Block, FetchError>>>,
    total: u64,
}

impl Export {
    /// Follows `path` to a file and begins to read `part` of it; `providers` are asked first.
    pub async fn open(
        fetcher: &Fetcher,
        path: &str,
        part: Part,
        providers: Vec<Multiaddr>,
    ) -> Result<Self, FileError> {
        let Place { cid, session, .. } = Place::find(fetcher, path, providers).await?;
        let end = part.length.map_or(u64::MAX, |length| part.offset.saturating_add(length));
        let reader = Reader::new(cid, part.offset..end, WINDOW);
        let coming = FuturesUnordered::new();
        let mut export = Self { reader, session: Rc::new(session), coming, total: 0 };
        while export.reader.size().is_none() {
            export.more().await?;
        }
        export.total = export.reader.remaining().unwrap_or_default();
        Ok(export)
    }

    /// How many bytes come in all.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The next bytes, of any number; `None` after the last. Blocks are fetched ahead meanwhile,
    /// as far as the window goes.
    pub async fn next(&mut self) -> Result<Option<Payload>, FileError> {
        loop {
            if let Some(bytes) = self.reader.read()? {
                self.ask();
                return Ok(Some(bytes));
            }
            if self.reader.is_done() {
                return Ok(None);
            }
            self.more().await?;
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

    /// Takes the block that comes first.
    async fn more(&mut self) -> Result<(), FileError> {
        self.ask();
        let Some(block) = self.coming.next().await else {
            // The reader would say so itself if nothing was left to come.
            return Err(self.reader.read().err().map_or(FileError::Stuck, FileError::from));
        };
        self.reader.give(&readable(block?))?;
        self.ask();
        Ok(())
    }

    /// Asks for what the reader wants and was not asked for.
    fn ask(&mut self) {
        for cid in self.reader.wants() {
            let session = self.session.clone();
            self.coming.push(apart(async move { session.get(&cid).await }));
        }
    }
}

/// The same block; what has to be looked into is brought into memory, and raw bytes are not.
pub(super) fn readable(block: Block) -> Block {
    if block.cid().codec() == code::RAW || block.bytes().as_bytes().is_some() {
        return block;
    }
    block.map(|payload| payload.to_bytes().into())
}
