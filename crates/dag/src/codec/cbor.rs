//! DAG-CBOR, as strict as its specification asks writers to be: what is read is what would be
//! written, so that content has one form and one CID.
//!
//! Integers and lengths in their shortest form, all floats in 64 bits and finite (and no negative
//! zero), keys text and sorted by length, then by bytes, and never twice; definite lengths; no
//! tag but 42 for links; nothing after the value.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    DecodeError, EncodeError, Fault, MAX_DEPTH, Token, Tokens, Unfit, Value,
    encode::{Sink, write_value},
    token,
};
use crate::Cid;

/// The tag of links.
const LINK: u64 = 42;
/// Its whole head: tag 42 in the shortest form.
const LINK_HEAD: [u8; 2] = [0xd8, LINK as u8];
const NULL: u8 = 0xf6;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const FLOAT: u8 = 0xfb;

/// Decodes a whole block.
pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
    token::build(Tokens::cbor(bytes))
}

/// Encodes a value; keys are sorted here.
pub fn encode(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut writer = Writer(Vec::new());
    write_value(value, key_order, &mut writer)?;
    Ok(writer.0)
}

/// The CIDs that the block links to, without building its value.
pub fn links(bytes: &[u8]) -> Result<Vec<Cid>, DecodeError> {
    token::links(Tokens::cbor(bytes))
}

fn key_order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Reads part by part.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open<'a>>,
    begun: bool,
}

/// A list or map that has begun.
#[derive(Debug, Clone)]
struct Open<'a> {
    /// Items, or entries, whose beginning has not been read.
    left: u64,
    /// Of a map: the last key, once there is one, and whether its value is next.
    map: Option<(Option<&'a str>, bool)>,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, open: Vec::new(), begun: false }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn next(&mut self) -> Result<Option<Token<'a>>, DecodeError> {
        match self.open.last_mut() {
            None if self.begun => {
                return match self.at == self.bytes.len() {
                    true => Ok(None),
                    false => Err(Fault::Trailing.at(self.at)),
                };
            }
            None => self.begun = true,
            Some(Open { map: Some((_, value_next)), .. }) if *value_next => *value_next = false,
            Some(Open { left: 0, .. }) => {
                self.open.pop();
                return Ok(Some(Token::End));
            }
            Some(open) => {
                open.left -= 1;
                if open.map.is_some() {
                    return self.key().map(Some);
                }
            }
        }
        self.item().map(Some)
    }

    fn key(&mut self) -> Result<Token<'a>, DecodeError> {
        let start = self.at;
        let (major, length) = self.head()?;
        if major != 3 {
            return Err(Fault::Key.at(start));
        }
        let key = self.text(length)?;
        if let Some(Open { map: Some((last, value_next)), .. }) = self.open.last_mut() {
            match last.map(|last| key_order(last, key)) {
                Some(Ordering::Equal) => return Err(Fault::Duplicate.at(start)),
                Some(Ordering::Greater) => return Err(Fault::Order.at(start)),
                _ => (*last, *value_next) = (Some(key), true),
            }
        }
        Ok(Token::Key(Cow::Borrowed(key)))
    }

    fn item(&mut self) -> Result<Token<'a>, DecodeError> {
        let start = self.at;
        match self.bytes.get(start) {
            Some(&first) if first >> 5 == 7 => return self.simple(first),
            _ => {}
        }
        let (major, number) = self.head()?;
        Ok(match major {
            0 => Token::Int(number.into()),
            1 => Token::Int(-1 - i128::from(number)),
            2 => Token::Bytes(Cow::Borrowed(self.take(number)?)),
            3 => Token::Text(Cow::Borrowed(self.text(number)?)),
            4 | 5 => {
                let is_map = major == 5;
                if self.open.len() == MAX_DEPTH {
                    return Err(Fault::TooDeep.at(start));
                }
                // an item takes a byte at least, an entry two
                if number > (self.bytes.len() - self.at) as u64 >> u8::from(is_map) {
                    return Err(Fault::Truncated.at(start));
                }
                self.open.push(Open { left: number, map: is_map.then_some((None, false)) });
                if is_map { Token::Map } else { Token::List }
            }
            _ if number == LINK => Token::Link(self.link()?),
            _ => return Err(Fault::Tag(number).at(start)),
        })
    }

    fn link(&mut self) -> Result<Cid, DecodeError> {
        let start = self.at;
        let (major, length) = self.head()?;
        if major != 2 {
            return Err(Fault::NotALink.at(start));
        }
        match self.take(length)?.split_first() {
            Some((0, cid)) => Cid::from_bytes(cid).map_err(|error| Fault::Cid(error).at(start)),
            _ => Err(Fault::NotALink.at(start)),
        }
    }

    fn simple(&mut self, first: u8) -> Result<Token<'a>, DecodeError> {
        let start = self.at;
        self.at += 1;
        Ok(match first {
            FALSE => Token::Bool(false),
            TRUE => Token::Bool(true),
            NULL => Token::Null,
            0xf9 | 0xfa => return Err(Fault::FloatWidth.at(start)),
            FLOAT => {
                let float = f64::from_bits(self.number(8)?);
                if !is_allowed(float) {
                    return Err(Fault::Number.at(start));
                }
                Token::Float(float)
            }
            0xff => return Err(Fault::Indefinite.at(start)),
            other => return Err(Fault::Item(other).at(start)),
        })
    }

    /// What every item but the simple ones begins with: its major type and a number.
    fn head(&mut self) -> Result<(u8, u64), DecodeError> {
        let start = self.at;
        let first = *self.bytes.get(start).ok_or(Fault::Truncated.at(start))?;
        self.at += 1;
        let (number, least) = match first & 31 {
            small @ 0..24 => (small.into(), 0),
            24 => (self.number(1)?, 24),
            25 => (self.number(2)?, 1 << 8),
            26 => (self.number(4)?, 1 << 16),
            27 => (self.number(8)?, 1 << 32),
            31 => return Err(Fault::Indefinite.at(start)),
            _ => return Err(Fault::Item(first).at(start)),
        };
        match number < least {
            true => Err(Fault::NotMinimal.at(start)),
            false => Ok((first >> 5, number)),
        }
    }

    fn number(&mut self, len: u64) -> Result<u64, DecodeError> {
        let bytes = self.take(len)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn text(&mut self, len: u64) -> Result<&'a str, DecodeError> {
        let start = self.at;
        let text = str::from_utf8(self.take(len)?);
        text.map_err(|error| Fault::Utf8.at(start + error.valid_up_to()))
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], DecodeError> {
        let rest = &self.bytes[self.at..];
        match usize::try_from(len) {
            Ok(len) if len <= rest.len() => {
                self.at += len;
                Ok(&rest[..len])
            }
            _ => Err(Fault::Truncated.at(self.at)),
        }
    }
}

