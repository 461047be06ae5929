//! `/webrtc-direct`: from a browser to a server that has no certificate a browser would trust. The
//! address names the server's certificate by its hash instead.
//!
//! There is no signalling. The browser makes up the server's answer from the address ([`sdp`]),
//! and the server makes up the browser's offer from the first STUN request, in which the answer's
//! user name comes back to it. Who is who a Noise handshake says, on a data channel that both
//! agreed on beforehand and bound to both certificates; the server begins it. From there on the
//! connection is one as between browsers.
//!
//! The specification (libp2p/specs, `webrtc/webrtc-direct.md`) has two versions, told apart by the
//! server from that user name. In the first the browser rewrites its own offer, which Chromium has
//! announced to refuse; the second does without, and older servers do not answer it. An address
//! does not say what its server speaks, so both are tried ([`attempts`]).

pub mod address;
pub mod attempts;
#[cfg(target_arch = "wasm32")]
mod dial;
pub mod sdp;
#[cfg(target_arch = "wasm32")]
mod transport;

use std::time::Duration;

pub use address::{AddressError, Target};
#[cfg(target_arch = "wasm32")]
pub use dial::DialError;
#[cfg(target_arch = "wasm32")]
pub use transport::Transport;

/// How long a dial may take, with all its attempts. Browsers give an ICE check that nobody answers
/// 15 to 30 s.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// How long an attempt goes on alone before the next one joins it. A server at the other end of
/// the world, 300 ms there and back, has answered its first check three times by then; one that
/// does not know the second version never answers.
pub const HEAD_START: Duration = Duration::from_secs(1);
