//! The multicodec numbers that this crate names, from the multiformats code table.

/// Bytes as they are: no links.
pub const RAW: u64 = 0x55;
/// The protobuf node of UnixFS.
pub const DAG_PB: u64 = 0x70;
/// CBOR with links.
pub const DAG_CBOR: u64 = 0x71;
/// A libp2p public key: the codec of an IPNS name.
pub const LIBP2P_KEY: u64 = 0x72;
/// JSON with links.
pub const DAG_JSON: u64 = 0x0129;

/// The "hash" whose digest is the content itself.
pub const IDENTITY: u64 = 0x00;
/// SHA-1: known, not computed.
pub const SHA1: u64 = 0x11;
/// SHA-256.
pub const SHA2_256: u64 = 0x12;
/// SHA-512.
pub const SHA2_512: u64 = 0x13;
/// SHA-256 of the SHA-256.
pub const DBL_SHA2_256: u64 = 0x56;
/// BLAKE3, 32 bytes by default.
pub const BLAKE3: u64 = 0x1e;
/// BLAKE2b with a digest of one byte: the next number means one byte more, and so on.
pub const BLAKE2B_MIN: u64 = 0xb201;
/// BLAKE2b with a digest of 32 bytes.
pub const BLAKE2B_256: u64 = 0xb220;
/// BLAKE2b with a digest of 64 bytes, the most.
pub const BLAKE2B_MAX: u64 = 0xb240;
