//! The network: one loop that owns the swarm, and the handle by which the rest of the peer speaks with it.
//!
//! What a remote peer asks of our blocks leaves as an [`Event`]: the network knows nothing of the store.

mod behaviour;
mod dht;
pub mod dial;
mod dials;
mod discovery;
pub mod exchange;
mod handle;
#[cfg(not(target_arch = "wasm32"))]
#[path = "net/medium/native.rs"]
mod medium;
#[cfg(target_arch = "wasm32")]
#[path = "net/medium/web.rs"]
mod medium;
mod relays;
mod reserve;
mod start;
mod swarm;
mod table;
mod timer;

pub use dht::MAX_PROVIDED;
pub use handle::{ConnectError, Handle, Provider};
pub use medium::{IceServer, MediumError};
pub use start::{Event, Options, start};
pub use table::PeerInfo;
