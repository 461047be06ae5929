//! An archive comes in: cut into sections, verified, stored; the roots pinned.

use std::{cell::Cell, collections::HashSet, rc::Rc};

use avocet_dag::{
    Cid, Multihash,
    car::{CarError, Options, Reader, Section},
    unixfs,
    walk::{MAX_VISITED, Walk, Want},
};
use futures::{Stream, StreamExt, TryStreamExt, stream};

use super::super::{
    FileError,
    apart::apart,
    export::readable,
    import::make_room,
    source::{Source, SourceError},
    write::{Blocks, Written, writer},
};
use crate::{
    platform::{self, Payload},
    store::{Pin, Store, StoreError},
};

/// Bytes of the archive that are asked for at once. The page's thread is given away between two of
/// them: with larger ones it cuts, copies and hands over for hashing so much in one turn that it
/// is seen.
const PIECE: usize = 1024 * 1024;
/// Pieces that are asked for ahead, so that reading hides behind hashing.
const PIECES: usize = 4;
/// Blocks that are hashed at once. The browser hashes on its own threads, of which there are few.
const VERIFIED: usize = 4;
/// Roots that are pinned at most: every pin waits for the disk. Archives of whole repositories
/// have one, those of many sets of data some tens.
pub const MAX_ROOTS: usize = 1024;

/// Blocks that are looked up in one transaction.
const LOOKED_UP: usize = 256;

/// How to import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CarImport {
    /// Whether the roots are pinned.
    pub pin: bool,
    /// What to call the pins.
    pub name: Option<String>,
    /// Bytes of the archive, where that is known.
    pub len: Option<u64>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarImported {
    /// The archive's roots, in its order.
    pub roots: Vec<Cid>,
    /// Its blocks, each counted once.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why an archive was not imported, or not as a whole.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CarImportError {
    /// The archive's bytes could not be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The archive is damaged or incomplete.
    #[error("{source}; {blocks} blocks before that were stored, and nothing is pinned")]
    Archive {
        /// What is wrong, and where.
        source: CarError,
        /// How many blocks are valid and were stored.
        blocks: u64,
    },
    /// There are too many roots to pin them all.
    #[error(
        "the archive has {0} roots, and {MAX_ROOTS} are pinned at most: import it without \"pin\""
    )]
    TooManyRoots(usize),
    /// Not all of a root is here.
    #[error(
        "all {blocks} blocks of the archive were stored, but {missing}, which root {root} needs, is neither in it nor here: nothing more is pinned. Import it without \"pin\" to keep what there is"
    )]
    Incomplete {
        /// The root.
        root: Cid,
        /// The first block that is missing.
        missing: Cid,
        /// How many blocks were stored.
        blocks: u64,
    },
    /// What hangs under a root cannot be walked through.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Imports the archive that `source` gives. When this returns, its roots and all below them are on
/// the disk (with `pin`). When it fails or is dropped nothing is pinned; verified blocks that came
/// before the fault stay until the next collection.
///
/// `progress` is told how many bytes of the archive are done.
pub async fn import_car(
    store: &Store,
    source: Box<dyn Source>,
    how: &CarImport,
    progress: &dyn Fn(u64),
) -> Result<CarImported, CarImportError> {
    let draft = store.draft().await?;
    let (blocks, writing) = writer(store);
    // What was read of a damaged archive is written nevertheless, so both are waited for.
    let reading = async { Ok(read(source, how, blocks, progress).await) };
    let writing = async { writing.await.map_err(CarImportError::from) };
    let work = async {
        let (roots, written) = futures::future::try_join(reading, writing).await?;
        let Written { blocks, bytes, hashes } = written;
        let roots = roots.map_err(|fault| fault.after(blocks))?;
        if how.pin {
            for (root, pin) in pins(store, &roots, how, blocks, &hashes).await? {
                draft.pin(&root, &pin).await?;
            }
        }
        Ok(CarImported { roots, blocks, bytes })
    };
    let imported = work.await;
    drop(draft);
    if let Err(CarImportError::Store(StoreError::Quota { .. })) = imported {
        make_room(store).await;
    }
    imported
}

/// Why an archive was not read to its end.
enum Fault {
    Archive(CarError),
    Source(SourceError),
}

impl Fault {
    fn after(self, blocks: u64) -> CarImportError {
        match self {
            Self::Archive(source) => CarImportError::Archive { source, blocks },
            Self::Source(error) => error.into(),
        }
    }
}

