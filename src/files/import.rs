//! Files in: cut, hashed, stored; the root pinned.
//!
//! Reading, hashing and writing overlap: chunks are asked for ahead and hashed several at once,
//! a few files at a time, while [`super::write`] writes the blocks that are done. What is held
//! at once is bounded by the constants here and there, not by the files.

mod error;

use std::{cell::Cell, time::Duration};

use avocet_dag::{
    Cid,
    unixfs::{self, ImportOptions, Importer, Layout, Leaf, Meta, Tree, single, symlink},
};
pub use error::ImportError;
use error::failed_at;
use futures::{Stream, StreamExt, TryStreamExt};

use super::{
    leaves::{Made, leaves},
    source::{Content, Entry, Source, SourceError},
    top::Top,
    write::{Blocks, writer},
};
use crate::{
    platform::{self, Block, Payload},
    store::{Pin, Ready, Store, StoreError, Taker},
};

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
    let taker = store.taker().await;
    let work = Work { import, progress, loaded: &loaded, blocks, taker };
    let written = async { writing.await.map_err(ImportError::from) };
    let pinned = async {
        let (root, written) = futures::future::try_join(work.gather(entries), written).await?;
        let (cid, size) = (root.cid, loaded.get());
        if import.pin {
            let name = import.name.clone().or(root.name);
            let created = platform::unix_millis();
            draft.pin(&cid, &Pin { recursive: true, name, size: Some(size), created }).await?;
        }
        Ok(Added { cid, size, blocks: written.blocks })
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
pub(super) async fn make_room(store: &Store) {
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
    /// What takes large parts of files over, where there is such a thing.
    taker: Option<Taker>,
}

/// An entry whose blocks are made; a folder has none yet.
type Done = Result<(String, Place), ImportError>;

/// What stands at an entry's path.
enum Place {
    Entry(unixfs::Entry),
    Folder(Meta),
}

impl Work<'_> {
    async fn gather(
        self,
        entries: impl Stream<Item = Result<Entry, SourceError>>,
    ) -> Result<Root, ImportError> {
        let files = entries.map(|entry| async {
            let Entry { path, content, meta } = entry?;
            let place = match content {
                Content::File(source) => Place::Entry(self.file(&path, source, meta).await?.into()),
                Content::Symlink(target) => Place::Entry(self.symlink(&path, &target, meta).await?),
                Content::Link { cid, tsize } => Place::Entry(unixfs::Entry { cid, tsize, size: 0 }),
                Content::Folder => Place::Folder(meta),
            };
            Ok((path, place))
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
            let (path, place) = done?;
            match place {
                Place::Folder(meta) if path.is_empty() => tree.set_meta("/", meta)?,
                Place::Folder(meta) => {
                    top.add(&path, true);
                    tree.set_meta(&path, meta)?;
                }
                Place::Entry(entry) => {
                    top.add(&path, false);
                    tree.insert(&path, entry)?;
                }
            }
        }
        // one block after the other: a large directory has many
        let mut building = tree.build();
        while let Some(block) = building.next_block()? {
            self.put(block.map(Payload::from)).await;
        }
        let root = building.into_root().ok_or(ImportError::NotOne)?;
        Ok(Root { cid: root.cid, name: top.into_name() })
    }

    /// Makes the blocks of one file.
    async fn file(
        &self,
        path: &str,
        source: Box<dyn Source>,
        meta: Meta,
    ) -> Result<Leaf, ImportError> {
        let options = &self.import.options;
        let failed = failed_at(path);
        let mut importer = Importer::with_meta(options, meta).map_err(&failed)?;
        // a file that turns out to be one chunk is made of it once more, with its mode and time
        let may_be_single = !meta.is_empty() && options.layout == Layout::Balanced;
        let mut first = None;
        let leaves = leaves(options, source, may_be_single, self.taker.as_ref());
        let mut leaves = std::pin::pin!(leaves);
        while let Some(made) = leaves.next().await {
            let Some(made) = made.map_err(|fault| fault.at(path))? else { break };
            if may_be_single && importer.size() == 0 && first.is_none() {
                first = Some(made);
                continue;
            }
            for made in first.take().into_iter().chain([made]) {
                self.leaf(path, &mut importer, made).await?;
            }
        }
        let file = match first {
            Some(Made { size, chunk: Some(chunk), .. }) => {
                self.tell(path, size);
                single(options, meta, chunk.to_bytes())
            }
            _ => importer.finish(),
        };
        let file = file.map_err(&failed)?;
        for block in file.blocks {
            self.put(block.map(Payload::from)).await;
        }
        Ok(file.root)
    }

    async fn leaf(
        &self,
        path: &str,
        importer: &mut Importer,
        made: Made,
    ) -> Result<(), ImportError> {
        let Made { leaf, block, size, .. } = made;
        let cid = leaf.cid.clone();
        let inner = importer.push(leaf).map_err(failed_at(path))?;
        self.write(&cid, block).await;
        for block in inner {
            self.put(block.map(Payload::from)).await;
        }
        self.tell(path, size);
        Ok(())
    }

    async fn symlink(
        &self,
        path: &str,
        target: &str,
        meta: Meta,
    ) -> Result<unixfs::Entry, ImportError> {
        let block = symlink(&self.import.options, target.as_bytes(), meta);
        let block = block.map_err(failed_at(path))?;
        let entry = Leaf::new(&block, 0).into();
        self.put(block.map(Payload::from)).await;
        Ok(entry)
    }

    /// So many bytes more are done.
    fn tell(&self, path: &str, size: usize) {
        self.loaded.set(self.loaded.get() + size as u64);
        (self.progress)(self.loaded.get(), path);
    }

    /// As [`Self::write`], of a block whose bytes are here.
    async fn put(&self, block: Block) {
        let cid = block.cid().clone();
        self.write(&cid, block.into()).await;
    }

    /// Hands a block over to be written; what is in its CID is written wherever that is.
    async fn write(&self, cid: &Cid, block: Ready) {
        if cid.inline().is_none() {
            self.blocks.clone().put(block).await;
        }
    }
}

/// The root is the only entry.
async fn one(files: impl Stream<Item = Done>) -> Result<Root, ImportError> {
    let files: Vec<_> = files.take(2).try_collect().await?;
    match <[_; 1]>::try_from(files) {
        Ok([(_, Place::Entry(entry))]) => Ok(Root { cid: entry.cid, name: None }),
        _ => Err(ImportError::NotOne),
    }
}
