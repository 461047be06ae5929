//! Every bound of the relay, each with its reason.
//!
//! The whole is sized for one process with the usual 1024 open files: connections of peers,
//! connections of page visitors, and a reserve for the listeners, the key and the page's files.

use std::time::Duration;

/// Connections of peers, all together: three quarters of the usual 1024 open files.
pub const CONNECTIONS: u32 = 768;

/// Connections of one peer. A tab has one; a tab that came back after a cut has a second one until
/// the first is noticed to be dead; the rest is for peers that share a key.
pub const CONNECTIONS_PER_PEER: u32 = 8;

/// Connections from one address. A school or an office is one address; loopback is exempt, since a
/// proxy in front of the relay makes all the world come from there.
pub const CONNECTIONS_PER_IP: u32 = 128;

/// Connections that have not yet said who they are: what `CONNECTIONS_PER_IP` browsers that open
/// the page at the same moment need.
pub const PENDING: u32 = 128;

/// How long a connection may take to say who it is (noise and yamux, three round trips).
pub const HANDSHAKE: Duration = Duration::from_secs(15);

/// How long a connection without a reservation, a circuit or a stream stays: time for the next
/// question to the DHT, so that a tab need not dial anew for each.
pub const IDLE: Duration = Duration::from_secs(60);

/// Streams of one connection: 32 of Kademlia (its own bound), one circuit each of
/// `CIRCUITS_PER_PEER`, and identify, ping and reservations.
pub const STREAMS: usize = 64;

/// Streams of one connection that have not yet said what they are for.
pub const NEGOTIATING_STREAMS: usize = 32;

/// A WebSocket message. Noise frames are at most 64 KiB; some peers put several into one message.
pub const WEBSOCKET_MESSAGE: usize = 1024 * 1024;

/// A Kademlia message: 20 peers with eight addresses each of about 100 bytes (`ADDRESSES_PER_PEER`).
pub const KAD_MESSAGE: usize = 16 * 1024;

/// How many providers of one key are given out: Kademlia's k.
pub const PROVIDERS_PER_KEY: usize = 20;

/// A key of the DHT: a multihash of at most 64 bytes, or a CID around it, and room to spare.
pub const KEY_BYTES: usize = 128;

/// Keys that one peer may provide: the roots and the first 1000 entries each of eight folders.
pub const KEYS_PER_PEER: usize = 8192;

/// Provider records, all together. About 250 bytes each, so 64 MiB.
pub const RECORDS: usize = 256 * 1024;

/// Peers of which records are kept: a day's visitors at twenty times `CONNECTIONS`.
pub const PROVIDERS: usize = 16 * 1024;

/// Addresses kept of one provider, the first it sent; js-libp2p sends at most about as many.
pub const ADDRESSES_PER_PEER: usize = 8;

/// An address. `/dns4/<name>/tcp/443/wss/p2p/<id>/p2p-circuit/webrtc/p2p/<id>` has 160 bytes with a
/// name of 40; a name has at most 255.
pub const ADDRESS_BYTES: usize = 384;

/// How long a provider record is believed. Peers say it again every 12 hours (the habit of Kademlia's
/// implementations), so that one miss is forgiven.
pub const RECORD_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Reservations: every connection may have one.
pub const RESERVATIONS: usize = CONNECTIONS as usize;

/// Reservations of one peer: one for each of its connections.
pub const RESERVATIONS_PER_PEER: usize = CONNECTIONS_PER_PEER as usize;

/// How long a reservation lasts; peers renew it by themselves. The default of rust-libp2p.
pub const RESERVATION: Duration = Duration::from_secs(60 * 60);

/// Circuits at one moment. One lasts from the dial to the direct connection, a second or two.
pub const CIRCUITS: usize = 512;

/// Circuits of one peer: a tab dials about ten providers at once (`CIRCUITS_PER_PEER` has room for
/// those that others leave open for the whole two minutes).
pub const CIRCUITS_PER_PEER: usize = 24;

/// Bytes through one circuit: what signalling and identify need, and too few for files. The same in
/// js-libp2p, go-libp2p and rust-libp2p.
pub const CIRCUIT_BYTES: u64 = 128 * 1024;

/// How long a circuit lasts. The same in js-libp2p, go-libp2p and rust-libp2p.
pub const CIRCUIT: Duration = Duration::from_secs(2 * 60);

/// Reservations of one peer at once, and one more every `RESERVATION_EVERY`: reloads of a page, and
/// tabs that come back with a backoff of 0.5 s to 15 s after a cut.
pub const RESERVATION_BURST: u32 = 60;
/// See [`RESERVATION_BURST`].
pub const RESERVATION_EVERY: Duration = Duration::from_secs(10);

/// Circuits from one peer at once, and one more every `CIRCUIT_EVERY`: the first dials of a folder
/// with many holders.
pub const CIRCUIT_BURST: u32 = 120;
/// See [`CIRCUIT_BURST`].
pub const CIRCUIT_EVERY: Duration = Duration::from_secs(2);

/// Connections of page visitors: what `CONNECTIONS` leaves of the open files, less a reserve. A
/// browser opens six.
pub const VISITORS: usize = 192;

/// How long a visitor may take to send a request's head: slower ones are cut, so that a few idle
/// connections cannot hold all places.
pub const REQUEST_HEAD: Duration = Duration::from_secs(10);

/// How long an answer may take to begin; all of them come from memory or a local file.
pub const ANSWER: Duration = Duration::from_secs(30);

/// The head of a request: the browsers' own bound on what they send is about this.
pub const REQUEST_HEAD_BYTES: usize = 16 * 1024;

/// The body of a request: there is nothing to send here.
pub const REQUEST_BODY_BYTES: usize = 1024;

/// How long answers under way may take when the relay is told to end.
pub const FAREWELL: Duration = Duration::from_secs(2);
