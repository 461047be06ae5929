//! The same trees added, read, taken out of archives and put into them by this crate.

use avocet_dag::{
    Block, Cid, car,
    resolve::Resolver,
    unixfs::{Entry, ImportOptions, Layout, Listing, Meta, Tree, Type, Window, stat, symlink},
};
use bytes::Bytes;

use crate::{
    common::{Store, import_with, read},
    random::{Node, Parameters},
};

pub fn options(parameters: &Parameters) -> ImportOptions {
    ImportOptions {
        cid_version: parameters.version,
        hash: parameters.hash,
        raw_leaves: parameters.raw_leaves,
        chunking: parameters.chunker.parse().unwrap(),
        layout: if parameters.trickle { Layout::Trickle } else { Layout::Balanced },
        max_links: parameters.max_links,
        inline_limit: parameters.inline_limit,
        hamt_threshold: parameters.sharding.threshold,
        hamt_size: parameters.sharding.size,
        hamt_fanout: parameters.fanout,
    }
}

/// Adds the tree; every block goes to the store.
pub fn add(node: &Node, options: &ImportOptions, store: &mut Store) -> Entry {
    let Node::Folder(_, meta) = node else { return leaf(node, options, store) };
    let mut tree = Tree::new(options).unwrap();
    tree.set_meta("/", *meta).unwrap();
    let mut left = vec![(String::new(), node)];
    while let Some((path, node)) = left.pop() {
        match node {
            Node::Folder(entries, meta) => {
                if !path.is_empty() {
                    tree.set_meta(&path, *meta).unwrap();
                }
                let within = |name: &String| match path.as_str() {
                    "" => name.clone(),
                    _ => format!("{path}/{name}"),
                };
                left.extend(entries.iter().map(|(name, node)| (within(name), node)));
            }
            _ => tree.insert(&path, leaf(node, options, store)).unwrap(),
        }
    }
    let built = tree.finish().unwrap();
    built.blocks.into_iter().for_each(|block| drop(store.put(block)));
    built.root
}

fn leaf(node: &Node, options: &ImportOptions, store: &mut Store) -> Entry {
    match node {
        Node::File(content, meta) => {
            // pieces that are not chunks
            let pieces = content.chunks(100_003).map(Bytes::copy_from_slice);
            import_with(options, *meta, pieces, store).unwrap().into()
        }
        Node::Symlink(target, meta) => {
            let block = symlink(options, target.as_bytes(), *meta).unwrap();
            let size = block.len() as u64;
            Entry { cid: store.put(block), tsize: size, size: target.len() as u64 }
        }
        Node::Folder(..) => panic!("a folder is no leaf"),
    }
}

/// Reads the tree back; says where it is another one.
pub fn check(node: &Node, root: &Cid, store: &Store) -> Result<(), String> {
    let mut left = vec![(String::new(), node, root.clone())];
    while let Some((path, node, cid)) = left.pop() {
        let wrong = |what: &str| format!("{path:?} ({cid}) is read back with another {what}");
        let block = store.find(&cid).ok_or_else(|| format!("{path:?} ({cid}) is missing"))?;
        let stat = stat(&block).map_err(|error| format!("{path:?}: {error}"))?;
        let meta = Meta { mode: stat.mode, mtime: stat.mtime };
        match node {
            Node::File(content, expected) => {
                let bytes = read(store, &cid, ..).map_err(|error| format!("{path:?}: {error}"))?;
                if bytes.as_ref() != Some(content) {
                    return Err(wrong("content"));
                }
                if meta != *expected {
                    return Err(wrong("mode or time"));
                }
                let range = content.len() / 3..content.len() / 2;
                let part = read(store, &cid, range.start as u64..range.end as u64);
                if part != Ok(Some(content[range].to_vec())) {
                    return Err(wrong("range"));
                }
            }
            Node::Symlink(target, expected) => {
                let same = stat.target.as_deref() == Some(target.as_bytes());
                if !same || stat.kind != Type::Symlink || meta != *expected {
                    return Err(wrong("target or time"));
                }
            }
            Node::Folder(entries, expected) => {
                if meta != *expected {
                    return Err(wrong("mode or time"));
                }
                let found = list(&cid, store).map_err(|error| format!("{path:?}: {error}"))?;
                if !found.iter().map(|(name, _)| name).eq(entries.keys()) {
                    return Err(wrong("list of names"));
                }
                for ((name, cid), node) in found.into_iter().zip(entries.values()) {
                    left.push((format!("{path}/{name}"), node, cid));
                }
            }
        }
        if resolve(root, &path, store)? != cid {
            return Err(wrong("path"));
        }
    }
    Ok(())
}

/// The entries of a directory, sorted by their names.
fn list(cid: &Cid, store: &Store) -> Result<Vec<(String, Cid)>, String> {
    let mut listing = Listing::<Bytes>::new(cid.clone(), Window::default());
    let mut found = Vec::new();
    while !listing.is_done() {
        let wants = listing.wants();
        for cid in &wants {
            let block = store.find(cid).ok_or_else(|| format!("{cid} is missing"))?;
            listing.give(&block).map_err(|error| error.to_string())?;
        }
        while let Some(entry) = listing.next_entry().map_err(|error| error.to_string())? {
            found.push((String::from_utf8(entry.name.into_vec()).unwrap(), entry.cid));
        }
    }
    assert_eq!(listing.misplaced(), 0, "every entry is where its name leads");
    found.sort();
    Ok(found)
}

fn resolve(root: &Cid, path: &str, store: &Store) -> Result<Cid, String> {
    let segments = path.split('/').filter(|name| !name.is_empty()).map(Into::into).collect();
    let mut resolver = Resolver::new(root.clone(), segments);
    while let Some(cid) = resolver.want().cloned() {
        let block = store.find(&cid).ok_or_else(|| format!("{cid} is missing"))?;
        resolver.give(&block).map_err(|error| format!("{path:?}: {error}"))?;
    }
    Ok(resolver.cid().clone())
}

/// The blocks of an archive, verified; its one root must be `root`.
pub fn unpack(archive: &[u8], root: &Cid) -> Result<Store, String> {
    let mut reader = car::Reader::new(car::Options::default());
    let mut store = Store::default();
    for piece in archive.chunks(70_001) {
        reader.push(Bytes::copy_from_slice(piece));
        while let Some(block) = reader.next_block().map_err(|error| error.to_string())? {
            store.put(block);
        }
    }
    reader.finish().map_err(|error| error.to_string())?;
    let roots = reader.header().map(|header| header.roots.clone());
    match roots.as_deref() {
        Some([one]) if one == root => Ok(store),
        other => Err(format!("the archive's roots are {other:?}")),
    }
}

/// All below `root` as an archive.
pub fn pack(root: &Cid, store: &Store) -> Vec<u8> {
    let mut export = car::Export::new(root.clone(), Vec::new(), car::ExportOptions::default());
    let mut archive = Vec::new();
    while !export.is_done() {
        for cid in export.wants() {
            export.give(store.get(&cid)).unwrap();
        }
        while let Some(bytes) = export.read().unwrap() {
            archive.extend_from_slice(&bytes);
        }
    }
    archive
}

impl Store {
    /// A block that is here, or that its CID carries.
    fn find(&self, cid: &Cid) -> Option<Block> {
        self.0.get(cid).cloned().or_else(|| Block::inline(cid))
    }
}
