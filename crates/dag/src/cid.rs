//! Content identifiers: what a block is called.

use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};

use multibase::Base;
use sha2::{Digest as _, Sha256};

use crate::{
    code,
    varint::{self, VarintError},
};

/// The longest CID in bytes; what Kubo's Bitswap takes from the wire.
pub const MAX_CID: usize = 168;
/// The most bytes that an identity multihash may carry (boxo `verifcid`).
pub const MAX_IDENTITY: usize = 128;
/// The longest digest of a real hash: 512 bits.
const MAX_DIGEST: usize = 64;
/// The shortest digest of a real hash that names content safely: 160 bits (boxo `verifcid`).
const MIN_DIGEST: usize = 20;
/// The longest text of a CID: base 2 writes eight characters a byte, after the base's own.
const MAX_TEXT: usize = 4 + 8 * MAX_CID;

/// Why bytes or text are no CID, or not one that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidError {
    /// There is nothing.
    #[error("the CID is empty")]
    Empty,
    /// More than [`MAX_CID`] bytes, or more text than they could need.
    #[error("the CID is too long: {MAX_CID} bytes are the most")]
    TooLong,
    /// A number inside is malformed.
    #[error("malformed CID: {0}")]
    Varint(#[from] VarintError),
    /// Neither version 0 nor version 1.
    #[error("unexpected CID version ({0})")]
    Version(u64),
    /// The digest is shorter than its length says.
    #[error("the CID ends inside its digest")]
    Truncated,
    /// This many bytes follow the CID.
    #[error("{0} bytes follow the CID")]
    Trailing(usize),
    /// The digest's length does not fit its hash function.
    #[error("a digest of {len} bytes does not fit hash function {code:#x}")]
    DigestLength {
        /// The hash function.
        code: u64,
        /// The length that was claimed.
        len: u64,
    },
    /// The text is not in the base that its first character names.
    #[error("the text is not a CID: {0}")]
    Text(&'static str),
    /// Version 0 is DAG-PB under SHA-256 and nothing else, in base58btc without a prefix.
    #[error("CID version 0 is only for dag-pb with sha2-256")]
    Version0,
    /// A hash function, or a digest so short, that another content could be made to fit it.
    #[error("potentially insecure hash: function {code:#x} with a digest of {len} bytes")]
    Insecure {
        /// The hash function.
        code: u64,
        /// The digest's length.
        len: usize,
    },
    /// A good hash function that this crate does not compute.
    #[error("hash function {0:#x} is not supported")]
    Unsupported(u64),
}

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
            code::SHA2_256 => 32,
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

    /// Hashes `bytes`. Errors: `Unsupported`, and `DigestLength` for identity.
    pub fn hash(code: u64, bytes: &[u8]) -> Result<Self, CidError> {
        match code {
            code::SHA2_256 => Ok(Self::from_sha256(Sha256::digest(bytes).into())),
            code::IDENTITY => Self::new(code, bytes),
            _ => Err(CidError::Unsupported(code)),
        }
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
        Ok(Self::hash(self.code(), bytes)?.digest().starts_with(self.digest()))
    }

    /// Whether content can be verified by this hash at all: `Insecure` where it would prove
    /// nothing, `Unsupported` where this crate does not compute it.
    pub fn check(&self) -> Result<(), CidError> {
        let (code, len) = (self.code(), self.digest().len());
        if !is_secure(code) || (code != code::IDENTITY && len < MIN_DIGEST) {
            return Err(CidError::Insecure { code, len });
        }
        match code {
            code::SHA2_256 | code::IDENTITY => Ok(()),
            _ => Err(CidError::Unsupported(code)),
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

    fn write(&self, out: &mut Vec<u8>) {
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

/// The functions that IPFS trusts to name content (the default list of boxo `verifcid`).
fn is_secure(code: u64) -> bool {
    matches!(code,
        code::IDENTITY | code::SHA1 | code::SHA2_256 | code::SHA2_512
        | 0x14..=0x17 // sha3
        | 0x19 // shake-256
        | 0x1a..=0x1d // keccak
        | code::BLAKE3
        | 0x56 // dbl-sha2-256
        | 0xb214..=0xb240 // blake2b from 160 bits on
        | 0xb254..=0xb260 // blake2s from 160 bits on
    )
}

/// The version of a CID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// A bare SHA-256 multihash of a DAG-PB block.
    V0,
    /// Version, codec, multihash.
    V1,
}

/// A content identifier: which codec the bytes are in, and what they hash to.
///
/// Any CID that is well-formed can be held, printed and compared, whatever its hash function:
/// a directory may link to what this crate cannot verify. [`check`](Self::check) says whether
/// content can be verified by it; no [`Block`](crate::Block) exists that did not pass it. Text
/// is what people paste, so [`FromStr`] refuses insecure hashes at once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    version: Version,
    codec: u64,
    hash: Multihash,
}

impl Cid {
    /// Version 0. `Version0` unless the hash is a whole SHA-256.
    pub fn new_v0(hash: Multihash) -> Result<Self, CidError> {
        match hash.0 {
            Repr::Sha256(_) => Ok(Self { version: Version::V0, codec: code::DAG_PB, hash }),
            Repr::Other { .. } => Err(CidError::Version0),
        }
    }

    /// Version 1.
    pub const fn new_v1(codec: u64, hash: Multihash) -> Self {
        Self { version: Version::V1, codec, hash }
    }

    /// Either version. `Version0` when version 0 cannot say this.
    pub fn new(version: Version, codec: u64, hash: Multihash) -> Result<Self, CidError> {
        match version {
            Version::V0 if codec != code::DAG_PB => Err(CidError::Version0),
            Version::V0 => Self::new_v0(hash),
            Version::V1 => Ok(Self::new_v1(codec, hash)),
        }
    }

    /// The version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The multicodec number of the content's codec, as in [`code`].
    pub const fn codec(&self) -> u64 {
        self.codec
    }

    /// The hash: what blocks are stored under.
    pub const fn hash(&self) -> &Multihash {
        &self.hash
    }

    /// Whether content can be verified by this CID: see [`Multihash::check`].
    pub fn check(&self) -> Result<(), CidError> {
        self.hash.check()
    }

    /// The content itself when the CID carries it (identity "hash").
    pub fn inline(&self) -> Option<&[u8]> {
        (self.hash.code() == code::IDENTITY).then(|| self.hash.digest())
    }

    /// The binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        if self.version == Version::V1 {
            varint::write(1, &mut out);
            varint::write(self.codec, &mut out);
        }
        self.hash.write(&mut out);
        out
    }

    /// How many bytes [`to_bytes`](Self::to_bytes) gives.
    pub fn encoded_len(&self) -> usize {
        let digest = self.hash.digest().len();
        let head = match self.version {
            Version::V0 => 0,
            Version::V1 => 1 + varint::len(self.codec),
        };
        head + varint::len(self.hash.code()) + varint::len(digest as u64) + digest
    }

    /// The reverse of [`to_bytes`](Self::to_bytes), of all of `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        if bytes.len() > MAX_CID {
            return Err(CidError::TooLong);
        }
        let (cid, used) = Self::read(bytes)?;
        if used < bytes.len() { Err(CidError::Trailing(bytes.len() - used)) } else { Ok(cid) }
    }

    /// Reads the CID that `bytes` begin with; gives it and its length.
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), CidError> {
        if bytes.is_empty() {
            return Err(CidError::Empty);
        }
        if bytes.starts_with(&[code::SHA2_256 as u8, 32]) {
            let (hash, used) = Multihash::read(bytes)?;
            return Ok((Self::new_v0(hash)?, used));
        }
        let (version, first) = varint::read(bytes)?;
        if version != 1 {
            return Err(CidError::Version(version));
        }
        let (codec, second) = varint::read(&bytes[first..])?;
        let (hash, third) = Multihash::read(&bytes[first + second..])?;
        let used = first + second + third;
        if used > MAX_CID { Err(CidError::TooLong) } else { Ok((Self::new_v1(codec, hash), used)) }
    }

    /// The CID without its digest, as Bitswap sends it with a block.
    pub fn prefix(&self) -> Vec<u8> {
        let numbers = [
            u64::from(self.version == Version::V1),
            self.codec,
            self.hash.code(),
            self.hash.digest().len() as u64,
        ];
        let mut out = Vec::with_capacity(8);
        numbers.into_iter().for_each(|number| varint::write(number, &mut out));
        out
    }

    /// Version 1 of the same content, as everything that is shown together is compared by.
    pub fn to_v1(&self) -> Self {
        Self::new_v1(self.codec, self.hash.clone())
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self.version {
            Version::V0 => Base::Base58Btc.encode(self.to_bytes()),
            Version::V1 => multibase::encode(Base::Base32Lower, self.to_bytes()),
        })
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cid({self})")
    }
}

