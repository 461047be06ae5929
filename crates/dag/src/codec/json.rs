//! DAG-JSON: JSON in which `{"/": "<cid>"}` is a link and `{"/": {"bytes": "<base64>"}}` bytes.
//!
//! Written in the one form that the specification asks of writers: no whitespace, keys sorted by
//! their bytes, floats as JavaScript writes them and never without a point or an exponent, text
//! with no escape that is not needed. Read as it asks of readers: whitespace and keys in any order
//! are accepted, because blocks exist that have them. Everything else is refused: a key twice, an
//! integer outside of -2^64 to 2^64 - 1, a link that is not a CID in its own base, half of a
//! surrogate pair, anything after the value.

mod big;
mod float;
mod number;
mod text;
mod write;

use std::{borrow::Cow, cmp::Ordering};

use multibase::Base;

use super::{DecodeError, Fault, MAX_DEPTH, Token, Tokens, Value, token};
use crate::Cid;

pub use number::MAX_NUMBER;
pub use write::encode;

/// Decodes a whole block.
pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
    token::build(Tokens::json(bytes))
}

/// The CIDs that the block links to, without building its value.
pub fn links(bytes: &[u8]) -> Result<Vec<Cid>, DecodeError> {
    token::links(Tokens::json(bytes))
}

/// The CID of a link. Each has one text: version 0 in base 58, version 1 in base 32.
fn link(text: &str) -> Result<Cid, Fault> {
    if !text.starts_with("Qm") && !text.starts_with('b') {
        return Err(Fault::NotALink);
    }
    let cid = Cid::from_text(text).map_err(Fault::Cid)?;
    if cid.to_string() == text { Ok(cid) } else { Err(Fault::NotALink) }
}

/// Reads part by part.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open>,
    /// Where the keys of all open maps begin, the innermost map's last.
    keys: Vec<u32>,
    begun: bool,
}

/// A list or map that has begun.
#[derive(Debug, Clone)]
struct Open {
    is_first: bool,
    map: Option<Keys>,
}

