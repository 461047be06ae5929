//! ChaCha20 (RFC 8439), in wasm with its vectors.
//!
//! Stands in for version 0.9 of the crate of the same name, by `[patch.crates-io]` of this workspace. No published
//! ChaCha20 uses wasm's vectors, and every byte to or from a peer that is reached by WebSocket passes through it, on
//! the thread that does all else: with vectors it takes a third of the time. Browsers have them since Chromium 91,
//! Firefox 89 and Safari 16.4.
//!
//! Only what `chacha20poly1305` asks of a cipher is here: [`ChaCha20`], and the name of [`XChaCha20`].

mod core;
mod group;
#[cfg(test)]
mod tests;
#[cfg(not(target_arch = "wasm32"))]
#[path = "plain.rs"]
mod vectors;
#[cfg(target_arch = "wasm32")]
#[path = "wasm.rs"]
mod vectors;

pub use self::core::{ChaCha20, XChaCha20};
pub use cipher;