impl FromStr for Cid {
    type Err = CidError;

    /// Version 0 in base58btc, version 1 in any multibase. Insecure hashes are refused.
    fn from_str(text: &str) -> Result<Self, CidError> {
        if text.len() > MAX_TEXT {
            return Err(CidError::TooLong);
        }
        // 34 bytes that begin with 0x12 0x20 are 46 characters that begin with "Qm"
        let cid = if text.len() == 46 && text.starts_with("Qm") {
            let bytes = Base::Base58Btc.decode(text);
            Self::from_bytes(&bytes.map_err(|_| CidError::Text("it is not base58btc"))?)?
        } else {
            Self::from_multibase(text)?
        };
        match cid.check() {
            Err(insecure @ CidError::Insecure { .. }) => Err(insecure),
            _ => Ok(cid),
        }
    }
}

impl Cid {
    fn from_multibase(text: &str) -> Result<Self, CidError> {
        let first = text.chars().next().ok_or(CidError::Empty)?;
        // the decoder takes either case; the multibase table does not
        let wrong_case = match first {
            'f' | 'v' | 't' | 'b' | 'c' | 'k' | 'h' => text.contains(|c: char| c.is_uppercase()),
            'F' | 'V' | 'T' | 'B' | 'C' | 'K' => text.contains(|c: char| c.is_lowercase()),
            _ => false,
        };
        if wrong_case {
            return Err(CidError::Text("upper and lower case are mixed"));
        }
        let (_, bytes) = multibase::decode(text)
            .map_err(|_| CidError::Text("it is in no base that its first character names"))?;
        let cid = Self::from_bytes(&bytes)?;
        if cid.version == Version::V0 {
            return Err(CidError::Version0); // version 0 takes no multibase prefix
        }
        Ok(cid)
    }
}

