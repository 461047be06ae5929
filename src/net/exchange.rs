//! Bitswap over direct connections: streams on one side, the sans-IO engine on the other.
//!
//! [`Exchange`] is what the rest of the peer holds; [`Behaviour`] carries out what the engine decides.
//! Both share the engine: everything here runs on one thread.

mod act;
mod behaviour;
mod core;
mod handler;
mod inbound;
mod outbound;
mod probe;
mod streams;

pub use self::{
    behaviour::{Behaviour, Event},
    core::{Exchange, Stats, Want},
};
pub use avocet_bitswap::{Loaded as EngineLoaded, SessionId, What};

/// A block of ours, or its size, as the store has it.
pub type Loaded = EngineLoaded<crate::platform::Payload>;
