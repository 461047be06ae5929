//! The work itself.

use std::collections::HashMap;

use avocet_dag::{
    Block, Cid, Version, code,
    resolve::Resolver,
    unixfs::{Chunker, Chunking, Entry, ImportOptions, Listing, Meta, Tree, Window, Writer},
};
use bytes::Bytes;

/// Content arrives in pieces of this size, as it does from a file.
const PIECE: usize = 256 * 1024;
const RABIN: Chunking = Chunking::Rabin { min: 87_381, avg: 262_144, max: 393_216 };

/// What the work is done with.
pub struct Work {
    content: Bytes,
    entries: usize,
    /// The directory's blocks, once it was built.
    store: HashMap<Cid, Block>,
    root: Option<Cid>,
    /// Which entry is looked up next.
    next: usize,
}

impl Work {
    /// Content of so many MiB, and a directory of so many entries, not built yet.
    pub fn new(mib: usize, entries: usize) -> Self {
        let mut state = 0x2545_f491_u32;
        let mut content = Vec::with_capacity(mib << 20);
        while content.len() < mib << 20 {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            content.extend_from_slice(&state.to_le_bytes());
        }
        Self { content: content.into(), entries, store: HashMap::new(), root: None, next: 0 }
    }

    /// Does one of `NAMES`. Gives how many chunks, blocks or entries there were; of what has a root,
    /// the first bytes of its digest, for everybody's must be the same.
    pub fn run(&mut self, number: usize) -> u32 {
        let found = match number {
            0 => self.hash(),
            1 => self.cut(RABIN),
            2 => self.cut(Chunking::Buzhash),
            3 => return self.add(Chunking::Size(1 << 20)),
            4 => return self.add(RABIN),
            5 => return self.add(Chunking::Buzhash),
            6 => return self.build(),
            7 => self.read_one(),
            8 => self.read_all(),
            _ => panic!("there is no work {number}"),
        };
        u32::try_from(found).unwrap()
    }

    fn pieces(&self) -> impl Iterator<Item = Bytes> + '_ {
        (0..self.content.len())
            .step_by(PIECE)
            .map(|at| self.content.slice(at..self.content.len().min(at + PIECE)))
    }

    fn hash(&self) -> usize {
        let blocks = self
            .pieces()
            .map(|piece| Block::hash(Version::V1, code::RAW, code::SHA2_256, piece).unwrap());
        blocks.filter(|block| block.cid().check().is_ok()).count()
    }

    fn cut(&self, chunking: Chunking) -> usize {
        let mut chunker = Chunker::of(chunking);
        let mut chunks = 0;
        for piece in self.pieces() {
            chunker.push(piece);
            while chunker.next_chunk().is_some() {
                chunks += 1;
            }
        }
        chunks + usize::from(chunker.finish().is_some())
    }

    fn add(&self, chunking: Chunking) -> u32 {
        let options = ImportOptions { chunking, ..ImportOptions::default() };
        let mut writer = Writer::new(&options, Meta::default()).unwrap();
        for piece in self.pieces() {
            drop(writer.push(piece).unwrap());
        }
        first_bytes(&writer.finish().unwrap().root.cid)
    }

    fn build(&mut self) -> u32 {
        let options = ImportOptions::default();
        let mut tree = Tree::new(&options).unwrap();
        for index in 0..self.entries {
            let name = name(index);
            let file = options.block(code::RAW, name.clone().into()).unwrap();
            let size = file.len() as u64;
            let entry = Entry { cid: file.cid().clone(), tsize: size, size };
            tree.insert(&name, entry).unwrap();
        }
        let built = tree.finish().unwrap();
        self.store = built.blocks.into_iter().map(|block| (block.cid().clone(), block)).collect();
        first_bytes(self.root.insert(built.root.cid))
    }

    fn read_one(&mut self) -> usize {
        self.next = (self.next + 7919) % self.entries;
        let root = self.root.clone().expect("built before");
        let mut resolver = Resolver::new(root, vec![name(self.next)]);
        let mut blocks = 0;
        while let Some(cid) = resolver.want() {
            resolver.give(&self.store[cid]).unwrap();
            blocks += 1;
        }
        blocks
    }

    fn read_all(&self) -> usize {
        let root = self.root.clone().expect("built before");
        let mut listing = Listing::<Bytes>::new(root, Window::default());
        let mut entries = 0;
        while !listing.is_done() {
            for cid in listing.wants() {
                listing.give(&self.store[&cid]).unwrap();
            }
            while listing.next_entry().unwrap().is_some() {
                entries += 1;
            }
        }
        assert_eq!(entries, self.entries);
        entries
    }
}

fn first_bytes(cid: &Cid) -> u32 {
    cid.hash().digest().iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn name(index: usize) -> String {
    format!("file-{index:06}.txt")
}
