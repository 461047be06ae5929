//! Sequences of edits: after each the tree has the root that it would have if it were built anew.

use std::collections::{BTreeMap, HashMap};

use avocet_dag::{
    Block, Cid, Version, code,
    unixfs::{Change, Edit, Entry, HamtSize, ImportOptions, Tree},
};
use bytes::Bytes;

/// Every edit builds the tree once more.
const MAX_EDITS: usize = 200;

pub fn run(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first_chunk::<2>() else { return };
    let options = options(*first);
    let mut model = Model::default();
    let (mut root, mut store) = model.build(&options);
    for step in rest.chunks_exact(3).take(MAX_EDITS) {
        let (path, change, make_parents, file) = read(step, &options);
        // a path may lead through it, which only its block can tell
        store.insert(file.cid().clone(), file);
        let expected = model.apply(&path, &change, make_parents);
        let found = edit(&options, &root.cid, &path, change, make_parents, &mut store);
        assert_eq!(found.is_some(), expected, "{path:?} can be changed so");
        let Some((cid, tsize)) = found else { continue };
        (root, _) = model.build(&options);
        assert_eq!((cid, tsize), (root.cid.clone(), root.tsize), "{path:?} changed");
    }
}

fn options([size, shape]: [u8; 2]) -> ImportOptions {
    ImportOptions {
        hamt_threshold: 8 * usize::from(size),
        hamt_fanout: [8, 16, 256, 1024][usize::from(shape & 3)],
        hamt_size: if shape & 4 == 0 { HamtSize::Block } else { HamtSize::Links },
        cid_version: if shape & 8 == 0 { Version::V1 } else { Version::V0 },
        inline_limit: if shape & 16 == 0 { 0 } else { 100 },
        ..ImportOptions::default()
    }
}

/// What, where, and with which content.
fn read(step: &[u8], options: &ImportOptions) -> (String, Change, bool, Block) {
    let (what, place, content) = (step[0], step[1], step[2]);
    let folder = ["", "folder/", "a/", "a/folder/"][usize::from(what >> 6)];
    let name = match place {
        0..32 => "folder".repeat(usize::from(place % 4)) + "a",
        _ => format!("{:0width$}", place, width = usize::from(place % 5) * 3),
    };
    let name = if place == 1 { "folder".into() } else { name };
    let bytes = Bytes::copy_from_slice(&[content].repeat(usize::from(content)));
    let size = bytes.len() as u64;
    let block = options.block(code::RAW, bytes).unwrap();
    let entry = Entry { cid: block.cid().clone(), tsize: size, size };
    let change = match what & 7 {
        0 | 1 => Change::Remove,
        2 => Change::Insert(entry),
        3 => Change::Replace(entry),
        _ => Change::Put(entry),
    };
    (format!("{folder}{name}"), change, what & 8 == 0, block)
}

fn edit(
    options: &ImportOptions,
    root: &Cid,
    path: &str,
    change: Change,
    make_parents: bool,
    store: &mut HashMap<Cid, Block>,
) -> Option<(Cid, u64)> {
    let mut edit = Edit::<Bytes>::new(options, root.clone(), path, change, make_parents).ok()?;
    while !edit.is_done() {
        let wants = edit.wants();
        assert!(!wants.is_empty(), "it ends, or wants something");
        for cid in wants {
            edit.give(&store[&cid]).ok()?;
        }
    }
    let edited = edit.finish().unwrap();
    store.extend(edited.blocks.into_iter().map(|block| (block.cid().clone(), block)));
    Some((edited.cid, edited.tsize))
}

/// The tree as its paths; a folder has no entry.
#[derive(Default)]
struct Model(BTreeMap<String, Option<Entry>>);

impl Model {
    /// Whether it can be done; does it if so.
    fn apply(&mut self, path: &str, change: &Change, make_parents: bool) -> bool {
        let parents: Vec<&str> = path.match_indices('/').map(|(at, _)| &path[..at]).collect();
        if parents.iter().any(|parent| matches!(self.0.get(*parent), Some(Some(_)))) {
            return false;
        }
        let missing = parents.iter().any(|parent| !self.0.contains_key(*parent));
        let exists = self.0.contains_key(path);
        let entry = match change {
            Change::Insert(entry) if !exists => Some(entry),
            Change::Replace(entry) if exists => Some(entry),
            Change::Put(entry) => Some(entry),
            Change::Remove if exists => None,
            _ => return false,
        };
        if missing && !make_parents {
            return false;
        }
        let below = format!("{path}/");
        self.0.retain(|known, _| known != path && !known.starts_with(&below));
        if let Some(entry) = entry {
            self.0.extend(parents.into_iter().map(|parent| (parent.to_owned(), None)));
            self.0.insert(path.to_owned(), Some(entry.clone()));
        }
        true
    }

    fn build(&self, options: &ImportOptions) -> (Entry, HashMap<Cid, Block>) {
        let mut tree = Tree::new(options).unwrap();
        for (path, entry) in &self.0 {
            match entry {
                Some(entry) => tree.insert(path, entry.clone()).unwrap(),
                None => tree.insert_folder(path).unwrap(),
            }
        }
        let built = tree.finish().unwrap();
        let blocks = built.blocks.into_iter().map(|block| (block.cid().clone(), block));
        (built.root, blocks.collect())
    }
}
