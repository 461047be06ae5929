//! A last word of a tab that goes away, for the next one to find.
//!
//! While a page is unloaded no transaction is sure to end, but what it writes to `localStorage`
//! is there at once. So the leases of a closed or reloaded tab need not be waited for.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::EventTarget;

#[wasm_bindgen]
extern "C" {
    /// `Storage`, as little of it as is needed.
    type Storage;

    #[wasm_bindgen(method, catch, js_name = getItem)]
    fn get_item(this: &Storage, key: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setItem)]
    fn set_item(this: &Storage, key: &str, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = removeItem)]
    fn remove_item(this: &Storage, key: &str) -> Result<(), JsValue>;
}

/// Leaves `word` under `key` whenever the page goes away, until this is dropped.
pub(super) struct Farewell {
    listeners: [Listener; 2],
}

type Listener = (&'static str, Closure<dyn FnMut()>);

impl Farewell {
    /// `on_return` is called when the page comes back after all, from the browser's cache of
    /// pages.
    pub fn new(key: String, word: String, on_return: Box<dyn Fn()>) -> Self {
        let leave = Closure::<dyn FnMut()>::new(move || {
            // Without storage the lease is waited for.
            let _ = storage().map(|storage| storage.set_item(&key, &word));
        });
        let come_back = Closure::<dyn FnMut()>::new(on_return);
        let listeners = [("pagehide", leave), ("pageshow", come_back)];
        for (event, listener) in &listeners {
            let listener = listener.as_ref().unchecked_ref();
            let _ = global().add_event_listener_with_callback(event, listener);
        }
        Self { listeners }
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        for (event, listener) in &self.listeners {
            let listener = listener.as_ref().unchecked_ref();
            let _ = global().remove_event_listener_with_callback(event, listener);
        }
    }
}

/// The word left under `key`.
pub(super) fn read(key: &str) -> Option<String> {
    storage()?.get_item(key).ok()?
}

/// Takes the word under `key` back.
pub(super) fn remove(key: &str) {
    let _ = storage().map(|storage| storage.remove_item(key));
}

/// `localStorage`; a worker has none, and where it is forbidden asking for it may throw.
fn storage() -> Option<Storage> {
    let storage = Reflect::get(&global(), &"localStorage".into()).ok()?;
    storage.is_object().then(|| storage.unchecked_into())
}

fn global() -> EventTarget {
    js_sys::global().unchecked_into()
}
