//! What directories hold, what a path leads to, and keeping all of it.

use std::{collections::HashSet, rc::Rc};

use avocet_dag::{
    Cid, code,
    unixfs::{self, Mtime},
    walk::{MAX_VISITED, Walk, Want},
};
use futures::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, FuturesUnordered},
};
use libp2p::Multiaddr;

use super::{FileError, apart::apart, entries::entries, export::readable, resolve::Place};
use crate::{
    fetch::{Fetcher, Session},
    platform::{self, Block},
    store::{Pin, Store},
};

/// Entries of a directory that are looked at ahead: each takes at most one block.
const ENTRIES_AHEAD: usize = 32;
/// Blocks that are fetched at once to keep them: more than reading asks for where they are of
/// 1 MiB, as nobody waits for their order.
const FETCHES: usize = 32;
/// Sizes that are looked up in one transaction.
const SIZES: usize = 256;

/// What something is to somebody who looks at files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A file, or part of one.
    File,
    /// A directory, sharded or not.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A block without an envelope: a file of one block, or any other bytes.
    Raw,
    /// Data that is not UnixFS.
    Ipld,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name as text: it may hold anything, such as slashes or markup.
    pub name: String,
    /// What it links to.
    pub cid: Cid,
    /// Bytes of a file's content; of all blocks below for anything else.
    pub size: u64,
    /// What it is.
    pub kind: Type,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its CID.
    pub cid: Cid,
    /// What it is.
    pub kind: Type,
    /// As in [`Listed`].
    pub size: u64,
    /// Bytes of its blocks that are here.
    pub local_size: u64,
    /// How many blocks of it are here.
    pub blocks: u64,
    /// File mode.
    pub mode: Option<u32>,
    /// When it was changed last.
    pub mtime: Option<Mtime>,
}

/// The entries of the directory that `path` leads to, in its order, as they are pulled: of a large
/// directory only so much is fetched as is looked at. What an entry is stands in its own block,
/// which is fetched unless its CID says that it is raw.
pub fn list(
    fetcher: Fetcher,
    path: String,
    providers: Vec<Multiaddr>,
) -> impl Stream<Item = Result<Listed, FileError>> {
    let open = async move {
        let Place { cid, session, .. } = Place::find(&fetcher, &path, providers).await?;
        let session = Rc::new(session);
        let entries = entries(session.clone(), cid).map(move |entry| {
            let session = session.clone();
            apart(async move {
                let entry = entry?;
                let (kind, size) = describe(&session, &entry.cid, entry.tsize).await?;
                let name = entry.text().into_owned();
                Ok(Listed { name, cid: entry.cid, size, kind })
            })
        });
        Ok::<_, FileError>(entries.buffered(ENTRIES_AHEAD))
    };
    stream::once(open).try_flatten()
}

/// What the link to `cid` leads to, and its size.
async fn describe(
    session: &Session,
    cid: &Cid,
    tsize: Option<u64>,
) -> Result<(Type, u64), FileError> {
    match cid.codec() {
        code::RAW => Ok((Type::Raw, tsize.unwrap_or_default())),
        // A CID that nothing can be verified by has no block, and the rest can still be listed.
        code::DAG_PB if cid.check().is_ok() => {
            let stat = stat_of(&readable(session.get(cid).await?));
            Ok((stat.kind, stat.size))
        }
        _ => Ok((Type::Ipld, tsize.unwrap_or_default())),
    }
}

/// What `path` leads to, and how much of it is here.
pub async fn stat(
    fetcher: &Fetcher,
    store: &Store,
    path: &str,
    providers: Vec<Multiaddr>,
) -> Result<Stat, FileError> {
    let Place { cid, session, .. } = Place::find(fetcher, path, providers).await?;
    let block = readable(session.get(&cid).await?);
    let (blocks, local_size) = local(store, &cid).await?;
    Ok(Stat { local_size, blocks, ..stat_of(&block) })
}

/// What one block says of itself.
fn stat_of(block: &Block) -> Stat {
    let (cid, own) = (block.cid().clone(), block.len() as u64);
    let nothing = Stat {
        cid,
        kind: Type::Ipld,
        size: own,
        local_size: 0,
        blocks: 0,
        mode: None,
        mtime: None,
    };
    let Ok(stat) = unixfs::stat(block) else { return nothing };
    let kind = match stat.kind {
        unixfs::Type::Raw => Type::Raw,
        unixfs::Type::File => Type::File,
        unixfs::Type::Directory | unixfs::Type::Shard => Type::Directory,
        unixfs::Type::Symlink => Type::Symlink,
        unixfs::Type::Metadata | unixfs::Type::Ipld => Type::Ipld,
    };
    // Links may claim more than 64 bits can count: then nothing is known.
    let size = stat.size.or(stat.dag_size).unwrap_or_default();
    Stat { kind, size, mode: stat.mode, mtime: stat.mtime, ..nothing }
}

