//! Lets the browser do what it has to do in between: a timer would take 4 ms for that, a promise no time at all.

use wasm_bindgen::prelude::*;
use web_sys::{Event, EventTarget};

use super::Listener;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = MessageChannel)]
    type MessageChannel;

    #[wasm_bindgen(constructor, js_class = "MessageChannel")]
    fn new() -> MessageChannel;

    #[wasm_bindgen(method, getter)]
    fn port1(this: &MessageChannel) -> MessagePort;

    #[wasm_bindgen(method, getter)]
    fn port2(this: &MessageChannel) -> MessagePort;

    #[wasm_bindgen(extends = EventTarget)]
    #[derive(Debug)]
    type MessagePort;

    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &MessagePort, message: u32);

    #[wasm_bindgen(method)]
    fn start(this: &MessagePort);

    #[wasm_bindgen(method)]
    fn close(this: &MessagePort);
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Turns {
    ask: MessagePort,
    _told: Listener,
}

impl Turns {
    /// `turn` is called once after each time that one is asked for. It must not own this.
    pub(crate) fn new(mut turn: impl FnMut() + 'static) -> Self {
        let channel = MessageChannel::new();
        let told = channel.port1();
        let listener = Listener::new(&told, "message", move |_: Event| turn());
        told.start();
        Self { ask: channel.port2(), _told: listener }
    }

    /// Asks for one.
    pub(crate) fn ask(&self) {
        self.ask.post_message(0);
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.ask.close();
    }
}
