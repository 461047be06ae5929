//! An IPFS peer that lives in a browser tab.

#[cfg(target_arch = "wasm32")]
pub mod api;
pub mod fetch;
pub mod files;
pub mod net;
pub mod peer;
pub mod platform;
pub mod route;
pub mod store;
