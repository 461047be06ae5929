//! Entries and their bytes, pulled from JavaScript.

use std::rc::Rc;

use avocet_dag::{
    Cid,
    unixfs::{Meta, Mtime},
};
use futures::{FutureExt, Stream, future::LocalBoxFuture, stream};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use crate::{
    files::{Content, Entry, Piece, Source, SourceError},
    platform::{Lent, Payload},
};

#[wasm_bindgen]
extern "C" {
    /// A plan of `js/src/source.js`.
    pub type JsEntries;
    #[wasm_bindgen(method)]
    fn next(this: &JsEntries) -> Promise;

    type JsEntry;
    #[wasm_bindgen(method, getter)]
    fn path(this: &JsEntry) -> String;
    #[wasm_bindgen(method, getter)]
    fn bytes(this: &JsEntry) -> Option<JsBytes>;
    #[wasm_bindgen(method, getter)]
    fn symlink(this: &JsEntry) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn cid(this: &JsEntry) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn tsize(this: &JsEntry) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    fn mode(this: &JsEntry) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    fn secs(this: &JsEntry) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    fn nsecs(this: &JsEntry) -> Option<f64>;

    /// The bytes of a file, of `js/src/bytes.js`.
    pub type JsBytes;
    #[wasm_bindgen(method)]
    fn next(this: &JsBytes, size: f64, least: f64) -> Promise;

    /// A part that comes unread.
    type JsPart;
    #[wasm_bindgen(method, getter)]
    fn size(this: &JsPart) -> f64;
}

/// The entries of a plan.
pub fn entries(plan: JsEntries) -> impl Stream<Item = Result<Entry, SourceError>> {
    stream::unfold(Some(plan), |plan| async {
        let plan = plan?;
        match JsFuture::from(plan.next()).await {
            Ok(entry) if entry.is_undefined() => None,
            Ok(entry) => {
                let entry: JsEntry = entry.unchecked_into();
                Some((read(&entry), Some(plan)))
            }
            Err(thrown) => {
                let (path, reason) = (String::new(), reason(&thrown));
                Some((Err(SourceError { path, reason }), None))
            }
        }
    })
}

/// An entry whose fields are of the right types already.
fn read(entry: &JsEntry) -> Result<Entry, SourceError> {
    let path = entry.path();
    let content = match (entry.bytes(), entry.symlink(), entry.cid()) {
        (Some(bytes), ..) => Content::File(Box::new(bytes)),
        (_, Some(target), _) => Content::Symlink(target),
        (.., Some(cid)) => match cid.parse::<Cid>() {
            Ok(cid) => Content::Link { cid, tsize: entry.tsize().unwrap_or_default() as u64 },
            Err(error) => return Err(SourceError { path, reason: error.to_string() }),
        },
        _ => Content::Folder,
    };
    let nanos = entry.nsecs().unwrap_or_default() as u32;
    let mtime = entry.secs().map(|secs| Mtime { secs: secs as i64, nanos });
    let meta = Meta { mode: entry.mode().map(|mode| mode as u32), mtime };
    Ok(Entry { path, content, meta })
}

impl Source for JsBytes {
    fn next(&mut self, size: usize) -> LocalBoxFuture<'static, Result<Option<Payload>, String>> {
        let piece = self.take(size, usize::MAX);
        async move {
            match piece.await? {
                Some(Piece::Bytes(bytes)) => Ok(Some(bytes)),
                Some(Piece::Lent(_)) => Err("it came unread".to_owned()),
                None => Ok(None),
            }
        }
        .boxed_local()
    }

    fn take(
        &mut self,
        size: usize,
        least: usize,
    ) -> LocalBoxFuture<'static, Result<Option<Piece>, String>> {
        // Asked for at once, so that the next ones overlap with it.
        let piece = JsFuture::from(Self::next(self, size as f64, least as f64));
        async move {
            match piece.await {
                Ok(piece) if piece.is_undefined() => Ok(None),
                Ok(piece) => Ok(Some(read_piece(piece))),
                Err(thrown) => Err(reason(&thrown)),
            }
        }
        .boxed_local()
    }
}

/// A chunk of `js/src/bytes.js`.
fn read_piece(piece: JsValue) -> Piece {
    match piece.dyn_into::<Uint8Array>() {
        Ok(bytes) => Piece::Bytes(bytes.into()),
        Err(part) => {
            let size = part.unchecked_ref::<JsPart>().size() as usize;
            Piece::Lent(Lent::File(Rc::new(part), size))
        }
    }
}

/// What a thrown value says of itself.
fn reason(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => thrown.as_string().unwrap_or_else(|| "it failed".to_owned()),
    }
}
