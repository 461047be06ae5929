//! `/webrtc`: a direct connection between two browsers, arranged over a relayed one.
//!
//! The dialler opens a signalling stream over a relayed connection to the other; the two swap
//! session descriptions and candidates ([`signal`]); the browsers connect, and each stream is a
//! data channel ([`framing`], [`closing`]). There is no Noise handshake: the relayed connection
//! has proved who the other is, and the descriptions that came over it carry the fingerprints of
//! the certificates. When the direct connection stands the relayed one is closed.
//!
//! The same kind of connection leads to a server, without any relay: [`direct`].

mod address;
pub mod closing;
pub mod direct;
pub mod flow;
pub mod framing;
pub mod limits;
mod proto;
pub mod signal;
pub mod tie;

#[cfg(target_arch = "wasm32")]
mod connection;
#[cfg(target_arch = "wasm32")]
mod negotiate;
#[cfg(target_arch = "wasm32")]
mod private;
#[cfg(target_arch = "wasm32")]
mod stream;
#[cfg(all(test, target_arch = "wasm32"))]
pub(crate) mod tests;

pub use address::{Target, is_direct, is_relayed, is_webrtc, webrtc_of};
#[cfg(target_arch = "wasm32")]
pub use connection::{Closer, Connection, Lost};
#[cfg(target_arch = "wasm32")]
pub use negotiate::NegotiationError;
#[cfg(target_arch = "wasm32")]
pub use private::{Behaviour, DialError, Transport, new};
pub use proto::ProtoError;
#[cfg(target_arch = "wasm32")]
pub use stream::Stream;

/// How connections are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// STUN and TURN servers; none are needed where both browsers see each other's addresses.
    pub ice_servers: Vec<IceServer>,
}

/// A server that helps two browsers to find a path: an `RTCIceServer`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:host:port`, `turn:host:port?transport=udp` and the like.
    pub urls: Vec<String>,
    /// For TURN.
    pub username: Option<String>,
    /// For TURN.
    pub credential: Option<String>,
}

/// This browser, or this place in it (a worker has none), makes no WebRTC connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this browser has no RTCPeerConnection here")]
pub struct Unsupported;
