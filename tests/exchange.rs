//! Two whole peers in one process: what one adds, the other reads, over the network alone.

#![cfg(not(target_arch = "wasm32"))]

use avocet::{
    files::{export, import},
    peer::{Options, Peer},
    platform,
    store::StoreName,
};
