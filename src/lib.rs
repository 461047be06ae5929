//! The peer.

pub mod platform;
pub mod store;
