//! Paths: a root and the names to follow from it.
//!
//! `/ipfs/<cid>/a/b`, `<cid>/a/b` and `ipfs://<cid>/a/b` are the same path, but for one thing:
//! only the URL form is percent-decoded (and loses its query and fragment). In the other two a
//! `%`, `?` or `#` is part of the name, as it is for Kubo's command line.
//!
//! One slash at the end is allowed. Names that are empty, `.`, `..` or that hold a slash or NUL
//! are refused in every form, decoded or not: nothing ever resolves out of its root.

use std::{fmt, str::FromStr};

use crate::{Cid, CidError};

/// The longest path in bytes; browsers stop at about as much for a URL.
pub const MAX_PATH: usize = 64 * 1024;
/// The most names in a path: each costs at least one block to follow.
pub const MAX_SEGMENTS: usize = 1024;

/// Why text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There is nothing, or nothing after `/ipfs/`.
    #[error("the path is empty")]
    Empty,
    /// It begins with a slash, but not with `/ipfs/` or `/ipns/`; or the URL has another scheme.
    #[error("a path begins with /ipfs/, /ipns/ or a CID, not with {0:?}")]
    Namespace(String),
    /// Its first part is not a CID.
    #[error("{text:?} is not a CID: {source}")]
    Root {
        /// What stood there, cut short if long.
        text: String,
        /// What is wrong with it.
        source: CidError,
    },
    /// A name that may not be followed.
    #[error("{0:?} is not a name to follow in a path")]
    Segment(String),
    /// A `%` without two hexadecimal digits after it, or bytes that are not UTF-8.
    #[error("{0:?} is not percent-encoded UTF-8")]
    Percent(String),
    /// More than [`MAX_PATH`] bytes or [`MAX_SEGMENTS`] names.
    #[error("the path is too long")]
    TooLong,
}

/// Where a path starts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Root {
    /// At content.
    Ipfs(Cid),
    /// At a name that has to be resolved first.
    Ipns(String),
}

/// A root and the names to follow from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    root: Root,
    segments: Vec<String>,
}

impl Path {
    /// Where it starts.
    pub const fn root(&self) -> &Root {
        &self.root
    }

    /// The names to follow, decoded.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Both parts.
    pub fn into_parts(self) -> (Root, Vec<String>) {
        (self.root, self.segments)
    }
}

impl From<Cid> for Path {
    fn from(cid: Cid) -> Self {
        Self { root: Root::Ipfs(cid), segments: Vec::new() }
    }
}

impl fmt::Display for Path {
    /// The form that begins with `/ipfs/` or `/ipns/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Root::Ipfs(cid) => write!(f, "/ipfs/{cid}")?,
            Root::Ipns(name) => write!(f, "/ipns/{name}")?,
        }
        self.segments.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.len() > MAX_PATH {
            return Err(PathError::TooLong);
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let rest = rest.split(['?', '#']).next().unwrap_or_default();
            return match scheme.to_ascii_lowercase().as_str() {
                "ipfs" => parse(rest, false, percent_decode),
                "ipns" => parse(rest, true, percent_decode),
                _ => Err(PathError::Namespace(shorten(text))),
            };
        }
        let plain = |segment: &str| Ok(segment.to_owned());
        match text.strip_prefix('/') {
            None => parse(text, false, plain),
            Some(rest) => match rest.split_once('/') {
                Some(("ipfs", rest)) => parse(rest, false, plain),
                Some(("ipns", rest)) => parse(rest, true, plain),
                _ => Err(PathError::Namespace(shorten(text))),
            },
        }
    }
}

fn parse(
    text: &str,
    ipns: bool,
    decode: impl Fn(&str) -> Result<String, PathError>,
) -> Result<Path, PathError> {
    let mut parts = text.strip_suffix('/').unwrap_or(text).split('/');
    let first = decode(parts.next().unwrap_or_default())?;
    if first.is_empty() {
        return Err(PathError::Empty);
    }
    let root = if ipns {
        check_segment(&first)?;
        Root::Ipns(first)
    } else {
        let cid = first.parse();
        Root::Ipfs(cid.map_err(|source| PathError::Root { text: shorten(&first), source })?)
    };
    let mut segments = Vec::new();
    for part in parts {
        if segments.len() == MAX_SEGMENTS {
            return Err(PathError::TooLong);
        }
        let segment = decode(part)?;
        check_segment(&segment)?;
        segments.push(segment);
    }
    Ok(Path { root, segments })
}

