//! WebSockets, dialled only: a byte stream over `/ws` and `/wss`.

mod address;
#[cfg(target_arch = "wasm32")]
mod socket;
#[cfg(target_arch = "wasm32")]
mod transport;
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "sockets are the browser's"))]
mod water;

pub use address::{AddressError, url};
#[cfg(target_arch = "wasm32")]
pub use socket::{SocketError, WebSocketStream};
#[cfg(target_arch = "wasm32")]
pub use transport::{DialError, Transport};
