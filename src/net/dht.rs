//! The DHT's client: finds who has what, and tells who we are to those that others ask (specification: Kademlia DHT).
//!
//! Our own and a client only: a tab needs three kinds of request and holds nothing for others, and libp2p's Kademlia,
//! which does all, is a tenth of what the page loads. It dials servers of its own accord, by addresses that strangers
//! named; those pass the same policy as every other dial ([`super::dial::rank`]).
//!
//! `wire` is the messages, `lookup` the way to the servers closest to a key, `servers` where it begins; all three are
//! pure. `client` has the queries, `calls` takes their requests to connections, `handler` over one of them.

mod behaviour;
mod calls;
mod client;
mod handler;
mod lookup;
mod servers;
mod wire;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;

pub use client::Dht;
pub use wire::Contact;

use libp2p::StreamProtocol;

/// The public network's DHT.
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/ipfs/kad/1.0.0");
/// Keys that one tab provides at the most: 1000 entries a root (the JavaScript contract) for some tens of roots.
pub const MAX_PROVIDED: usize = 65_536;

/// Names a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueryId(u64);

/// What comes of queries.
#[derive(Debug)]
pub enum Event {
    /// These have what was asked for. One may be told again by another server.
    Providers(QueryId, Vec<Contact>),
    /// Nothing more comes. How many servers were told, where that was the query.
    Ended(QueryId, usize),
}