fn check_segment(segment: &str) -> Result<(), PathError> {
    match is_plain_name(segment) {
        true => Ok(()),
        false => Err(PathError::Segment(shorten(segment))),
    }
}

/// Whether a name names something in its own directory: not empty, `.` or `..`, and without a
/// slash or NUL.
pub(crate) fn is_plain_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

fn percent_decode(text: &str) -> Result<String, PathError> {
    let wrong = || PathError::Percent(shorten(text));
    let hex = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = bytes.next().and_then(hex).ok_or_else(wrong)?;
            let low = bytes.next().and_then(hex).ok_or_else(wrong)?;
            out.push(high << 4 | low);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).map_err(|_| wrong())
}

/// As much of `text` as an error message should carry.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CID: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

    fn segments(text: &str) -> Result<Vec<String>, PathError> {
        text.parse::<Path>().map(|path| path.into_parts().1)
    }

    #[test]
    fn the_three_forms_are_one_path() {
        for text in [format!("/ipfs/{CID}/a/b"), format!("{CID}/a/b/"), format!("IPFS://{CID}/a/b")]
        {
            let path: Path = text.parse().unwrap();
            assert_eq!(path.to_string(), format!("/ipfs/{CID}/a/b"), "{text}");
            assert_eq!(path.root(), &Root::Ipfs(CID.parse().unwrap()));
        }
        assert_eq!(CID.parse::<Path>().unwrap(), Path::from(CID.parse::<Cid>().unwrap()));
    }

    #[test]
    fn only_urls_are_percent_decoded() {
        assert_eq!(segments(&format!("ipfs://{CID}/%C4%85%20%23?x=1#y")).unwrap(), ["ą #"]);
        assert_eq!(segments(&format!("/ipfs/{CID}/%20?x#y")).unwrap(), ["%20?x#y"]);
        for bad in ["%", "%4", "%zz", "%+1", "%ff"] {
            let text = format!("ipfs://{CID}/{bad}");
            assert!(matches!(segments(&text), Err(PathError::Percent(_))), "{bad}");
        }
    }

    #[test]
    fn names_are_recognised() {
        let path: Path = "/ipns/example.org/a".parse().unwrap();
        assert_eq!(path.root(), &Root::Ipns("example.org".into()));
        assert_eq!(path.to_string(), "/ipns/example.org/a");
        assert_eq!("ipns://example.org/a".parse(), Ok(path));
    }

    #[test]
    fn path_01_names_that_leave_the_directory() {
        for name in ["..", ".", "", "a/../b", "../../x", "\0", "a\0b", "a//b"] {
            for text in [format!("/ipfs/{CID}/{name}/x"), format!("{CID}/{name}/x")] {
                assert!(matches!(segments(&text), Err(PathError::Segment(_))), "{text:?}");
            }
        }
        for name in ["%2e%2e", "%2E.", ".%2e%2f", "%2e%2e%2f", "a%2Fb", "%00", "..", "%2e", "/"] {
            let text = format!("ipfs://{CID}/{name}/x");
            assert!(matches!(segments(&text), Err(PathError::Segment(_))), "{text:?}");
        }
        assert!(matches!(segments(&format!("/ipfs/{CID}//")), Err(PathError::Segment(_))));
        // no form of it leaves the root where it is not decoded either: it is a strange name
        assert_eq!(segments(&format!("/ipfs/{CID}/%2e%2e")).unwrap(), ["%2e%2e"]);
    }

    #[test]
    fn path_01_no_root() {
        for text in ["", "/ipfs/", "/ipfs//a", "ipfs://", "ipfs:///a", "ipns://", "/ipns/"] {
            assert_eq!(segments(text), Err(PathError::Empty), "{text}");
        }
        for text in ["/", "/ipfs", "/ipld/x", "/etc/passwd", "https://example.org/", "//"] {
            assert!(matches!(segments(text), Err(PathError::Namespace(_))), "{text}");
        }
        for text in ["hello", "/ipfs/../x", "ipfs://%2e%2e/x", "ipfs", " "] {
            assert!(matches!(segments(text), Err(PathError::Root { .. })), "{text}");
        }
    }

    #[test]
    fn path_01_too_long() {
        let deep = format!("{CID}{}", "/a".repeat(MAX_SEGMENTS));
        assert_eq!(segments(&deep).unwrap().len(), MAX_SEGMENTS);
        assert_eq!(segments(&(deep + "/a")), Err(PathError::TooLong));
        assert_eq!(segments(&"a".repeat(MAX_PATH + 1)), Err(PathError::TooLong));
    }
}
