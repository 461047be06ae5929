//! Ed25519, in wasm without tables.
//!
//! Stands in for version 3 of the crate of the same name, by `[patch.crates-io]` of this workspace, and is its
//! version 2: the same signatures by the same authors. libp2p asks version 3 for its tables, and nobody can take a
//! feature back: multiples of the base point, 38 KB that no packer makes smaller. Without them three things take
//! longer: signing, which a tab does when it starts and when its addresses change; verifying, once for every peer that
//! is greeted; and making an X25519 key, for every handshake.

pub use published::{
    PUBLIC_KEY_LENGTH, SECRET_KEY_LENGTH, SIGNATURE_LENGTH, SecretKey, Signature, SignatureError,
    Signer, SigningKey, Verifier, VerifyingKey,
};
