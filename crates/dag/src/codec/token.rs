//! The parts of a block one after another, without building what they make up.
//!
//! Whoever only needs the links, or one entry, reads a block at the cost of its nesting; and
//! [`build`] makes a [`Value`] of it in two passes: the first checks everything and counts, so
//! that the second allocates what is there and nothing because the block claims it.

use std::borrow::Cow;

use super::{Value, cbor, json};
use crate::{Cid, CidError, code};

/// The most lists and maps inside one another, in what is read and written. Kubo stops at 1024;
/// hand-made data seldom passes ten.
pub const MAX_DEPTH: usize = 256;
/// The most memory that a decoded [`Value`] takes. The densest blocks, 2 MiB of nothing but
/// one-byte items, would take sixty times their length; their links are still read.
pub const MAX_TREE: usize = 24 * 1024 * 1024;
/// What an allocation costs beside its bytes.
const ALLOCATION: usize = 16;

/// Why bytes are not what their codec demands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at byte {at}")]
pub struct DecodeError {
    /// Where in the block.
    pub at: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// What can be wrong with a DAG-CBOR or DAG-JSON block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes end inside a value.
    #[error("the block ends inside a value")]
    Truncated,
    /// Something follows the value.
    #[error("something follows the value")]
    Trailing,
    /// More than [`MAX_DEPTH`] lists and maps inside one another.
    #[error("more than {MAX_DEPTH} lists and maps inside one another")]
    TooDeep,
    /// The decoded value would take more than [`MAX_TREE`] bytes.
    #[error("the block holds too many values to be taken apart")]
    TooMuch,
    /// A number or length has a shorter form.
    #[error("a number is not in its shortest form")]
    NotMinimal,
    /// A length that is only found out at the end, or the break that ends such an item.
    #[error("an item of indefinite length")]
    Indefinite,
    /// A tag other than 42, which marks links.
    #[error("tag {0}, where only 42 is allowed")]
    Tag(u64),
    /// A link that is not a zero byte and a CID in a byte string.
    #[error("a link is not in the form of one")]
    NotALink,
    /// A link's CID is malformed.
    #[error("{0}")]
    Cid(CidError),
    /// A map's key is not text.
    #[error("a key is not text")]
    Key,
    /// A map's keys are not sorted.
    #[error("a map's keys are out of order")]
    Order,
    /// A map has the same key twice.
    #[error("a map has the same key twice")]
    Duplicate,
    /// Text is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// A float that is not in 64 bits.
    #[error("a float is not in 64 bits")]
    FloatWidth,
    /// A number that content must not hold: NaN, infinity, in DAG-CBOR negative zero; or, in
    /// DAG-JSON, one that does not fit.
    #[error("a number that is not allowed")]
    Number,
    /// A CBOR item that is not in the data model, such as undefined.
    #[error("an item that IPLD does not have ({0:#04x})")]
    Item(u8),
    /// A character that cannot stand there.
    #[error("an unexpected character")]
    Character,
    /// A malformed escape, or half of a surrogate pair.
    #[error("a malformed escape in text")]
    Escape,
    /// A map of DAG-JSON that begins like a link or bytes and is neither.
    #[error("a map that begins with \"/\" and is neither a link nor bytes")]
    Reserved,
    /// Bytes in DAG-JSON that are not base64 without padding.
    #[error("bytes are not in base64 without padding")]
    Base64,
}

impl Fault {
    pub(crate) const fn at(self, at: usize) -> DecodeError {
        DecodeError { at, fault: self }
    }
}

/// One part of a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Token<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A number with a point.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A link.
    Link(Cid),
    /// A list begins: its items follow, then [`End`](Self::End).
    List,
    /// A map begins: keys, each with its value after it, follow; then [`End`](Self::End).
    Map,
    /// A key in a map.
    Key(Cow<'a, str>),
    /// The innermost list or map ends.
    End,
}

/// Reads a DAG-CBOR or DAG-JSON block part by part. Only a block of which the last part was
/// read, [`next_token`](Self::next_token) giving `None`, is known to be well-formed.
#[derive(Debug, Clone)]
pub struct Tokens<'a>(Reader<'a>);