/// A CID without its digest: what comes before a block in a Bitswap message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// The version.
    pub version: Version,
    /// The codec's number.
    pub codec: u64,
    /// The hash function's number.
    pub hash: u64,
    /// The digest's length in bytes; may cut a hash short.
    pub digest_len: usize,
}

impl Prefix {
    /// Reads four varints and nothing more; whatever they are, nothing is allocated.
    pub fn parse(bytes: &[u8]) -> Result<Self, CidError> {
        let mut rest = bytes;
        let mut next = || -> Result<u64, CidError> {
            let (number, used) = varint::read(rest)?;
            rest = &rest[used..];
            Ok(number)
        };
        let (version, codec, hash, len) = (next()?, next()?, next()?, next()?);
        if !rest.is_empty() {
            return Err(CidError::Trailing(rest.len()));
        }
        let version = match version {
            0 => Version::V0,
            1 => Version::V1,
            other => return Err(CidError::Version(other)),
        };
        match usize::try_from(len) {
            Ok(digest_len) if digest_len <= MAX_IDENTITY => {
                Ok(Self { version, codec, hash, digest_len })
            }
            _ => Err(CidError::DigestLength { code: hash, len }),
        }
    }

    /// The CID that `bytes` have under this prefix: the digest is computed, never claimed.
    pub fn cid(&self, bytes: &[u8]) -> Result<Cid, CidError> {
        let whole = Multihash::hash(self.hash, bytes)?;
        let digest = whole.digest().get(..self.digest_len);
        let wrong = CidError::DigestLength { code: self.hash, len: self.digest_len as u64 };
        let hash = match digest {
            Some(_) if self.hash == code::IDENTITY && self.digest_len != bytes.len() => {
                return Err(wrong);
            }
            Some(digest) => Multihash::new(self.hash, digest)?,
            None => return Err(wrong),
        };
        let cid = Cid::new(self.version, self.codec, hash)?;
        cid.check()?;
        Ok(cid)
    }
}
