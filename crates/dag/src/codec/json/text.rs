//! Text in JSON: between quotes, with escapes.

use std::borrow::Cow;

use crate::codec::{DecodeError, Fault};

/// Reads the text whose opening quote is at `start`; gives it and where its closing quote ends.
/// Text without escapes is borrowed.
pub(super) fn read(bytes: &[u8], start: usize) -> Result<(Cow<'_, str>, usize), DecodeError> {
    let mut text = Cow::Borrowed("");
    let mut at = start + 1;
    loop {
        let rest = &bytes[at..];
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        let len = rest.iter().position(special).ok_or(Fault::Truncated.at(bytes.len()))?;
        let plain = str::from_utf8(&rest[..len]);
        let plain = plain.map_err(|error| Fault::Utf8.at(at + error.valid_up_to()))?;
        if text.is_empty() {
            text = Cow::Borrowed(plain);
        } else {
            text.to_mut().push_str(plain);
        }
        at += len;
        match bytes[at] {
            b'"' => return Ok((text, at + 1)),
            b'\\' => {
                let (c, end) = escape(bytes, at)?;
                text.to_mut().push(c);
                at = end;
            }
            _ => return Err(Fault::Character.at(at)),
        }
    }
}

/// The text at `start`, which has been read before.
pub(super) fn at(bytes: &[u8], start: usize) -> Cow<'_, str> {
    read(bytes, start).map(|(text, _)| text).unwrap_or_default()
}

/// The character that the escape at `at` means, and where it ends.
fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), DecodeError> {
    let letter = *bytes.get(at + 1).ok_or(Fault::Truncated.at(bytes.len()))?;
    let c = match letter {
        b'"' | b'\\' | b'/' => char::from(letter),
        b'b' => '\u{8}',
        b't' => '\t',
        b'n' => '\n',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'u' => return unicode(bytes, at),
        _ => return Err(Fault::Escape.at(at)),
    };
    Ok((c, at + 2))
}

/// `\uXXXX`, or two of them that make a surrogate pair.
fn unicode(bytes: &[u8], at: usize) -> Result<(char, usize), DecodeError> {
    let malformed = Fault::Escape.at(at);
    let unit = |at: usize| {
        let (start, digits) = bytes.get(at..at + 6)?.split_at(2);
        let mut digits = digits.iter().map(|digit| char::from(*digit).to_digit(16));
        let value = digits.try_fold(0, |value, digit| Some(value << 4 | digit?));
        value.filter(|_| start == b"\\u")
    };
    let first = unit(at).ok_or(malformed.clone())?;
    if !(0xd800..0xdc00).contains(&first) {
        // the second half of a pair is no character either
        return Ok((char::from_u32(first).ok_or(malformed)?, at + 6));
    }
    let second = unit(at + 6).filter(|second| (0xdc00..0xe000).contains(second));
    let second = second.ok_or(malformed.clone())?;
    let c = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
    Ok((c.ok_or(malformed)?, at + 12))
}
