//! Content identifiers: what a block is called.

use std::{fmt, str::FromStr};

use multibase::Base;

use crate::{
    Multihash, code,
    varint::{self, VarintError},
};

/// The longest CID in bytes; what Kubo's Bitswap takes from the wire.
pub const MAX_CID: usize = 168;
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
        match hash.code() == code::SHA2_256 && hash.digest().len() == 32 {
            true => Ok(Self { version: Version::V0, codec: code::DAG_PB, hash }),
            false => Err(CidError::Version0),
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
        let cid = Self::from_text(text)?;
        match cid.check() {
            Err(insecure @ CidError::Insecure { .. }) => Err(insecure),
            _ => Ok(cid),
        }
    }
}

impl Cid {
    /// As [`FromStr`], of any hash function: the text of a link that is only kept.
    pub(crate) fn from_text(text: &str) -> Result<Self, CidError> {
        if text.len() > MAX_TEXT {
            return Err(CidError::TooLong);
        }
        // 34 bytes that begin with 0x12 0x20 are 46 characters that begin with "Qm"
        if text.len() == 46 && text.starts_with("Qm") {
            let bytes = Base::Base58Btc.decode(text);
            return Self::from_bytes(&bytes.map_err(|_| CidError::Text("it is not base58btc"))?);
        }
        Self::from_multibase(text)
    }

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
