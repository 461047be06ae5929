//! Directories, built from the paths of what they hold.

use std::collections::{BTreeMap, btree_map};

use super::{Data, DirError, HamtSize, ImportOptions, Kind};
use crate::{
    Block, Cid, MAX_BLOCK, code,
    codec::pb::{self, Link},
    path::{is_plain_name, shorten},
};

/// The most folders inside one another that are written; a path in a URL holds no more.
pub const MAX_DEPTH: usize = crate::path::MAX_SEGMENTS;

/// What a directory entry points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The root of the file or directory.
    pub cid: Cid,
    /// Bytes of all its blocks, as links announce them.
    pub tsize: u64,
    /// Bytes of its content.
    pub size: u64,
}

impl From<super::Leaf> for Entry {
    fn from(file: super::Leaf) -> Self {
        Self { cid: file.cid, tsize: file.tsize, size: file.size }
    }
}

/// A finished tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The blocks of all directories, child before parent, the root last.
    pub blocks: Vec<Block>,
    /// The root directory; its size is that of all content below.
    pub root: Entry,
}

/// Directories, built from the paths of what they hold.
///
/// Entries come in any order, which never changes a CID. Nothing is hashed before
/// [`finish`](Self::finish). Memory: the entries.
#[derive(Debug, Clone)]
pub struct Tree {
    options: ImportOptions,
    /// The first is the root. Invariant: a folder comes after the one that holds it.
    folders: Vec<Folder>,
}

/// Names in the order of their bytes, as links are sorted.
#[derive(Debug, Clone, Default)]
struct Folder {
    items: BTreeMap<Box<str>, Item>,
}

#[derive(Debug, Clone)]
enum Item {
    Entry(Entry),
    /// Where in `folders` it is.
    Folder(usize),
}

impl Tree {
    /// A tree that holds one empty directory, its root.
    pub fn new(options: &ImportOptions) -> Result<Self, DirError> {
        options.check()?;
        Ok(Self { options: options.clone(), folders: vec![Folder::default()] })
    }

    /// Adds an entry at `path`: names with single slashes between them. The folders above it are
    /// made as needed.
    pub fn insert(&mut self, path: &str, entry: Entry) -> Result<(), DirError> {
        let (folder, name) = match path.rsplit_once('/') {
            Some((parents, name)) => (self.make_folders(path, parents)?, name),
            None => (0, path),
        };
        check_name(name, path)?;
        match self.folders[folder].items.entry(name.into()) {
            btree_map::Entry::Occupied(_) => Err(DirError::Duplicate { path: shorten(path) }),
            btree_map::Entry::Vacant(place) => {
                place.insert(Item::Entry(entry));
                Ok(())
            }
        }
    }

    /// Makes sure that there is a folder at `path`, empty unless something is added to it.
    pub fn insert_folder(&mut self, path: &str) -> Result<(), DirError> {
        self.make_folders(path, path).map(|_| ())
    }

    /// Builds all directories.
    pub fn finish(self) -> Result<Built, DirError> {
        let mut blocks = Vec::with_capacity(self.folders.len());
        let mut built: Vec<Option<Entry>> = vec![None; self.folders.len()];
        // folders come after their parents, so from the back the children are ready
        for (index, folder) in self.folders.iter().enumerate().rev() {
            let items: Vec<(&str, &Entry)> = folder
                .items
                .iter()
                .filter_map(|(name, item)| match item {
                    Item::Entry(entry) => Some((&**name, entry)),
                    Item::Folder(child) => Some((&**name, built[*child].as_ref()?)),
                })
                .collect();
            let (block, entry) = build(&self.options, &items, || self.path_of(index))?;
            blocks.push(block);
            built[index] = Some(entry);
        }
        let root = built.swap_remove(0);
        root.map(|root| Built { blocks, root }).ok_or(DirError::Duplicate { path: String::new() }) // there is always a root
    }

    fn make_folders(&mut self, path: &str, parents: &str) -> Result<usize, DirError> {
        let mut here = 0;
        for (depth, name) in parents.split('/').enumerate() {
            check_name(name, path)?;
            if depth == MAX_DEPTH {
                return Err(DirError::TooDeep { path: shorten(path) });
            }
            here = match self.folders[here].items.get(name) {
                Some(Item::Folder(index)) => *index,
                Some(Item::Entry(_)) => {
                    return Err(DirError::Duplicate { path: shorten(path) });
                }
                None => {
                    let index = self.folders.len();
                    self.folders.push(Folder::default());
                    self.folders[here].items.insert(name.into(), Item::Folder(index));
                    index
                }
            };
        }
        Ok(here)
    }

    /// Where a folder is, for an error: looked for only then.
    fn path_of(&self, mut index: usize) -> String {
        let mut names = Vec::new();
        for (parent, folder) in self.folders[..index].iter().enumerate().rev() {
            let name = folder
                .items
                .iter()
                .find(|(_, item)| matches!(item, Item::Folder(child) if *child == index));
            if let Some((name, _)) = name {
                names.push(&**name);
                index = parent;
            }
        }
        names.reverse();
        shorten(&names.join("/"))
    }
}

/// One directory's block, and the entry that links to it.
fn build(
    options: &ImportOptions,
    items: &[(&str, &Entry)],
    path: impl Fn() -> String,
) -> Result<(Block, Entry), DirError> {
    let links: Vec<_> = items
        .iter()
        .map(|(name, entry)| Link {
            cid: entry.cid.clone(),
            name: Some(name.as_bytes()),
            tsize: Some(entry.tsize),
        })
        .collect();
    let data = Data::new(Kind::Directory).encode();
    let block_len = pb::encoded_len(&links, Some(&data));
    let size = match options.hamt_size {
        HamtSize::Block => block_len,
        HamtSize::Links => {
            items.iter().map(|(name, entry)| name.len() + entry.cid.encoded_len()).sum()
        }
    };
    for (size, most) in [(size, options.hamt_threshold), (block_len, MAX_BLOCK)] {
        if size > most {
            return Err(DirError::TooLarge { path: path(), size, most });
        }
    }
    let bytes = pb::encode(&links, Some(&data));
    let block = options.block(code::DAG_PB, bytes.into())?;
    let total = |of: fn(&Entry) -> u64, own: u64| {
        items.iter().fold(own, |sum, (_, entry)| sum.saturating_add(of(entry)))
    };
    let tsize = total(|entry| entry.tsize, block.len() as u64);
    let entry = Entry { cid: block.cid().clone(), tsize, size: total(|entry| entry.size, 0) };
    Ok((block, entry))
}

fn check_name(name: &str, path: &str) -> Result<(), DirError> {
    match is_plain_name(name) {
        true => Ok(()),
        false => Err(DirError::Name { name: shorten(name), path: shorten(path) }),
    }
}
