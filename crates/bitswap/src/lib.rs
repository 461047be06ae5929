//! The exchange of blocks by Bitswap 1.2, as a value: events and the time in, actions out.
//!
//! An [`Engine`] asks peers for blocks (sessions, wants) and answers theirs (a ledger for each).
//! It opens no stream, reads no store, starts no timer and knows no clock. The calls, in order:
//!
//! 1. Connections: [`Engine::handle_connected`], [`Engine::handle_disconnected`]. Direct ones
//!    only; the exchange never runs over a relayed connection.
//! 2. For every message: [`wire::read_length`], [`Engine::handle_receiving`] as its bytes come,
//!    [`wire::decode`], each block hashed under the prefix that it came with, and
//!    [`Engine::handle_message`].
//! 3. Asking: [`Engine::open_session`], [`Engine::add_peer`], [`Engine::want`].
//! 4. After each of these, [`Engine::poll_action`] until it gives `None`, and a timer for
//!    [`Engine::poll_timeout`] that calls [`Engine::handle_timeout`].
//!
//! Peers that want of us what we want too are helped and help: see `client/gather.rs`.
//!
//! What it assumes: streams lose nothing while they stand; blocks that it is given are verified
//! ([`avocet_dag::Block`] has no other way to be made); peers are who they say they are.
//!
//! What is left out on purpose: finding and dialling peers ([`Action::NeedProviders`] asks for
//! it), storing blocks, debts between peers, and any broadcast of wants beyond finding a first
//! holder.

#![forbid(unsafe_code)]

mod candidate;
mod client;
mod engine;
mod events;
mod holders;
mod ledger;
mod lot;
mod member;
mod meter;
mod patience;
mod remote;
mod server;
mod session;
mod sorted;
mod wants;
pub mod wire;

pub use client::{MAX_WANTS, STRIKES, WantError};
pub use engine::{Engine, WRITE_STALL};
pub use events::{
    Action, CloseReason, Config, Incoming, Lane, Limits, Loaded, PeerStats, Stats, What,
};
pub use holders::FRESH;
pub use patience::{GIVE_UP, MIN_RATE, STALL, TRICKLE};
pub use remote::LATE;
pub use session::{MAX_MEMBERS, SessionId};
