//! A browser: a page or a worker.

use std::ops::Range;

use avocet_dag::Payload as _;
use bytes::Bytes;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::SubtleCrypto;

pub use wasm_bindgen_futures::spawn_local as spawn;

/// From here on WebCrypto beats the hash compiled to wasm, which gives about 0.25 GB/s where a
/// call of `digest` costs some 50 microseconds and then runs at 1.3 GB/s on another thread.
const WORTH_A_CALL: usize = 16 * 1024;

/// The bytes of a block.
#[derive(Clone, Debug)]
pub enum Payload {
    /// In wasm memory.
    Wasm(Bytes),
    /// In the browser's memory, as a view that nobody writes to.
    Js(Uint8Array),
}

impl avocet_dag::Payload for Payload {
    fn len(&self) -> usize {
        match self {
            Self::Wasm(bytes) => bytes.len(),
            Self::Js(view) => view.length() as usize,
        }
    }

    fn slice(&self, range: Range<usize>) -> Self {
        match self {
            Self::Wasm(bytes) => Self::Wasm(bytes.slice(range)),
            Self::Js(view) => Self::Js(part(view, range)),
        }
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Wasm(bytes) => Some(bytes),
            Self::Js(_) => None,
        }
    }

    fn copy_to(&self, range: Range<usize>, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Wasm(bytes) => out.extend_from_slice(&bytes[range]),
            Self::Js(view) => {
                let start = out.len();
                out.resize(start + range.len(), 0);
                part(view, range).copy_to(&mut out[start..]);
            }
        }
        true
    }

    fn join(parts: &[Self]) -> Option<Self> {
        if let [whole] = parts {
            return Some(whole.clone());
        }
        let length = parts.iter().map(Self::len).sum::<usize>();
        let whole = Uint8Array::new_with_length(u32::try_from(length).ok()?);
        let mut at = 0;
        for piece in parts {
            match piece {
                Self::Wasm(bytes) => part(&whole, at..at + bytes.len()).copy_from(bytes),
                Self::Js(view) => whole.set(view, at as u32),
            }
            at += piece.len();
        }
        Some(Self::Js(whole))
    }
}

impl Payload {
    pub(super) fn copy_in(&self, range: Range<usize>) -> Bytes {
        match self {
            Self::Wasm(bytes) => bytes.slice(range),
            Self::Js(view) => part(view, range).to_vec().into(),
        }
    }

    /// The same bytes where all that becomes of them happens: a large payload is hashed, stored and
    /// handed to the page outside wasm memory, and is copied out once, here.
    #[must_use]
    pub fn moved_out(self) -> Self {
        match self.len() < WORTH_A_CALL {
            true => self,
            false => Self::Js(self.to_js()),
        }
    }

    /// The bytes as a view outside wasm memory: copied when they live in it, else shared.
    #[must_use]
    pub fn to_js(&self) -> Uint8Array {
        match self {
            Self::Wasm(bytes) => Uint8Array::from(&bytes[..]),
            Self::Js(view) => view.clone(),
        }
    }
}

impl From<Uint8Array> for Payload {
    fn from(view: Uint8Array) -> Self {
        Self::Js(view)
    }
}

/// A view of a part of `view`. Its length fits: a typed array that wasm can name is within 4 GiB.
fn part(view: &Uint8Array, range: Range<usize>) -> Uint8Array {
    let bound = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    view.subarray(bound(range.start), bound(range.end))
}

/// Milliseconds since 1970 by the wall clock.
#[must_use]
pub fn unix_millis() -> u64 {
    js_sys::Date::now() as u64
}

/// `crypto.subtle`; a page that came by plain http from another machine has none.
pub(crate) fn subtle() -> Option<SubtleCrypto> {
    thread_local! {
        static SUBTLE: Option<SubtleCrypto> = {
            let found = Reflect::get(&js_sys::global(), &JsValue::from_str("crypto"))
                .and_then(|crypto| Reflect::get(&crypto, &JsValue::from_str("subtle")));
            found.ok().filter(JsValue::is_object).map(JsCast::unchecked_into)
        };
    }
    SUBTLE.with(Clone::clone)
}

/// Whether this is the page of a tab that nobody looks at.
pub fn is_hidden() -> bool {
    let field = |of: &JsValue, name: &str| Reflect::get(of, &JsValue::from_str(name)).ok();
    let document = field(&js_sys::global(), "document").filter(JsValue::is_object);
    document
        .and_then(|document| field(&document, "hidden"))
        .is_some_and(|hidden| hidden.is_truthy())
}

/// By WebCrypto; none where there is no WebCrypto or the payload is too small to pay for it.
pub(super) async fn sha256(payload: &Payload) -> Option<[u8; 32]> {
    if payload.len() < WORTH_A_CALL {
        return None;
    }
    let subtle = subtle()?;
    let digest = match payload {
        Payload::Wasm(bytes) => subtle.digest_with_str_and_u8_array("SHA-256", bytes),
        Payload::Js(view) => subtle.digest_with_str_and_js_u8_array("SHA-256", view),
    };
    let digest = JsFuture::from(digest.ok()?).await.ok()?;
    Uint8Array::new(&digest).to_vec().try_into().ok()
}
