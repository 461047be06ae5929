//! How bytes become digits, and digits bytes.

use super::{Error, Result};

/// The letter of a value.
pub fn letter(alphabet: &[u8], value: u32) -> char {
    alphabet.get(value as usize).map_or('?', |letter| char::from(*letter))
}

/// What each character stands for.
pub fn values(text: &str, alphabet: &[u8]) -> Result<Vec<u8>> {
    let place = |byte| alphabet.iter().position(|letter| *letter == byte).map(|place| place as u8);
    text.bytes().map(place).collect::<Option<_>>().ok_or(Error::InvalidBaseString)
}

/// Characters of a full group: as many as hold whole bytes.
const fn group(bits: u32) -> usize {
    match bits {
        1 | 3 | 5 => 8,
        6 => 4,
        _ => 2,
    }
}

/// Bytes as letters of so many bits.
pub fn bits_to_text(bytes: &[u8], bits: u32, alphabet: &[u8], padded: bool) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / bits as usize + 8);
    let (mut held, mut count) = (0u32, 0);
    let mask = (1 << bits) - 1;
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        count += 8;
        while count >= bits {
            count -= bits;
            text.push(letter(alphabet, held >> count & mask));
        }
        held &= (1 << count) - 1;
    }
    if count > 0 {
        text.push(letter(alphabet, held << (bits - count) & mask));
    }
    while padded && !text.len().is_multiple_of(group(bits)) {
        text.push('=');
    }
    text
}

/// Letters of so many bits as bytes; the end must be filled up as it is written.
pub fn text_to_bits(text: &str, bits: u32, alphabet: &[u8], padded: bool) -> Result<Vec<u8>> {
    let mut body = text;
    if padded {
        body = text.trim_end_matches('=');
        let filled = body.len().next_multiple_of(group(bits));
        if text.len() != filled {
            return Err(Error::InvalidBaseString);
        }
    }
    let mut bytes = Vec::with_capacity(body.len() * bits as usize / 8);
    let (mut held, mut count) = (0u32, 0);
    for value in values(body, alphabet.get(..1 << bits).unwrap_or(alphabet))? {
        held = held << bits | u32::from(value);
        count += bits;
        if count >= 8 {
            count -= 8;
            bytes.push((held >> count) as u8);
            held &= (1 << count) - 1;
        }
    }
    // what is left over fills the last character up: zeros, and less than a character
    match held == 0 && count < bits {
        true => Ok(bytes),
        false => Err(Error::InvalidBaseString),
    }
}

/// A number's digits in another base; each zero in front stays one.
pub fn change_base(digits: impl Iterator<Item = u8> + Clone, from: u32, to: u32) -> Vec<u8> {
    let zeros = digits.clone().take_while(|digit| *digit == 0).count();
    let mut out: Vec<u8> = Vec::new(); // the last digit first
    for digit in digits.skip(zeros) {
        let mut carry = u32::from(digit);
        for place in &mut out {
            carry += u32::from(*place) * from;
            *place = (carry % to) as u8;
            carry /= to;
        }
        while carry > 0 {
            out.push((carry % to) as u8);
            carry /= to;
        }
    }
    out.resize(out.len() + zeros, 0);
    out.reverse();
    out
}

/// One or two bytes as letters, the last digit first.
pub fn base45(bytes: &[u8], alphabet: &[u8]) -> Vec<char> {
    let mut number = bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    let mut out = Vec::with_capacity(3);
    for _ in 0..=bytes.len() {
        out.push(letter(alphabet, number % 45));
        number /= 45;
    }
    out
}

/// The bytes of these digits.
pub fn from_base45(values: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(values.len() * 2 / 3);
    for group in values.chunks(3) {
        let number = group.iter().rev().fold(0, |number, value| number * 45 + u32::from(*value));
        match (group.len(), number) {
            (3, 0..=0xffff) => bytes.extend([(number >> 8) as u8, number as u8]),
            (2, 0..=0xff) => bytes.push(number as u8),
            _ => return Err(Error::InvalidBaseString),
        }
    }
    Ok(bytes)
}
