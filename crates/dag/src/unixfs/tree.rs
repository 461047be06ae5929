//! Directories, built from the paths of what they hold.

use std::collections::{HashMap, hash_map};

use super::{
    DirError, ImportOptions, Meta,
    folder::{Blocks, Item},
};
use crate::{
    Block, Cid,
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
/// [`build`](Self::build). A directory above the options' threshold is sharded. Memory: the
/// entries, at about 200 bytes each.
#[derive(Debug, Clone)]
pub struct Tree {
    options: ImportOptions,
    /// The first is the root. Invariant: a folder comes after the one that holds it.
    folders: Vec<Folder>,
}

#[derive(Debug, Clone, Default)]
struct Folder {
    places: HashMap<Box<str>, Place>,
    meta: Meta,
}

#[derive(Debug, Clone)]
enum Place {
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
    /// made as needed. A symbolic link, or a link to what exists already, is an entry as a file
    /// is.
    pub fn insert(&mut self, path: &str, entry: Entry) -> Result<(), DirError> {
        let (folder, name) = match path.rsplit_once('/') {
            Some((parents, name)) => (self.make_folders(path, parents)?, name),
            None => (0, path),
        };
        check_name(name, path)?;
        match self.folders[folder].places.entry(name.into()) {
            hash_map::Entry::Occupied(_) => Err(DirError::Duplicate { path: shorten(path) }),
            hash_map::Entry::Vacant(place) => {
                place.insert(Place::Entry(entry));
                Ok(())
            }
        }
    }

    /// Makes sure that there is a folder at `path`, empty unless something is added to it. The
    /// path may end in a slash; `/` is the root.
    pub fn insert_folder(&mut self, path: &str) -> Result<(), DirError> {
        self.set_meta(path, Meta::default())
    }

    /// As [`insert_folder`](Self::insert_folder), and gives the folder a mode or a time. What is
    /// `None` says nothing; what differs from what was said before is refused.
    pub fn set_meta(&mut self, path: &str, meta: Meta) -> Result<(), DirError> {
        meta.check()?;
        let folder = match path {
            "/" => 0,
            _ => self.make_folders(path, path.strip_suffix('/').unwrap_or(path))?,
        };
        let said = &mut self.folders[folder].meta;
        let agreed = Meta { mode: meta.mode.or(said.mode), mtime: meta.mtime.or(said.mtime) };
        let before = Meta { mode: said.mode.or(meta.mode), mtime: said.mtime.or(meta.mtime) };
        if agreed != before {
            return Err(DirError::Duplicate { path: shorten(path) });
        }
        *said = agreed;
        Ok(())
    }

    /// Begins to build all directories.
    pub fn build(self) -> Building {
        let left = self.folders.len();
        Building { tree: self, left, built: vec![None; left], current: None }
    }

    /// Builds all directories at once.
    pub fn finish(self) -> Result<Built, DirError> {
        let mut building = self.build();
        let mut blocks = Vec::new();
        while let Some(block) = building.next_block()? {
            blocks.push(block);
        }
        let root = building.into_root();
        root.map(|root| Built { blocks, root }).ok_or(DirError::Duplicate { path: String::new() }) // there is always a root
    }

    fn make_folders(&mut self, path: &str, parents: &str) -> Result<usize, DirError> {
        let mut here = 0;
        for (depth, name) in parents.split('/').enumerate() {
            check_name(name, path)?;
            if depth == MAX_DEPTH {
                return Err(DirError::TooDeep { path: shorten(path) });
            }
            here = match self.folders[here].places.get(name) {
                Some(Place::Folder(index)) => *index,
                Some(Place::Entry(_)) => {
                    return Err(DirError::Duplicate { path: shorten(path) });
                }
                None => {
                    let index = self.folders.len();
                    self.folders.push(Folder::default());
                    self.folders[here].places.insert(name.into(), Place::Folder(index));
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
                .places
                .iter()
                .find(|(_, place)| matches!(place, Place::Folder(child) if *child == index));
            if let Some((name, _)) = name {
                names.push(&**name);
                index = parent;
            }
        }
        names.reverse();
        shorten(&names.join("/"))
    }
}

/// A tree whose directories are being made.
///
/// Memory: what is left of the tree, and the links of a few unfinished blocks. Where a directory
/// is large, take its blocks one by one and keep none.
#[derive(Debug)]
pub struct Building {
    tree: Tree,
    /// Folders from here on are made, or `current`.
    left: usize,
    built: Vec<Option<Entry>>,
    /// The folder that is being made, and the bytes of all content below it.
    current: Option<(Blocks, u64)>,
}

impl Building {
    /// The next block, child before parent; `None` after the root. Not to be called again after
    /// an error.
    pub fn next_block(&mut self) -> Result<Option<Block>, DirError> {
        loop {
            let Some((blocks, size)) = &mut self.current else {
                // folders come after their parents, so from the back the children are ready
                let Some(next) = self.left.checked_sub(1) else { return Ok(None) };
                self.left = next;
                self.begin(next)?;
                continue;
            };
            let size = *size;
            let made = blocks.next_block(&self.tree.options);
            let made = made.map_err(|fault| fault.at(self.tree.path_of(self.left)))?;
            let Some((block, link)) = made else { return Ok(None) };
            if let Some(Item { cid, tsize, .. }) = link {
                let tsize = tsize.unwrap_or_default();
                self.built[self.left] = Some(Entry { cid, tsize, size });
                self.current = None;
            }
            return Ok(Some(block));
        }
    }

    /// The root directory, once all blocks were given; its size is that of all content below.
    pub fn into_root(mut self) -> Option<Entry> {
        self.built.swap_remove(0)
    }

    /// Measures a folder, whose own folders are made.
    fn begin(&mut self, index: usize) -> Result<(), DirError> {
        let Folder { places, meta } = std::mem::take(&mut self.tree.folders[index]);
        let mut size = 0_u64;
        let mut items = Vec::with_capacity(places.len());
        for (name, place) in places {
            let entry = match place {
                Place::Entry(entry) => Some(entry),
                Place::Folder(child) => self.built[child].take(),
            };
            let Some(Entry { cid, tsize, size: own }) = entry else { continue };
            size = size.saturating_add(own);
            items.push(Item { name: name.into_boxed_bytes(), cid, tsize: Some(tsize) });
        }
        let blocks = Blocks::new(&self.tree.options, items, meta);
        let blocks = blocks.map_err(|fault| fault.at(self.tree.path_of(index)))?;
        self.current = Some((blocks, size));
        Ok(())
    }
}

fn check_name(name: &str, path: &str) -> Result<(), DirError> {
    match is_plain_name(name) {
        true => Ok(()),
        false => Err(DirError::Name { name: shorten(name), path: shorten(path) }),
    }
}