fn is_allowed(float: f64) -> bool {
    float.is_finite() && (float != 0.0 || float.is_sign_positive())
}

struct Writer(Vec<u8>);

impl Writer {
    fn head(&mut self, major: u8, number: u64) {
        let bytes = number.to_be_bytes();
        let (info, len) = match number {
            0..24 => (bytes[7], 0),
            24..0x100 => (24, 1),
            0x100..0x1_0000 => (25, 2),
            0x1_0000..0x1_0000_0000 => (26, 4),
            _ => (27, 8),
        };
        self.0.push(major << 5 | info);
        self.0.extend_from_slice(&bytes[8 - len..]);
    }

    fn bytes(&mut self, major: u8, bytes: &[u8]) {
        self.head(major, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

impl Sink for Writer {
    fn scalar(&mut self, value: &Value) -> Result<(), Unfit> {
        match value {
            Value::Bool(bool) => self.0.push(if *bool { TRUE } else { FALSE }),
            Value::Int(int) => match (u64::try_from(*int), u64::try_from(-1 - *int)) {
                (Ok(number), _) => self.head(0, number),
                (_, Ok(number)) => self.head(1, number),
                _ => return Err(Unfit::Number),
            },
            Value::Float(float) if !is_allowed(*float) => return Err(Unfit::Number),
            Value::Float(float) => {
                self.0.push(FLOAT);
                self.0.extend_from_slice(&float.to_bits().to_be_bytes());
            }
            Value::Text(text) => self.bytes(3, text.as_bytes()),
            Value::Bytes(bytes) => self.bytes(2, bytes),
            Value::Link(cid) => {
                self.0.extend_from_slice(&LINK_HEAD);
                let cid = cid.to_bytes();
                self.head(2, cid.len() as u64 + 1);
                self.0.push(0);
                self.0.extend_from_slice(&cid);
            }
            _ => self.0.push(NULL),
        }
        Ok(())
    }

    fn list(&mut self, len: usize) {
        self.head(4, len as u64);
    }

    fn map(&mut self, entries: &[&(String, Value)]) -> Result<(), Unfit> {
        self.head(5, entries.len() as u64);
        Ok(())
    }

    fn item(&mut self, _is_first: bool, key: Option<&str>) {
        if let Some(key) = key {
            self.bytes(3, key.as_bytes());
        }
    }

    fn end(&mut self, _is_map: bool) {}
}
