//! Numbers in JSON: integers, and floats where there is a point or an exponent.

use super::float;
use crate::codec::{DecodeError, Fault, Token};

/// The longest number in characters: the longest float that is written out in full, which is
/// next to 2^-1022, has 1,079.
pub const MAX_NUMBER: usize = 1100;
/// The digits of 2^64.
const MAX_DIGITS: usize = 20;

/// Reads the number that begins at `start`; gives it and where it ends. What may follow it is
/// the caller's business.
pub(super) fn read(bytes: &[u8], start: usize) -> Result<(Token<'static>, usize), DecodeError> {
    let is_one_of = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|byte| any.contains(byte));
    let is_negative = is_one_of(start, b"-");
    let first = start + usize::from(is_negative);
    let whole = digits(bytes, first)?;
    if bytes[first] == b'0' && whole > first + 1 {
        return Err(Fault::Character.at(first + 1));
    }
    let mut end = whole;
    if is_one_of(end, b".") {
        end = digits(bytes, end + 1)?;
    }
    if is_one_of(end, b"eE") {
        end = digits(bytes, end + 1 + usize::from(is_one_of(end + 1, b"+-")))?;
    }
    let does_not_fit = Fault::Number.at(start);
    if end - start > MAX_NUMBER {
        return Err(does_not_fit);
    }
    if end > whole {
        let float = float::parse(&bytes[first..end]);
        if !float.is_finite() {
            return Err(does_not_fit);
        }
        return Ok((Token::Float(if is_negative { -float } else { float }), end));
    }
    if whole - first > MAX_DIGITS {
        return Err(does_not_fit);
    }
    let digits = bytes[first..whole].iter();
    let number = digits.fold(0, |number, digit| number * 10 + i128::from(digit - b'0'));
    let int = if is_negative { -number } else { number };
    if fits(int) { Ok((Token::Int(int), end)) } else { Err(does_not_fit) }
}

/// Whether DAG-CBOR and DAG-JSON have the integer.
pub(super) fn fits(int: i128) -> bool {
    (-(1 << 64)..1 << 64).contains(&int)
}

/// Where the digits end of which the first is at `start`.
fn digits(bytes: &[u8], start: usize) -> Result<usize, DecodeError> {
    let rest = bytes.get(start..).unwrap_or_default();
    match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
        0 if rest.is_empty() => Err(Fault::Truncated.at(bytes.len())),
        0 => Err(Fault::Character.at(start)),
        count => Ok(start + count),
    }
}
