//! Multihashes: what bytes hash to, and by which function.

use std::{cmp::Ordering, fmt, sync::Arc};

use blake2::{
    Blake2bVar,
    digest::{Update as _, VariableOutput as _},
};
use multibase::Base;
use sha2::{Digest as _, Sha256, Sha512};

use crate::{CidError, blake3, code, varint};

/// The most bytes that an identity multihash may carry (boxo `verifcid`).
pub const MAX_IDENTITY: usize = 128;
/// The longest digest of a real hash: 512 bits.
const MAX_DIGEST: usize = 64;
/// The shortest digest of a real hash that names content safely: 160 bits (boxo `verifcid`).
const MIN_DIGEST: usize = 20;

/// A hash function's number and the digest it gave.
///
/// At most 64 bytes of digest, or [`MAX_IDENTITY`] for the identity "hash". A SHA-256 digest is
/// held in place; others are shared when cloned.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Multihash(Repr);

/// Invariant: a whole SHA-256 digest is always `Sha256`, so that equal hashes compare equal.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Sha256([u8; 32]),
    Other { code: u64, digest: Arc<[u8]> },
}

impl Multihash {
    /// A multihash of these parts; refused when the length cannot be the function's.
    pub fn new(code: u64, digest: &[u8]) -> Result<Self, CidError> {
        let most = match code {
            code::IDENTITY => MAX_IDENTITY,
            code::SHA2_256 | code::DBL_SHA2_256 => 32,
            code::BLAKE2B_MIN..=code::BLAKE2B_MAX => (code - code::BLAKE2B_MIN) as usize + 1,
            _ => MAX_DIGEST,
        };
        if digest.len() > most {
            return Err(CidError::DigestLength { code, len: digest.len() as u64 });
        }
        Ok(Self(match <[u8; 32]>::try_from(digest) {
            Ok(digest) if code == code::SHA2_256 => Repr::Sha256(digest),
            _ => Repr::Other { code, digest: digest.into() },
        }))
    }

    /// A SHA-256 digest that was computed elsewhere.
    pub const fn from_sha256(digest: [u8; 32]) -> Self {
        Self(Repr::Sha256(digest))
    }

    /// Hashes `bytes`; the digest has the function's usual length. Errors: `Unsupported`, and
    /// `DigestLength` for identity.
    pub fn hash(code: u64, bytes: &[u8]) -> Result<Self, CidError> {
        match code {
            code::SHA2_256 => Ok(Self::from_sha256(Sha256::digest(bytes).into())),
            code::IDENTITY => Self::new(code, bytes),
            _ => {
                let output = Output::of(code, bytes)?;
                Self::new(code, &output.bytes[..output.usual])
            }
        }
    }

    /// As [`hash`](Self::hash), with a digest of `len` bytes: the function may give more or fewer
    /// than usual. `DigestLength` where it cannot.
    pub fn hash_to(code: u64, len: usize, bytes: &[u8]) -> Result<Self, CidError> {
        let wrong = CidError::DigestLength { code, len: len as u64 };
        if code == code::IDENTITY {
            return if len == bytes.len() { Self::new(code, bytes) } else { Err(wrong) };
        }
        let output = Output::of(code, bytes)?;
        if len > output.most { Err(wrong) } else { Self::new(code, &output.bytes[..len]) }
    }

    /// The hash function's number.
    pub const fn code(&self) -> u64 {
        match self.0 {
            Repr::Sha256(_) => code::SHA2_256,
            Repr::Other { code, .. } => code,
        }
    }

    /// The digest alone.
    pub fn digest(&self) -> &[u8] {
        match &self.0 {
            Repr::Sha256(digest) => digest,
            Repr::Other { digest, .. } => digest,
        }
    }

    /// Whether `bytes` hash to this. Errors: those of [`check`](Self::check).
    pub fn matches(&self, bytes: &[u8]) -> Result<bool, CidError> {
        self.check()?;
        if self.code() == code::IDENTITY {
            return Ok(self.digest() == bytes);
        }
        // a digest may be a hash's beginning: at least 160 bits of it, as `check` has seen
        let (code, digest) = (self.code(), self.digest());
        match Output::of(code, bytes)? {
            Output { most, .. } if digest.len() > most => Ok(false),
            output => Ok(output.bytes.starts_with(digest)),
        }
    }