/// Hands every block of the archive to the writer, and gives its roots.
async fn read(
    source: Box<dyn Source>,
    how: &CarImport,
    mut blocks: Blocks,
    progress: &dyn Fn(u64),
) -> Result<Vec<Cid>, Fault> {
    let roots = Rc::new(Cell::new(Vec::new()));
    let sections = sections(source, how.len, roots.clone());
    // A fault waits for its turn as blocks do: what comes before it is written.
    let verified = sections.map(|section| async {
        let section = section?;
        let (at, end) = (section.at(), section.end());
        let (cid, payload) = section.into_parts();
        let block = apart(platform::verify(cid, payload)).await;
        block
            .map(|block| (block, end))
            .map_err(|source| Fault::Archive(CarError::Block { at, source }))
    });
    let mut verified = std::pin::pin!(verified.buffered(VERIFIED));
    while let Some((block, end)) = verified.try_next().await? {
        // What its own CID carries is nothing to be stored.
        if block.cid().inline().is_none() {
            blocks.put(block.into()).await;
        }
        progress(end);
    }
    // An index and padding are behind the last block.
    how.len.map(progress);
    Ok(roots.take())
}

/// The archive's sections, not verified. `roots` is filled when the header is read.
fn sections(
    mut source: Box<dyn Source>,
    len: Option<u64>,
    roots: Rc<Cell<Vec<Cid>>>,
) -> impl Stream<Item = Result<Section<Payload>, Fault>> {
    let reader = Reader::<Payload>::new(Options { len, ..Options::default() });
    // Asked for ahead, and in a row: a source may answer slowly.
    let pieces = std::iter::repeat_with(move || apart(source.next(PIECE)));
    let pieces = Box::pin(stream::iter(pieces).buffered(PIECES));
    stream::try_unfold((reader, pieces, roots), |(mut reader, mut pieces, roots)| async {
        loop {
            if let Some(section) = reader.next_section().map_err(Fault::Archive)? {
                return Ok(Some((section, (reader, pieces, roots))));
            }
            let piece = match reader.is_done() {
                true => None,
                false => pieces.next().await.transpose().map_err(unread)?.flatten(),
            };
            let Some(piece) = piece else {
                reader.finish().map_err(Fault::Archive)?;
                roots.set(reader.header().map(|header| header.roots.clone()).unwrap_or_default());
                return Ok(None);
            };
            reader.push(piece);
        }
    })
}

fn unread(reason: String) -> Fault {
    Fault::Source(SourceError { path: String::new(), reason })
}

/// The pins of all roots, each once, after it was seen that all of them is here.
async fn pins(
    store: &Store,
    roots: &[Cid],
    how: &CarImport,
    blocks: u64,
    written: &HashSet<Multihash>,
) -> Result<Vec<(Cid, Pin)>, CarImportError> {
    if roots.len() > MAX_ROOTS {
        return Err(CarImportError::TooManyRoots(roots.len()));
    }
    let mut seen = HashSet::new();
    let mut pins = Vec::new();
    for root in roots.iter().filter(|root| seen.insert((*root).clone())) {
        let incomplete =
            |missing| CarImportError::Incomplete { root: root.clone(), missing, blocks };
        if let Some(missing) = missing(store, root, written).await? {
            return Err(incomplete(missing));
        }
        let Some(block) = store.get(root).await? else { return Err(incomplete(root.clone())) };
        let size = unixfs::stat(&readable(block)).ok();
        let size = size.and_then(|stat| stat.size.or(stat.dag_size));
        let (name, created) = (how.name.clone(), platform::unix_millis());
        pins.push((root.clone(), Pin { recursive: true, name, size, created }));
    }
    Ok(pins)
}

/// The first block below `root` that is not here. Of those that were just `written` only the ones
/// with links are looked at again.
async fn missing(
    store: &Store,
    root: &Cid,
    written: &HashSet<Multihash>,
) -> Result<Option<Cid>, FileError> {
    let mut walk = Walk::new([root.clone()], MAX_VISITED)?;
    while !walk.is_done() {
        let wants: Vec<Want> = std::iter::from_fn(|| walk.next_want()).take(LOOKED_UP).collect();
        let cids = wants.iter().map(Want::cid).filter(|cid| !written.contains(cid.hash()));
        let cids: Vec<Cid> = cids.cloned().collect();
        let sizes = store.sizes_of(&cids).await?;
        if let Some((cid, _)) = cids.into_iter().zip(sizes).find(|(_, size)| size.is_none()) {
            return Ok(Some(cid));
        }
        for want in wants {
            match want {
                Want::Leaf(_) => {}
                Want::Opaque(cid) => return Err(FileError::Opaque(cid)),
                Want::Node(cid) => {
                    let Some(block) = store.get(&cid).await? else { return Ok(Some(cid)) };
                    walk.give(&readable(block))?;
                }
            }
        }
    }
    Ok(None)
}
