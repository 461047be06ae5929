//! The chunks of a file, read ahead, cut, and made into blocks several at once.

use avocet_dag::{
    Payload as _, code,
    unixfs::{self, Chunker, Chunking, Cutter, ImportOptions, Leaf},
};
use futures::{Stream, StreamExt, future::LocalBoxFuture, stream};

use super::source::{Piece, Source};
use crate::{
    platform::{self, Lent, Payload},
    store::{Ready, StoreError, TakeError, Taker},
};

/// Bytes of one file that are asked for ahead: two windows of `js/src/blob.js`, of which one is read
/// while the other is hashed and written.
const AHEAD: usize = 16 * 1024 * 1024;
/// Chunks of one file that are asked for ahead, however small.
const AHEAD_CHUNKS: usize = 32;
/// What a chunk of the buzhash chunker usually has.
const BUZHASH: usize = 256 * 1024;
/// What is read at once where the content says where to cut.
const PIECE: usize = 1024 * 1024;
/// Pieces that are asked for ahead: reading one hides behind cutting the other.
const PIECES: usize = 2;

/// A chunk that has its block.
pub struct Made {
    pub leaf: Leaf,
    /// The block, to be written.
    pub block: Ready,
    /// Bytes of the file in it.
    pub size: usize,
    /// The chunk itself, where it was to be kept.
    pub chunk: Option<Payload>,
}

/// What went wrong with a part of a file.
pub enum Fault {
    Source(String),
    Block(unixfs::ImportError),
    Store(StoreError),
}

type Chunk = Result<Option<Piece>, Fault>;

/// The chunks of a file with their blocks, in its order; `keep` also gives them as they were.
/// `None` ends them. Where there is a `taker` it has what is large enough for it.
pub fn leaves(
    options: &ImportOptions,
    source: Box<dyn Source>,
    keep: bool,
    taker: Option<&Taker>,
) -> impl Stream<Item = Result<Option<Made>, Fault>> {
    let simple = options.raw_leaves && options.hash == code::SHA2_256 && !keep;
    let taker = taker.filter(|_| simple);
    let (chunks, usual) = match options.chunking {
        Chunking::Size(size) => (equal(source, size, taker).left_stream(), size),
        Chunking::Rabin { avg, .. } => (cut(source, options.chunking).right_stream(), avg),
        _ => (cut(source, options.chunking).right_stream(), BUZHASH),
    };
    let ahead = (AHEAD / usual).clamp(2, AHEAD_CHUNKS);
    chunks.map(move |chunk| leaf(options, chunk, keep, taker)).buffered(ahead)
}

/// Chunks of `size` bytes; whoever polls several at once has them read at once.
fn equal(
    mut source: Box<dyn Source>,
    size: usize,
    taker: Option<&Taker>,
) -> impl Stream<Item = LocalBoxFuture<'static, Chunk>> + use<> {
    let least = taker.map_or(usize::MAX, Taker::least);
    let chunks = std::iter::repeat_with(move || {
        let chunk = source.take(size, least);
        Box::pin(async move { chunk.await.map_err(Fault::Source) }) as LocalBoxFuture<'static, _>
    });
    stream::iter(chunks)
}

/// Chunks that end where the content says so.
fn cut(
    mut source: Box<dyn Source>,
    chunking: Chunking,
) -> impl Stream<Item = LocalBoxFuture<'static, Chunk>> {
    let pieces = std::iter::repeat_with(move || source.next(PIECE));
    let pieces = Box::pin(stream::iter(pieces).buffered(PIECES));
    let chunks =
        stream::unfold((pieces, Some(Chunker::of(chunking))), |(mut pieces, chunker)| async move {
            let mut chunker = chunker?;
            let (chunk, chunker) = match next(&mut pieces, &mut chunker).await {
                Ok(Some(chunk)) => (Ok(Some(chunk)), Some(chunker)),
                Ok(None) => (Ok(chunker.finish().map(Payload::from).map(Piece::Bytes)), None),
                Err(fault) => (Err(fault), None),
            };
            Some((chunk, (pieces, chunker)))
        });
    let end = stream::once(std::future::ready(Ok(None)));
    chunks.chain(end).map(|chunk| Box::pin(std::future::ready(chunk)) as LocalBoxFuture<'static, _>)
}

/// The next whole chunk; `None` when all pieces have come.
async fn next(
    pieces: &mut (impl Stream<Item = Result<Option<Payload>, String>> + Unpin),
    chunker: &mut Chunker<Cutter>,
) -> Chunk {
    loop {
        if let Some(chunk) = chunker.next_chunk() {
            return Ok(Some(Piece::Bytes(chunk.into())));
        }
        let piece = pieces.next().await.transpose().map_err(Fault::Source)?;
        let Some(piece) = piece.flatten() else { return Ok(None) };
        chunker.push(piece.to_bytes());
    }
}

async fn leaf(
    options: &ImportOptions,
    chunk: LocalBoxFuture<'static, Chunk>,
    keep: bool,
    taker: Option<&Taker>,
) -> Result<Option<Made>, Fault> {
    let codec = options.leaf_codec();
    let chunk = match (chunk.await?, taker) {
        (Some(Piece::Lent(lent)), Some(taker)) => {
            return take(options, taker, lent).await.map(Some);
        }
        (Some(Piece::Lent(_)), None) => return Err(Fault::Source("it came unread".to_owned())),
        (Some(Piece::Bytes(chunk)), Some(taker)) if chunk.len() >= taker.least() => {
            return take(options, taker, Lent::Bytes(chunk)).await.map(Some);
        }
        (Some(Piece::Bytes(chunk)), _) => chunk,
        (None, _) => return Ok(None),
    };
    let size = chunk.len();
    let kept = keep.then(|| chunk.clone());
    let bytes = match options.raw_leaves {
        true => chunk,
        false => unixfs::leaf_bytes(options, chunk.to_bytes()).into(),
    };
    let (version, hash) = options.naming(codec, bytes.len());
    let block = platform::hash(version, codec, hash, bytes).await;
    let block = block.map_err(|error| Fault::Block(error.into()))?;
    let leaf = Leaf::new(&block, size);
    Ok(Some(Made { leaf, block: block.into(), size, chunk: kept }))
}

/// A leaf that is hashed and kept in one go.
async fn take(options: &ImportOptions, taker: &Taker, lent: Lent) -> Result<Made, Fault> {
    let taken = taker.take(lent).await.map_err(|error| match error {
        TakeError::Lent(reason) => Fault::Source(reason),
        TakeError::Store(error) => Fault::Store(error),
    })?;
    let (size, codec) = (taken.len(), options.leaf_codec());
    let (version, _) = options.naming(codec, size);
    let cid = taken.cid(version, codec).map_err(|error| Fault::Block(error.into()))?;
    let block = Ready::taken(&cid, taken);
    Ok(Made { leaf: Leaf { cid, size: size as u64, tsize: size as u64 }, block, size, chunk: None })
}
