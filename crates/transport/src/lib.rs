//! libp2p transports for browsers.
//!
//! - [`websocket`]: dials a server's `/ws` or `/wss` address and gives a byte stream, for Noise
//!   and a muxer to be laid over it.
//! - [`webrtc`]: `/webrtc`, from browser to browser. The two meet over a relayed connection, which
//!   carries the signalling and nothing else, and then speak directly.
//! - [`webrtc::direct`]: `/webrtc-direct`, from browser to server, by the hash of the server's
//!   certificate.
//!
//! The calls in order: [`webrtc::new`] gives a transport, a behaviour and a closer. The transport
//! comes first in the chain, before the relay client's and the WebSocket's; the behaviour joins
//! the swarm; `listen_on("/webrtc")` makes this browser reachable; the closer belongs to the
//! page's `pagehide`, and [`webrtc::direct::Transport`] is made with it.
//!
//! What needs a browser exists on `wasm32` only. What does not, the wire formats, the addresses
//! and the policies, is plain code without IO that is tested natively.
//!
//! Absent on purpose: listening for WebSockets or by `/webrtc-direct` (a browser cannot), and any
//! use of the relayed connection other than signalling.

#[cfg(target_arch = "wasm32")]
mod js;
pub mod queue;
#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
pub mod webrtc;
pub mod websocket;

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
