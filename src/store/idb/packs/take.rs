//! Parts of files that the worker reads, hashes and keeps in one go: their bytes never come to the page.

use std::rc::Rc;

use futures::{FutureExt, future::LocalBoxFuture};
use js_sys::{Array, ArrayBuffer, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::{
    depot::Depot,
    place::{Packed, Place},
};
use crate::{
    platform::{Lent, Payload, Taken},
    store::{
        StoreError,
        backend::{Refused, Take, TakeError},
        idb::fault,
    },
};

/// See the module.
pub(in crate::store::idb) struct Hands {
    pub depot: Rc<Depot>,
    /// From how many bytes on parts are taken.
    pub least: usize,
    /// The store's name, for errors.
    pub name: String,
}

impl Take for Hands {
    fn least(&self) -> usize {
        self.least
    }

    fn take(&self, lent: Lent) -> LocalBoxFuture<'static, Result<Taken, Refused>> {
        let len = lent.len();
        let part = match &lent {
            Lent::Bytes(bytes) => whole(bytes).buffer().into(),
            Lent::File(file, _) => file.downcast_ref::<JsValue>().cloned().unwrap_or_default(),
        };
        let answer = self.depot.take(&part);
        let (depot, name) = (Rc::clone(&self.depot), self.name.clone());
        async move {
            let answer = match answer.await {
                Ok(answer) => Array::from(&answer),
                Err(error) => {
                    return Err(Refused {
                        lent: given_back(&error).unwrap_or(lent),
                        error: explain(&name, &error, len),
                    });
                }
            };
            let place = Place::new(&depot, answer.get(1));
            match Uint8Array::new(&answer.get(0)).to_vec().try_into() {
                Ok(digest) => Ok(Taken::new(digest, len, Rc::new(Packed::at(place)))),
                Err(_) => {
                    let reason = "the worker gave no digest".to_owned();
                    Err(Refused { lent, error: StoreError::Failed { name, reason }.into() })
                }
            }
        }
        .boxed_local()
    }
}

/// The bytes that were given away and not taken.
fn given_back(error: &JsValue) -> Option<Lent> {
    let buffer: ArrayBuffer = Reflect::get(error, &"given".into()).ok()?.dyn_into().ok()?;
    Some(Lent::Bytes(Uint8Array::new(&buffer).into()))
}

/// The bytes with a buffer of their own, which nobody else has.
fn whole(bytes: &Payload) -> Uint8Array {
    let view = bytes.to_js();
    match view.byte_length() == view.buffer().byte_length() {
        true => view,
        false => view.slice(0, view.length()),
    }
}

fn explain(name: &str, error: &JsValue, len: usize) -> TakeError {
    match fault::name(error).as_str() {
        "Unreadable" => TakeError::Lent(fault::message(error)),
        "QuotaExceededError" => {
            StoreError::Quota { name: name.to_owned(), bytes: len as u64 }.into()
        }
        _ => fault::explain(name, error).into(),
    }
}
