//! Waiting for the events of IndexedDB, and what web-sys lacks of it.

use std::{cell::RefCell, rc::Rc};

use futures::channel::oneshot;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::{IdbDatabase, IdbRequest, IdbTransaction};

#[wasm_bindgen]
extern "C" {
    /// `IDBDatabase`, with the options of a transaction that web-sys counts as unstable.
    type Database;

    #[wasm_bindgen(method, catch)]
    fn transaction(
        this: &Database,
        tables: &Array,
        mode: &str,
        options: &Object,
    ) -> Result<IdbTransaction, JsValue>;
}

/// Begins transactions that say how durable they must be.
pub(super) trait DatabaseExt {
    fn begin(
        &self,
        tables: &Array,
        mode: &str,
        durability: &str,
    ) -> Result<IdbTransaction, JsValue>;
}

impl DatabaseExt for IdbDatabase {
    fn begin(
        &self,
        tables: &Array,
        mode: &str,
        durability: &str,
    ) -> Result<IdbTransaction, JsValue> {
        let options = Object::new();
        Reflect::set(&options, &"durability".into(), &durability.into())?;
        self.unchecked_ref::<Database>().transaction(tables, mode, &options)
    }
}

/// Sets the listener of an event.
pub(super) fn on(target: &JsValue, event: &str, listener: &Closure<dyn FnMut()>) {
    set(target, event, listener.as_ref());
}

/// Removes the listener of an event.
pub(super) fn off(target: &JsValue, event: &str) {
    set(target, event, &JsValue::NULL);
}

fn set(target: &JsValue, event: &str, listener: &JsValue) {
    // The targets are the browser's own objects, whose listeners can be set.
    let _ = Reflect::set(target, &format!("on{event}").into(), listener);
}

/// What a request gave.
pub(super) async fn answer(request: &IdbRequest) -> Result<JsValue, JsValue> {
    let succeeded = Listening::to(request, ["success", "error"]).await;
    match succeeded {
        true => request.result(),
        false => Err(request.error().ok().flatten().map_or(JsValue::NULL, Into::into)),
    }
}

/// Waits for one of two events; true for the first of them. Dropped, it no longer listens.
pub(super) struct Listening {
    target: JsValue,
    events: [&'static str; 2],
    happened: oneshot::Receiver<bool>,
    _listeners: [Closure<dyn FnMut()>; 2],
}

impl Listening {
    pub fn to(target: &JsValue, events: [&'static str; 2]) -> Self {
        let (tell, happened) = oneshot::channel();
        let tell = Rc::new(RefCell::new(Some(tell)));
        let listener = |first: bool| {
            let tell = Rc::clone(&tell);
            Closure::<dyn FnMut()>::new(move || {
                if let Some(tell) = tell.borrow_mut().take() {
                    // It may be that nobody waits any more.
                    let _ = tell.send(first);
                }
            })
        };
        let listeners = [listener(true), listener(false)];
        for (event, listener) in events.iter().zip(&listeners) {
            on(target, event, listener);
        }
        Self { target: target.clone(), events, happened, _listeners: listeners }
    }
}

impl Future for Listening {
    type Output = bool;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<bool> {
        std::pin::Pin::new(&mut self.happened).poll(context).map(|first| first == Ok(true))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        for event in self.events {
            off(&self.target, event);
        }
    }
}
