//! Values as a row has them: bytes, the place of a large one in a pack ([`super::packs`]), or, until
//! there is a worker for those and where there is none, a file of the browser's own.
//!
//! Chromium moves a value above 64 KiB into a file in any case: it serialises the bytes into one
//! buffer, copies that into a blob, and undoes both on reading, all on the page's own thread. Given
//! a blob it does neither, and reading takes half the time (`bench/`). Elsewhere, and for what is
//! small, bytes are kept as they are; all kinds are read wherever they can be there.

use std::{any::Any, rc::Rc};

use avocet_dag::Payload as _;
use bytes::Bytes;
use futures::future::try_join_all;
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::{
    Link,
    packs::{Packed, Row, is_place},
};
use crate::{platform::Payload, store::backend::Value};

/// From here on a file pays for the call to the browser's process that makes it.
pub(super) const WORTH_A_FILE: usize = 512 * 1024;

/// Whether this browser is one that keeps blobs better than bytes. Safari's private windows, for
/// one, refuse them.
pub(super) fn prefers_files() -> bool {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).unwrap_or_default();
    Reflect::has(&navigator, &"userAgentData".into()).unwrap_or_default()
}

/// Makes a file of what is worth one. The browser copies the bytes to its own process meanwhile.
pub(super) fn prepare(bytes: Payload) -> Value {
    let len = bytes.len();
    if len < WORTH_A_FILE {
        return bytes.into();
    }
    match Blob::new_with_u8_array_sequence(&Array::of1(&bytes.to_js())) {
        Ok(blob) => {
            let own: Rc<dyn Any> = Rc::new(JsValue::from(blob));
            Value { bytes: Bytes::new().into(), own: Some(own), len }
        }
        Err(_) => bytes.into(),
    }
}

/// What the browser is given.
pub(super) fn write(value: &Value) -> JsValue {
    let own = value.own.as_ref();
    if let Some(file) = own.and_then(|own| own.downcast_ref::<JsValue>()) {
        return file.clone();
    }
    match own.and_then(|own| own.downcast_ref::<Packed>()).map(Packed::row) {
        Some(Row::Place(place)) => place,
        Some(Row::Bytes(bytes)) => whole(&bytes),
        None => whole(&value.bytes),
    }
}

fn whole(bytes: &Payload) -> JsValue {
    let view = bytes.to_js();
    // A view is written with all of the buffer behind it, so that one which shows only a part is
    // copied out first.
    match view.byte_length() == view.buffer().byte_length() {
        true => view.into(),
        false => view.slice(0, view.length()).into(),
    }
}

/// Whether the bytes have still to be read.
pub(super) fn is_elsewhere(value: &Option<JsValue>) -> bool {
    value.as_ref().is_some_and(|value| value.has_type::<Blob>() || is_place(value))
}

/// The value of a row that is no file; of a key that is there, no bytes. Something else than bytes,
/// which is none of our writing, counts as no bytes.
pub(super) fn at_hand(value: JsValue) -> Payload {
    match value.dyn_into::<Uint8Array>() {
        Ok(bytes) => bytes.into(),
        Err(_) => Bytes::new().into(),
    }
}

/// The bytes of all values.
pub(super) async fn read_all(
    link: &Rc<Link>,
    values: Vec<Option<JsValue>>,
) -> Result<Vec<Option<Payload>>, JsValue> {
    let read = |value: Option<JsValue>| async {
        let Some(value) = value else { return Ok(None) };
        if is_place(&value) {
            return link.read_place(&value).await.map(Some);
        }
        match value.dyn_into::<Blob>() {
            Ok(file) => {
                let buffer = JsFuture::from(file.array_buffer()).await?;
                Ok(Some(Uint8Array::new(&buffer).into()))
            }
            Err(value) => Ok(Some(at_hand(value))),
        }
    };
    try_join_all(values.into_iter().map(read)).await
}
