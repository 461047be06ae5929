//! Files in: cut, hashed, stored; the root pinned.
//!
//! Reading, hashing and writing overlap: chunks are asked for ahead and hashed several at once,
//! a few files at a time, while [`super::write`] writes the blocks that are done. What is held
//! at once is bounded by the constants here and there, not by the files.

use std::{cell::Cell, time::Duration};

use avocet_dag::{
    Cid, Payload as _,
    unixfs::{self, Chunking, DirError, ImportOptions, Importer, Leaf, OptionsError, Tree},
};
use futures::{Stream, StreamExt, TryStreamExt, future::LocalBoxFuture, stream};

use super::{
    source::{Entry, Source, SourceError},
    top::Top,
    write::{Blocks, writer},
};
use crate::{
    platform::{self, Block, Payload},
    store::{Pin, Store, StoreError},
};

/// Bytes of one file that are asked for ahead. Eight chunks of 1 MiB keep reading, WebCrypto and
/// the database busy at once.
const AHEAD: usize = 8 * 1024 * 1024;
/// Chunks of one file that are asked for ahead, however small.
const AHEAD_CHUNKS: usize = 32;
/// Files at once: small ones would otherwise wait for the disk one by one.
const FILES: usize = 4;

/// What to make of the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// How files become blocks.
    pub options: ImportOptions,
    /// Whether a directory of the entries is made, or the one entry is the root itself.
    pub directory: bool,
    /// Whether the root is pinned.
    pub pin: bool,
    /// What to call the pin. Without it, a directory with one folder has that one's name.
    pub name: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The root.
    pub cid: Cid,
    /// Bytes of all files.
    pub size: u64,
    /// Blocks that it takes, each counted once.
    pub blocks: u64,
}

/// Why nothing was added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// An entry or its bytes could not be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A directory could not be built, or has no place for an entry.
    #[error(transparent)]
    Directory(#[from] DirError),
    /// The options make no import.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// A block could not be made.
    #[error("{path:?} could not be added: {source}")]
    File {
        /// The entry's path.
        path: String,
        /// Why not.
        source: unixfs::ImportError,
    },
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chunker is one that this version does not cut by.
    #[error("this way of cutting files is not supported by this version")]
    Chunking,
    /// There was no entry, or more than one, where one was needed.
    #[error("one entry was expected")]
    NotOne,
}

/// Imports `entries`. When this returns, the root and all below it are on the disk (with `pin`);
/// when it fails or is dropped, nothing of it is pinned.
///
/// `progress` is told how many bytes are done, and of which entry the last were.
pub async fn import(
    store: &Store,
    entries: impl Stream<Item = Result<Entry, SourceError>>,
    import: &Import,
    progress: &dyn Fn(u64, &str),
) -> Result<Added, ImportError> {
    import.options.check()?;
    let draft = store.draft().await?;
    let (blocks, writing) = writer(store);
    let loaded = Cell::new(0);
    let work = Work { import, progress, loaded: &loaded, blocks };
    let written = async { writing.await.map_err(ImportError::from) };
    let pinned = async {
        let (root, blocks) = futures::future::try_join(work.gather(entries), written).await?;
        let (cid, size) = (root.cid, loaded.get());
        if import.pin {
            let name = import.name.clone().or(root.name);
            let created = platform::unix_millis();
            draft.pin(&cid, &Pin { recursive: true, name, size: Some(size), created }).await?;
        }
        Ok(Added { cid, size, blocks })
    };
    let added = pinned.await;
    drop(draft);
    if let Err(ImportError::Store(StoreError::Quota { .. })) = added {
        make_room(store).await;
    }
    added
}

/// Removes what was written of an import that found no room: nobody has a use for half of it, and
/// room is what is needed most now.
async fn make_room(store: &Store) {
    // The draft ends in a task of its own; after that it holds nothing any more.
    platform::sleep(Duration::ZERO).await;
    if let Err(error) = store.gc().await {
        tracing::warn!(%error, "what was written of a failed import stays until the next collection");
    }
}

/// The root, and what it is called where it says so itself.
struct Root {
    cid: Cid,
    name: Option<String>,
}

/// What all files of one import share.
struct Work<'a> {
    import: &'a Import,
    progress: &'a dyn Fn(u64, &str),
    /// Bytes done.
    loaded: &'a Cell<u64>,
    blocks: Blocks,
}

/// An entry whose blocks are made; a folder has none yet.
type Done = Result<(String, Option<Leaf>), ImportError>;

