//! Writing a file: bytes in, blocks out.

use bytes::Bytes;

use super::{
    Chunker, Cutter, ImportError, ImportOptions, Imported, Importer, Layout, Leaf, Meta, leaf,
    single,
};
use crate::Block;

/// Cuts a file, makes the blocks of its chunks, and builds the file above them.
///
/// All of [`Chunker`], [`leaf`] and [`Importer`] in one, for those who hash in this thread.
/// Memory: the chunk that is not complete; for a file with a mode or a time, also the first one.
#[derive(Debug, Clone)]
pub struct Writer {
    chunker: Chunker<Cutter>,
    chunks: Chunks,
}

/// What becomes of the chunks.
#[derive(Debug, Clone)]
struct Chunks {
    options: ImportOptions,
    meta: Meta,
    importer: Importer,
    first: First,
}

/// What became of the first chunk. It waits only where the file could still be
/// [`single`](single()), and that makes a difference.
#[derive(Debug, Clone)]
enum First {
    ToCome,
    Waits(Bytes),
    Written,
}

impl Writer {
    /// A writer of one file. Errors when the options make no import.
    pub fn new(options: &ImportOptions, meta: Meta) -> Result<Self, ImportError> {
        let importer = Importer::with_meta(options, meta)?;
        let plain = meta.is_empty() || options.layout == Layout::Trickle;
        let first = if plain { First::Written } else { First::ToCome };
        let chunks = Chunks { options: options.clone(), meta, importer, first };
        Ok(Self { chunker: Chunker::of(options.chunking), chunks })
    }

    /// Adds the next bytes of the file; gives the blocks that they completed, child before
    /// parent.
    pub fn push(&mut self, bytes: Bytes) -> Result<Vec<Block>, ImportError> {
        let mut blocks = Vec::new();
        self.chunker.push(bytes);
        while let Some(chunk) = self.chunker.next_chunk() {
            self.chunks.add(chunk, &mut blocks)?;
        }
        Ok(blocks)
    }

    /// Ends the file. The root is the last block that was given, here or by the last push that
    /// gave any.
    pub fn finish(self) -> Result<Imported, ImportError> {
        let Self { chunker, mut chunks } = self;
        let mut blocks = Vec::new();
        if let Some(chunk) = chunker.finish() {
            chunks.add(chunk, &mut blocks)?;
        }
        if let First::Waits(chunk) = chunks.first {
            return single(&chunks.options, chunks.meta, chunk);
        }
        let file = chunks.importer.finish()?;
        blocks.extend(file.blocks);
        Ok(Imported { blocks, root: file.root })
    }
}

impl Chunks {
    fn add(&mut self, chunk: Bytes, blocks: &mut Vec<Block>) -> Result<(), ImportError> {
        match std::mem::replace(&mut self.first, First::Written) {
            First::ToCome => {
                self.first = First::Waits(chunk);
                return Ok(());
            }
            First::Waits(first) => self.write(first, blocks)?,
            First::Written => {}
        }
        self.write(chunk, blocks)
    }

    fn write(&mut self, chunk: Bytes, blocks: &mut Vec<Block>) -> Result<(), ImportError> {
        let size = chunk.len();
        let block = leaf(&self.options, chunk)?;
        let inner = self.importer.push(Leaf::new(&block, size))?;
        blocks.push(block);
        blocks.extend(inner);
        Ok(())
    }
}
