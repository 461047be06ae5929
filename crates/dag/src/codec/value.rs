//! What a block holds, whichever codec wrote it: the IPLD data model.

use crate::Cid;

/// A value of the IPLD data model.
///
/// Maps are lists of pairs in the order in which the block holds them. Two maps with the same
/// pairs in another order are the same content and encode to the same bytes, though `==` tells
/// them apart. Dropping, cloning and comparing go as deep as the value does: what was decoded
/// is at most [`MAX_DEPTH`](super::MAX_DEPTH) deep.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number. DAG-CBOR and DAG-JSON hold -2^64 to 2^64 - 1.
    Int(i128),
    /// A number with a point, never NaN or infinite in a block.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Values in order.
    List(Vec<Value>),
    /// Values by their names, each name once.
    Map(Vec<(String, Value)>),
    /// A link to another block.
    Link(Cid),
}

impl Value {
    /// What sort of value it is, in a word for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Link(_) => "link",
        }
    }

    /// The entry of a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// What lies at `path`: keys of maps and indices of lists. Links are not followed.
    pub fn at<'v>(&'v self, path: &[String]) -> Option<&'v Value> {
        path.iter().try_fold(self, |value, name| match value {
            Self::List(items) => items.get(index(name)?),
            other => other.get(name),
        })
    }

    /// As [`at`](Self::at), the rest thrown away.
    pub fn take(self, path: &[String]) -> Option<Value> {
        path.iter().try_fold(self, |value, name| match value {
            Self::List(items) => items.into_iter().nth(index(name)?),
            Self::Map(entries) => {
                entries.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        })
    }
}

/// The index that a name in a path means: decimal, without a sign or leading zeros.
pub(crate) fn index(name: &str) -> Option<usize> {
    let plain = name.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = plain && (name.len() == 1 || !name.starts_with('0'));
    if canonical { name.parse().ok() } else { None }
}