    /// Whether content can be verified by this hash at all: `Insecure` where it would prove
    /// nothing, `Unsupported` where this crate does not compute it.
    pub fn check(&self) -> Result<(), CidError> {
        let (code, len) = (self.code(), self.digest().len());
        if !is_secure(code) || (code != code::IDENTITY && len < MIN_DIGEST) {
            return Err(CidError::Insecure { code, len });
        }
        match code == code::IDENTITY || is_computed(code) {
            true => Ok(()),
            false => Err(CidError::Unsupported(code)),
        }
    }

    /// `code`, length, digest.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.digest().len());
        self.write(&mut out);
        out
    }

    /// The reverse of [`to_bytes`](Self::to_bytes), of all of `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        let (hash, used) = Self::read(bytes)?;
        if used < bytes.len() { Err(CidError::Trailing(bytes.len() - used)) } else { Ok(hash) }
    }

    /// Reads the multihash that `bytes` begin with; gives it and its length.
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), CidError> {
        let (code, first) = varint::read(bytes)?;
        let (len, second) = varint::read(&bytes[first..])?;
        if len > MAX_IDENTITY as u64 {
            return Err(CidError::DigestLength { code, len });
        }
        let start = first + second;
        let end = start + len as usize;
        let digest = bytes.get(start..end).ok_or(CidError::Truncated)?;
        Ok((Self::new(code, digest)?, end))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        varint::write(self.code(), out);
        varint::write(self.digest().len() as u64, out);
        out.extend_from_slice(self.digest());
    }
}

impl Ord for Multihash {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.code(), self.digest()).cmp(&(other.code(), other.digest()))
    }
}

impl PartialOrd for Multihash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Multihash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Multihash({})", multibase::encode(Base::Base58Btc, self.to_bytes()))
    }
}

/// What a function gives for some bytes, zeros behind it.
struct Output {
    bytes: [u8; MAX_DIGEST],
    /// The length of a digest where nobody says otherwise.
    usual: usize,
    /// The longest digest that it gives.
    most: usize,
}

impl Output {
    fn of(code: u64, bytes: &[u8]) -> Result<Self, CidError> {
        let mut out = Self { bytes: [0; MAX_DIGEST], usual: 32, most: 32 };
        match code {
            code::SHA2_256 => out.bytes[..32].copy_from_slice(&Sha256::digest(bytes)),
            code::DBL_SHA2_256 => {
                out.bytes[..32].copy_from_slice(&Sha256::digest(Sha256::digest(bytes)));
            }
            code::SHA2_512 => {
                out.bytes.copy_from_slice(&Sha512::digest(bytes));
                (out.usual, out.most) = (64, 64);
            }
            code::BLAKE3 => {
                out.bytes = blake3::hash(bytes);
                out.most = MAX_DIGEST;
            }
            code::BLAKE2B_MIN..=code::BLAKE2B_MAX => {
                let len = (code - code::BLAKE2B_MIN) as usize + 1;
                let unsupported = |_| CidError::Unsupported(code);
                let mut hasher = Blake2bVar::new(len).map_err(unsupported)?;
                hasher.update(bytes);
                hasher
                    .finalize_variable(&mut out.bytes[..len])
                    .map_err(|_| CidError::Unsupported(code))?;
                (out.usual, out.most) = (len, len);
            }
            _ => return Err(CidError::Unsupported(code)),
        }
        Ok(out)
    }
}

/// The functions that [`Output::of`] knows.
const fn is_computed(code: u64) -> bool {
    matches!(
        code,
        code::SHA2_256 | code::SHA2_512 | code::DBL_SHA2_256 | code::BLAKE3 | code::BLAKE2B_MIN
            ..=code::BLAKE2B_MAX
    )
}

/// The functions that IPFS trusts to name content (the default list of boxo `verifcid`).
fn is_secure(code: u64) -> bool {
    matches!(code,
        code::IDENTITY | code::SHA1 | code::SHA2_256 | code::SHA2_512
        | 0x14..=0x17 // sha3
        | 0x19 // shake-256
        | 0x1a..=0x1d // keccak
        | code::BLAKE3
        | code::DBL_SHA2_256
        | 0xb214..=code::BLAKE2B_MAX // blake2b from 160 bits on
        | 0xb254..=0xb260 // blake2s from 160 bits on
    )
}