#[derive(Debug, Clone)]
enum Reader<'a> {
    Cbor(cbor::Reader<'a>),
    Json(json::Reader<'a>),
}

impl<'a> Tokens<'a> {
    /// Begins to read. `None` where `codec` is neither DAG-CBOR nor DAG-JSON.
    pub fn new(codec: u64, bytes: &'a [u8]) -> Option<Self> {
        Some(Self(match codec {
            code::DAG_CBOR => Reader::Cbor(cbor::Reader::new(bytes)),
            code::DAG_JSON => Reader::Json(json::Reader::new(bytes)),
            _ => return None,
        }))
    }

    pub(crate) fn cbor(bytes: &'a [u8]) -> Self {
        Self(Reader::Cbor(cbor::Reader::new(bytes)))
    }

    pub(crate) fn json(bytes: &'a [u8]) -> Self {
        Self(Reader::Json(json::Reader::new(bytes)))
    }

    /// The next part; `None` after the last.
    pub fn next_token(&mut self) -> Result<Option<Token<'a>>, DecodeError> {
        match &mut self.0 {
            Reader::Cbor(reader) => reader.next(),
            Reader::Json(reader) => reader.next(),
        }
    }

    fn at(&self) -> usize {
        match &self.0 {
            Reader::Cbor(reader) => reader.at(),
            Reader::Json(reader) => reader.at(),
        }
    }
}

/// Every CID that the block links to, in its order. No value is built.
pub(crate) fn links(mut tokens: Tokens<'_>) -> Result<Vec<Cid>, DecodeError> {
    let mut links = Vec::new();
    while let Some(token) = tokens.next_token()? {
        if let Token::Link(cid) = token {
            links.push(cid);
        }
    }
    Ok(links)
}

/// The whole block as a value.
pub(crate) fn build(tokens: Tokens<'_>) -> Result<Value, DecodeError> {
    let mut lengths = count(tokens.clone())?.into_iter();
    let mut length = || lengths.next().unwrap_or_default() as usize;
    let mut rest = tokens;
    // each open list or map with the key that it will have in the one around it
    let mut open: Vec<(Value, String)> = Vec::new();
    let mut key = String::new();
    while let Some(token) = rest.next_token()? {
        let value = match token {
            Token::Null => Value::Null,
            Token::Bool(bool) => Value::Bool(bool),
            Token::Int(int) => Value::Int(int),
            Token::Float(float) => Value::Float(float),
            Token::Text(text) => Value::Text(text.into_owned()),
            Token::Bytes(bytes) => Value::Bytes(bytes.into_owned()),
            Token::Link(cid) => Value::Link(cid),
            Token::List => {
                open.push((Value::List(Vec::with_capacity(length())), std::mem::take(&mut key)));
                continue;
            }
            Token::Map => {
                open.push((Value::Map(Vec::with_capacity(length())), std::mem::take(&mut key)));
                continue;
            }
            Token::Key(name) => {
                key = name.into_owned();
                continue;
            }
            Token::End => {
                let Some((value, name)) = open.pop() else { break };
                key = name;
                value
            }
        };
        match open.last_mut() {
            Some((Value::List(items), _)) => items.push(value),
            Some((Value::Map(entries), _)) => entries.push((std::mem::take(&mut key), value)),
            _ => {
                // what remains to be read can only be the end: the counting pass has seen it
                return Ok(value);
            }
        }
    }
    Err(Fault::Truncated.at(rest.at()))
}

/// How many items each list and map has, in the order in which they begin.
fn count(mut tokens: Tokens<'_>) -> Result<Vec<u32>, DecodeError> {
    let mut lengths: Vec<u32> = Vec::new();
    // which of `lengths` is open, and whether it is a map's
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut cost = 0;
    while let Some(token) = tokens.next_token()? {
        let is_key = matches!(token, Token::Key(_));
        if let (Some((at, is_map)), false) = (open.last(), token == Token::End)
            && *is_map == is_key
        {
            lengths[*at] += 1;
            cost += if is_key { size_of::<(String, Value)>() } else { size_of::<Value>() };
        }
        cost += match &token {
            Token::Text(text) | Token::Key(text) => ALLOCATION + text.len(),
            Token::Bytes(bytes) => ALLOCATION + bytes.len(),
            Token::List | Token::Map => ALLOCATION + size_of::<u32>(),
            _ => 0,
        };
        if cost > MAX_TREE {
            return Err(Fault::TooMuch.at(tokens.at()));
        }
        match token {
            Token::List | Token::Map => {
                open.push((lengths.len(), token == Token::Map));
                lengths.push(0);
            }
            Token::End => drop(open.pop()),
            _ => {}
        }
    }
    Ok(lengths)
}
