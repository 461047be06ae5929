//! What the JavaScript of the npm package calls: the only place that speaks wasm-bindgen.
//!
//! It translates and does nothing else. A call that takes time is a [`Task`]: a promise, and a way
//! to end it. A sequence is a [`Pull`]: one task for each value. What a caller may say is checked
//! in `js/`, which is the only caller; errors leave as `{ code, message }`.

mod blocks;
mod car;
mod error;
mod events;
mod network;
mod node;
mod object;
mod options;
mod source;
mod stream;
mod task;
mod value;

pub use self::{node::Node, stream::Pull, task::Task};
