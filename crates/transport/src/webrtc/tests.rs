//! Two connections in one page, and what their streams do. Signalling goes through memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests, which clippy knows by #[test] alone"
)]

mod channels;
mod closing;
mod hostile;
pub(crate) mod pair;
mod streams;
mod windows;