/// How many blocks of what hangs under `root` are here, and their bytes.
async fn local(store: &Store, root: &Cid) -> Result<(u64, u64), FileError> {
    let mut walk = Walk::new([root.clone()], MAX_VISITED)?;
    let (mut blocks, mut bytes) = (0, 0);
    // A block may be linked to by several CIDs.
    let mut counted = HashSet::new();
    while !walk.is_done() {
        let wants: Vec<Want> = std::iter::from_fn(|| walk.next_want()).take(SIZES).collect();
        let cids: Vec<Cid> = wants.iter().map(|want| want.cid().clone()).collect();
        let sizes = store.sizes_of(&cids).await?;
        for (want, size) in wants.iter().zip(sizes) {
            if let Some(size) = size
                && counted.insert(want.cid().hash().clone())
            {
                blocks += 1;
                bytes += size;
            }
            if let Want::Node(cid) = want {
                let block = if size.is_some() { store.get(cid).await? } else { None };
                let given = block.map(|block| walk.give(&readable(block)));
                if !matches!(given, Some(Ok(_))) {
                    walk.skip(cid);
                }
            }
        }
    }
    Ok((blocks, bytes))
}

/// What to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The root.
    pub cid: Cid,
    /// With all that it links to, or the one block alone.
    pub recursive: bool,
    /// What to call it.
    pub name: Option<String>,
}

/// Fetches what is missing of `keep` and pins it. When this fails or is dropped, nothing is
/// pinned, and what came stays until the next collection.
///
/// `progress` is told how many bytes are here and how many there are to be, where that is known.
pub async fn keep(
    fetcher: &Fetcher,
    store: &Store,
    keep: &Keep,
    providers: Vec<Multiaddr>,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<(), FileError> {
    let draft = store.draft().await?;
    let session = Rc::new(fetcher.session(keep.cid.clone(), providers));
    let root = readable(session.get(&keep.cid).await?);
    let size = unixfs::stat(&root).ok().and_then(|stat| stat.size.or(stat.dag_size));
    if keep.recursive {
        fetch_all(&session, store, &root, progress).await?;
    } else {
        let own = root.len() as u64;
        progress(own, Some(own));
    }
    let (recursive, name) = (keep.recursive, keep.name.clone());
    let pin = Pin { recursive, name, size, created: platform::unix_millis() };
    draft.pin(&keep.cid, &pin).await?;
    Ok(())
}

/// Makes sure that everything under `root` is here.
async fn fetch_all(
    session: &Rc<Session>,
    store: &Store,
    root: &Block,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<(), FileError> {
    // What the links claim is a hint.
    let total = unixfs::stat(root).ok().and_then(|stat| stat.dag_size);
    let mut walk = Walk::new([root.cid().clone()], MAX_VISITED)?;
    let (mut missing, mut coming) = (Vec::new(), FuturesUnordered::new());
    let mut loaded = 0_u64;
    loop {
        while coming.len() < FETCHES {
            if let Some(cid) = missing.pop() {
                let session = session.clone();
                coming.push(apart(async move { fetch(&session, &cid).await }));
                continue;
            }
            let (nodes, leaves) = wants(&mut walk)?;
            if nodes.is_empty() && leaves.is_empty() {
                break;
            }
            // Raw leaves are not read when they are here: their bytes lead nowhere.
            let sizes = store.sizes_of(&leaves).await?;
            loaded = sizes.iter().flatten().fold(loaded, |sum, size| sum.saturating_add(*size));
            let lacks = leaves.into_iter().zip(sizes).filter(|(_, size)| size.is_none());
            missing.extend(lacks.map(|(cid, _)| cid).chain(nodes).rev());
        }
        progress(loaded, total.map(|total| total.max(loaded)));
        let Some(block) = coming.next().await else { break };
        let block = block?;
        loaded = loaded.saturating_add(block.len() as u64);
        walk.give(&block)?;
    }
    progress(loaded, Some(loaded));
    Ok(())
}

/// What a walk wants next: blocks with links, and blocks without.
fn wants(walk: &mut Walk) -> Result<(Vec<Cid>, Vec<Cid>), FileError> {
    let (mut nodes, mut leaves) = (Vec::new(), Vec::new());
    for want in std::iter::from_fn(|| walk.next_want()).take(SIZES) {
        match want {
            Want::Node(cid) => nodes.push(cid),
            Want::Leaf(cid) => leaves.push(cid),
            Want::Opaque(cid) => return Err(FileError::Opaque(cid)),
        }
    }
    Ok((nodes, leaves))
}

async fn fetch(session: &Session, cid: &Cid) -> Result<Block, FileError> {
    Ok(readable(session.get(cid).await?))
}