/// What is known of the keys of a map.
#[derive(Debug, Clone)]
struct Keys {
    /// The first in [`Reader::keys`].
    from: usize,
    /// Whether each was greater than the one before it.
    sorted: bool,
    /// Whether the last one's value is next.
    value_next: bool,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, open: Vec::new(), keys: Vec::new(), begun: false }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn next(&mut self) -> Result<Option<Token<'a>>, DecodeError> {
        let Some(Open { is_first, map }) = self.open.last_mut() else {
            if self.begun {
                self.skip_space();
                let ended = self.at == self.bytes.len();
                return if ended { Ok(None) } else { Err(Fault::Trailing.at(self.at)) };
            }
            self.begun = true;
            return self.value().map(Some);
        };
        let is_first = std::mem::replace(is_first, false);
        let (is_map, end) = match map {
            Some(Keys { value_next, .. }) if *value_next => {
                *value_next = false;
                return self.value().map(Some);
            }
            Some(_) => (true, b'}'),
            None => (false, b']'),
        };
        if self.peek()? == end {
            self.close()?;
            self.at += 1;
            return Ok(Some(Token::End));
        }
        if !is_first {
            self.expect(b',')?;
        }
        if is_map { self.key().map(Some) } else { self.value().map(Some) }
    }

    fn key(&mut self) -> Result<Token<'a>, DecodeError> {
        self.peek()?;
        let start = self.at;
        let key = self.text()?;
        self.expect(b':')?;
        if let Some(Open { map: Some(keys), .. }) = self.open.last_mut() {
            let last = self.keys[keys.from..].last();
            match last.map(|last| text::at(self.bytes, *last as usize).cmp(&key)) {
                Some(Ordering::Equal) => return Err(Fault::Duplicate.at(start)),
                Some(Ordering::Greater) => keys.sorted = false,
                _ => {}
            }
            keys.value_next = true;
            self.keys.push(start as u32);
        }
        Ok(Token::Key(key))
    }

    /// Ends the innermost list or map. Keys that were in order have been compared already.
    fn close(&mut self) -> Result<(), DecodeError> {
        let Some(Open { map: Some(Keys { from, sorted, .. }), .. }) = self.open.pop() else {
            return Ok(());
        };
        if !sorted {
            let key = |at: u32| text::at(self.bytes, at as usize);
            let keys = &mut self.keys[from..];
            keys.sort_unstable_by(|a, b| key(*a).cmp(&key(*b)).then(a.cmp(b)));
            if let Some(pair) = keys.windows(2).find(|pair| key(pair[0]) == key(pair[1])) {
                return Err(Fault::Duplicate.at(pair[1] as usize));
            }
        }
        self.keys.truncate(from);
        Ok(())
    }

    fn value(&mut self) -> Result<Token<'a>, DecodeError> {
        let first = self.peek()?;
        match first {
            b'"' => Ok(Token::Text(self.text()?)),
            b'{' => match self.reserved()? {
                Some(token) => Ok(token),
                None => self.begin(Token::Map),
            },
            b'[' => self.begin(Token::List),
            b't' => self.word("true", Token::Bool(true)),
            b'f' => self.word("false", Token::Bool(false)),
            b'n' => self.word("null", Token::Null),
            b'-' | b'0'..=b'9' => {
                let (number, end) = number::read(self.bytes, self.at)?;
                self.at = end;
                Ok(number)
            }
            _ => Err(Fault::Character.at(self.at)),
        }
    }

    fn begin(&mut self, token: Token<'a>) -> Result<Token<'a>, DecodeError> {
        if self.open.len() == MAX_DEPTH {
            return Err(Fault::TooDeep.at(self.at));
        }
        let keys = Keys { from: self.keys.len(), sorted: true, value_next: false };
        self.open.push(Open { is_first: true, map: (token == Token::Map).then_some(keys) });
        self.at += 1;
        Ok(token)
    }

    /// The link or bytes that begin at a brace; or `None` and nothing read, where a map does.
    fn reserved(&mut self) -> Result<Option<Token<'a>>, DecodeError> {
        let start = self.at;
        if self.begins_with("/")? {
            match self.peek()? {
                b'"' => {
                    let (at, text) = (self.at, self.text()?);
                    self.expect_end(start)?;
                    return link(&text).map(Token::Link).map(Some).map_err(|fault| fault.at(at));
                }
                b'{' if self.begins_with("bytes")? && self.peek()? == b'"' => {
                    let (at, text) = (self.at, self.text()?);
                    self.expect_end(start)?;
                    self.expect_end(start)?;
                    let bytes = Base::Base64.decode(&*text);
                    let bytes = bytes.map_err(|_| Fault::Base64.at(at))?;
                    return Ok(Some(Token::Bytes(Cow::Owned(bytes))));
                }
                _ => {}
            }
        }
        self.at = start;
        Ok(None)
    }

    /// Whether the map that begins here has this key first; then its value is next.
    fn begins_with(&mut self, key: &str) -> Result<bool, DecodeError> {
        self.at += 1;
        if self.peek()? != b'"' || self.text()? != key {
            return Ok(false);
        }
        self.expect(b':')?;
        Ok(true)
    }

    fn expect_end(&mut self, start: usize) -> Result<(), DecodeError> {
        if self.peek()? != b'}' {
            return Err(Fault::Reserved.at(start));
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, DecodeError> {
        for byte in word.bytes() {
            if !self.take(&[byte]) {
                return Err(self.unexpected());
            }
        }
        Ok(token)
    }

    fn text(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(self.unexpected());
        }
        let (text, end) = text::read(self.bytes, self.at)?;
        self.at = end;
        Ok(text)
    }

    /// Passes over one byte if it is one of these.
    fn take(&mut self, any: &[u8]) -> bool {
        let found = self.bytes.get(self.at).is_some_and(|byte| any.contains(byte));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), DecodeError> {
        self.skip_space();
        if self.take(&[byte]) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The first byte that is not space.
    fn peek(&mut self) -> Result<u8, DecodeError> {
        self.skip_space();
        self.bytes.get(self.at).copied().ok_or(Fault::Truncated.at(self.at))
    }

    fn skip_space(&mut self) {
        while self.take(b" \t\r\n") {}
    }

    fn unexpected(&self) -> DecodeError {
        let fault = if self.at < self.bytes.len() { Fault::Character } else { Fault::Truncated };
        fault.at(self.at)
    }
}