impl Work<'_> {
    async fn gather(
        self,
        entries: impl Stream<Item = Result<Entry, SourceError>>,
    ) -> Result<Root, ImportError> {
        let files = entries.map(|entry| async {
            let Entry { path, content } = entry?;
            let file = match content {
                Some(content) => Some(self.file(&path, content).await?),
                None => None,
            };
            Ok((path, file))
        });
        let files = files.buffered(FILES);
        match self.import.directory {
            true => self.directory(files).await,
            false => one(files).await,
        }
    }

    async fn directory(&self, files: impl Stream<Item = Done>) -> Result<Root, ImportError> {
        let mut tree = Tree::new(&self.import.options)?;
        let mut top = Top::Nothing;
        let mut files = std::pin::pin!(files);
        while let Some(done) = files.next().await {
            let (path, file) = done?;
            if path.is_empty() && file.is_none() {
                // The root itself is always there.
                continue;
            }
            top.add(&path, file.is_none());
            match file {
                Some(file) => tree.insert(&path, file.into())?,
                None => tree.insert_folder(&path)?,
            }
        }
        let built = tree.finish()?;
        for block in built.blocks {
            self.put(block.map(Payload::from)).await;
        }
        Ok(Root { cid: built.root.cid, name: top.into_name() })
    }

    /// Makes the blocks of one file.
    async fn file(&self, path: &str, source: Box<dyn Source>) -> Result<Leaf, ImportError> {
        let failed = |source| ImportError::File { path: path.to_owned(), source };
        let mut importer = Importer::new(&self.import.options).map_err(failed)?;
        let mut leaves = std::pin::pin!(self.leaves(source));
        while let Some(leaf) = leaves.next().await {
            let leaf = leaf.map_err(|fault| fault.at(path))?;
            let Some((block, size)) = leaf else { break };
            let inner = importer.push(Leaf::new(&block, size)).map_err(failed)?;
            self.put(block).await;
            for block in inner {
                self.put(block.map(Payload::from)).await;
            }
            self.loaded.set(self.loaded.get() + size as u64);
            (self.progress)(self.loaded.get(), path);
        }
        let file = importer.finish().map_err(failed)?;
        for block in file.blocks {
            self.put(block.map(Payload::from)).await;
        }
        Ok(file.root)
    }

    /// The blocks of a file's chunks in their order, made several at once, and how many bytes of
    /// the file are in each. `None` ends them.
    fn leaves(
        &self,
        mut source: Box<dyn Source>,
    ) -> impl Stream<Item = Result<Option<(Block, usize)>, Fault>> {
        let Chunking::Size(size) = self.import.options.chunking else {
            return stream::once(std::future::ready(Err(Fault::Chunking))).left_stream();
        };
        let ahead = (AHEAD / size).clamp(2, AHEAD_CHUNKS);
        let chunks = std::iter::repeat_with(move || source.next(size));
        let leaves = stream::iter(chunks).map(|chunk| self.leaf(chunk));
        leaves.buffered(ahead).right_stream()
    }

    async fn leaf(
        &self,
        chunk: LocalBoxFuture<'static, Result<Option<Payload>, String>>,
    ) -> Result<Option<(Block, usize)>, Fault> {
        let Some(chunk) = chunk.await.map_err(Fault::Source)? else { return Ok(None) };
        let options = &self.import.options;
        let size = chunk.len();
        let bytes = match options.raw_leaves {
            true => chunk,
            false => unixfs::leaf_bytes(options, chunk.to_bytes()).into(),
        };
        let codec = options.leaf_codec();
        let (version, hash) = options.naming(codec, bytes.len());
        let block = platform::hash(version, codec, hash, bytes).await;
        Ok(Some((block.map_err(|error| Fault::Block(error.into()))?, size)))
    }

    async fn put(&self, block: Block) {
        self.blocks.clone().put(block).await;
    }
}

/// The root is the only entry.
async fn one(files: impl Stream<Item = Done>) -> Result<Root, ImportError> {
    let files: Vec<_> = files.take(2).try_collect().await?;
    match <[_; 1]>::try_from(files) {
        Ok([(_, Some(file))]) => Ok(Root { cid: file.cid, name: None }),
        _ => Err(ImportError::NotOne),
    }
}

/// What went wrong with a part of a file.
enum Fault {
    Source(String),
    Block(unixfs::ImportError),
    Chunking,
}

impl Fault {
    fn at(self, path: &str) -> ImportError {
        let path = path.to_owned();
        match self {
            Self::Source(reason) => SourceError { path, reason }.into(),
            Self::Block(source) => ImportError::File { path, source },
            Self::Chunking => ImportError::Chunking,
        }
    }
}
