//! The whole: swarms in one page that meet at a real relay, and the WebSocket to it.
//!
//! The relay's address comes from whoever serves the page, in `globalThis.AVOCET_TEST_RELAY`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests, which clippy knows by #[test] alone"
)]

mod hostile;
mod node;
mod streams;
mod websocket;
mod whole;

use js_sys::Reflect;

/// A text that the page was given.
fn given(name: &str) -> Option<String> {
    Reflect::get(&js_sys::global(), &name.into()).ok()?.as_string()
}
