//! What sort of thing went wrong: the one question that callers ask of every error here.

use crate::{
    BlockError, CidError,
    car::{CarError, ExportError},
    codec::{CodecError, DecodeError, EncodeError, Fault, Unfit, pb::PbError},
    path::PathError,
    resolve::ResolveError,
    unixfs::{
        DirError, EditError, HamtError, ImportError, ListError, NodeError, OptionsError, ReadError,
    },
    walk::WalkError,
};

/// The sort of an error. Each error's own text names the thing that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Not a CID, or not one that may be trusted.
    InvalidCid,
    /// Not a path, or not one that may be followed.
    InvalidPath,
    /// An option has a value that it cannot have.
    InvalidOption,
    /// A directory has no such entry.
    NotFound,
    /// A file was needed and something else was there.
    NotAFile,
    /// A directory was needed and something else was there.
    NotADirectory,
    /// Bytes that break the rules of their format, or are not what their CID names.
    Corrupt,
    /// A documented bound was reached.
    Limit,
    /// Well-formed, but of a sort that this crate does not handle.
    Unsupported,
    /// The caller broke a rule of the call: a mistake in the program.
    Misuse,
}

/// An error of this crate that says of what sort it is.
pub trait Classify {
    /// The sort.
    fn kind(&self) -> ErrorKind;
}

impl Classify for CidError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsupported(_) => ErrorKind::Unsupported,
            _ => ErrorKind::InvalidCid,
        }
    }
}

impl Classify for BlockError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge(_) => ErrorKind::Limit,
            Self::Mismatch(_) => ErrorKind::Corrupt,
            Self::Cid(error) => error.kind(),
        }
    }
}

impl Classify for CodecError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Pb { source: PbError::TooMuch(_), .. } => ErrorKind::Limit,
            Self::Pb { .. } => ErrorKind::Corrupt,
            Self::Cbor { source, .. } | Self::Json { source, .. } => source.kind(),
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::NotInMemory(_) => ErrorKind::Misuse,
        }
    }
}

impl Classify for DecodeError {
    fn kind(&self) -> ErrorKind {
        match self.fault {
            Fault::TooDeep | Fault::TooMuch => ErrorKind::Limit,
            _ => ErrorKind::Corrupt,
        }
    }
}

impl Classify for EncodeError {
    fn kind(&self) -> ErrorKind {
        match self.fault {
            Unfit::TooDeep => ErrorKind::Limit,
            Unfit::Codec(_) => ErrorKind::Unsupported,
            _ => ErrorKind::InvalidOption,
        }
    }
}

impl Classify for PathError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Root { source, .. } => source.kind(),
            _ => ErrorKind::InvalidPath,
        }
    }
}

impl Classify for NodeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Codec(error) => error.kind(),
            Self::NotUnixfs { .. } => ErrorKind::Corrupt,
            Self::Hamt { source, .. } => source.kind(),
        }
    }
}

impl Classify for HamtError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::HashType(_) => ErrorKind::Unsupported,
            Self::TooDeep => ErrorKind::Limit,
            _ => ErrorKind::Corrupt,
        }
    }
}

impl Classify for ResolveError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::Missing { .. } => ErrorKind::NotFound,
            Self::NotADirectory { .. } | Self::Scalar { .. } => ErrorKind::NotADirectory,
            Self::Sharded { .. } => ErrorKind::Unsupported,
            Self::Link { source, .. } => source.kind(),
            Self::Node(error) => error.kind(),
        }
    }
}

impl Classify for ReadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotAFile { .. } => ErrorKind::NotAFile,
            Self::Link { source, .. } => source.kind(),
            Self::TooDeep { .. } | Self::TooMuchHeld { .. } => ErrorKind::Limit,
            Self::Node(error) => error.kind(),
            _ => ErrorKind::Corrupt,
        }
    }
}

impl Classify for OptionsError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidOption
    }
}

impl Classify for ImportError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Options(error) => error.kind(),
            Self::TooMuch => ErrorKind::Limit,
            Self::Single => ErrorKind::Misuse,
            Self::Block(error) => error.kind(),
        }
    }
}

impl Classify for DirError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name { .. } | Self::Duplicate { .. } => ErrorKind::InvalidPath,
            Self::TooDeep { .. } | Self::TooLarge { .. } | Self::Collision { .. } => {
                ErrorKind::Limit
            }
            Self::NotADirectory { .. } => ErrorKind::NotADirectory,
            Self::Sharded(_) => ErrorKind::Unsupported,
            Self::Options(error) => error.kind(),
            Self::Node(error) => error.kind(),
            Self::Block(error) => error.kind(),
        }
    }
}

impl Classify for ListError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotADirectory { .. } => ErrorKind::NotADirectory,
            Self::Link { source, .. } => source.kind(),
            Self::TooMany { .. } | Self::TooMuchHeld { .. } => ErrorKind::Limit,
            Self::Node(error) => error.kind(),
        }
    }
}

impl Classify for EditError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name { .. } | Self::Exists { .. } => ErrorKind::InvalidPath,
            Self::TooDeep { .. } | Self::TooMuchHeld { .. } => ErrorKind::Limit,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::NotADirectory { .. } => ErrorKind::NotADirectory,
            Self::Link { source, .. } => source.kind(),
            Self::Options(error) => error.kind(),
            Self::Directory(error) => error.kind(),
            Self::List(error) => error.kind(),
            Self::Node(error) => error.kind(),
        }
    }
}

impl Classify for WalkError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooMany(_) => ErrorKind::Limit,
            Self::Codec(error) => error.kind(),
        }
    }
}

impl Classify for CarError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge { .. } => ErrorKind::Limit,
            Self::Version { .. } => ErrorKind::Unsupported,
            Self::Block { source, .. } => source.kind(),
            Self::NotInMemory => ErrorKind::Misuse,
            _ => ErrorKind::Corrupt,
        }
    }
}

impl Classify for ExportError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Resolve(error) => error.kind(),
            Self::Codec(error) => error.kind(),
            Self::Node(error) => error.kind(),
            Self::Link { source, .. } => source.kind(),
            Self::Sizes { .. } => ErrorKind::Corrupt,
            Self::TooMany | Self::TooMuchHeld { .. } => ErrorKind::Limit,
        }
    }
}
