//! Errors as a code for programs and a message for people.

use avocet_dag::{BlockError, CidError, Classify, ErrorKind, codec::EncodeError};
use wasm_bindgen::JsValue;

use super::object::object;
use crate::{
    fetch::FetchError,
    files::{CarImportError, FileError, ImportError},
    net::ConnectError,
    peer::StartError,
    store::StoreError,
};

/// What JavaScript is told. The codes are those of the npm package's documentation.
pub struct Failure {
    code: &'static str,
    message: String,
}

impl Failure {
    /// A failure of this code.
    pub fn new(code: &'static str, error: impl ToString) -> Self {
        Self { code, message: error.to_string() }
    }

    /// The same, of a part of what was given.
    pub fn within(self, part: &str) -> Self {
        Self { message: format!("{part}: {}", self.message), ..self }
    }

    /// A call that was ended from outside: whoever did it does not look at this.
    pub fn cancelled() -> Self {
        Self::new("STOPPED", "the call was cancelled")
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        object([("code", failure.code.into()), ("message", failure.message.into())])
    }
}

/// Each kind of error's code.
trait Code {
    fn code(&self) -> &'static str;
}

macro_rules! failures {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.code(), error)
            }
        }
    )*};
}

failures!(
    BlockError,
    CarImportError,
    CidError,
    ConnectError,
    EncodeError,
    FetchError,
    FileError,
    ImportError,
    StartError,
    StoreError
);

/// For errors of the content.
fn of_kind(error: &impl Classify) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidCid => "INVALID_CID",
        ErrorKind::InvalidPath => "INVALID_PATH",
        ErrorKind::InvalidOption => "INVALID_OPTION",
        ErrorKind::NotFound => "NOT_FOUND",
        ErrorKind::NotAFile => "NOT_A_FILE",
        ErrorKind::NotADirectory => "NOT_A_DIRECTORY",
        ErrorKind::Corrupt => "CORRUPT",
        ErrorKind::Limit => "LIMIT",
        ErrorKind::Unsupported => "UNSUPPORTED",
        ErrorKind::Misuse => "INTERNAL",
    }
}

impl Code for BlockError {
    fn code(&self) -> &'static str {
        of_kind(self)
    }
}

impl Code for CidError {
    fn code(&self) -> &'static str {
        of_kind(self)
    }
}

impl Code for EncodeError {
    fn code(&self) -> &'static str {
        of_kind(self)
    }
}

impl Code for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Quota { .. } => "QUOTA",
            // Asked to remove what must stay: the caller's mistake.
            Self::Pinned { .. } | Self::InUse { .. } => "INVALID_OPTION",
            Self::NameTooLong(_) | Self::TooManyDrafts(_) | Self::NoSlot { .. } => "LIMIT",
            _ => "STORAGE",
        }
    }
}

impl Code for FetchError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Offline(_) => "OFFLINE",
            Self::Busy(_) => "LIMIT",
            Self::Unsupported { .. } => "UNSUPPORTED",
            Self::Stopped => "STOPPED",
        }
    }
}

impl Code for FileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Path(error) => of_kind(error),
            Self::Resolve(error) => of_kind(error),
            Self::Fetch(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Read(error) => of_kind(error),
            Self::Directory(error) => of_kind(error),
            Self::Codec(error) => of_kind(error),
            Self::Walk(error) => of_kind(error),
            Self::Archive(error) => of_kind(error),
            Self::Names(_) | Self::Opaque(_) => "UNSUPPORTED",
            Self::Stuck => "INTERNAL",
        }
    }
}

impl Code for ImportError {
    fn code(&self) -> &'static str {
        match self {
            Self::Source(_) => "NOT_FOUND",
            Self::Directory(error) => of_kind(error),
            Self::Options(error) => of_kind(error),
            Self::File { source, .. } => of_kind(source),
            Self::Store(error) => error.code(),
            Self::NotOne => "INTERNAL",
        }
    }
}

impl Code for CarImportError {
    fn code(&self) -> &'static str {
        match self {
            Self::Source(_) => "NOT_FOUND",
            // As an archive that was cut short is.
            Self::Incomplete { .. } => "CORRUPT",
            Self::Archive { source, .. } => match of_kind(source) {
                // A CID that is none makes the archive damaged, and is no mistake of the caller.
                "INVALID_CID" => "CORRUPT",
                code => code,
            },
            Self::TooManyRoots(_) => "LIMIT",
            Self::File(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

impl Code for ConnectError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoPeerId(_) | Self::Ourselves(_) | Self::NoUsableAddress(_) => "INVALID_ADDR",
            Self::TooManyDials(_) => "LIMIT",
            Self::Failed { .. } => "UNREACHABLE",
            Self::Stopped => "STOPPED",
        }
    }
}

impl Code for StartError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Addr(error) => error.code(),
            Self::Medium(_) => "UNSUPPORTED",
            Self::Key(_) => "STORAGE",
        }
    }
}
