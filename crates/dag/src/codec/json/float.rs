//! Floats from and to decimal digits, exactly.
//!
//! The standard library does the same faster, by 35 KB of tables and code that nothing else in a
//! page needs; tests hold this against it. Hardly any block holds many floats.

use std::cmp::Ordering;

use super::big::Big;

/// Powers of ten that a float holds exactly, and integers below 2^53: one operation with two such
/// is rounded once, as the result has to be.
const EXACT: (i32, u64) = (22, 1 << 53);
/// The bits of a float's significand, with the one that is not written.
const BITS: i32 = 53;
/// The exponent of the lowest bit of the smallest floats.
const LEAST: i32 = -1074;
/// No float lies above ten to this power, none but zero below ten to the other.
const RANGE: (i32, i32) = (310, -330);

/// The float nearest to a decimal number without a sign, as JSON writes it; infinite if none is.
pub(super) fn parse(text: &[u8]) -> f64 {
    let mut digits = Vec::new();
    let (mut tens, mut after_point, mut rest) = (0, false, text.iter());
    for byte in rest.by_ref() {
        match byte {
            b'0'..=b'9' => {
                tens -= i32::from(after_point);
                if *byte != b'0' || !digits.is_empty() {
                    digits.push(byte - b'0');
                }
            }
            b'.' => after_point = true,
            _ => break,
        }
    }
    let mut exponent = 0_i32;
    let mut is_negative = false;
    for byte in rest {
        match byte {
            b'0'..=b'9' => {
                exponent = exponent.saturating_mul(10).saturating_add((byte - b'0').into());
            }
            _ => is_negative = *byte == b'-',
        }
    }
    tens = tens.saturating_add(if is_negative { -exponent } else { exponent });
    match (digits.len() as i32).saturating_add(tens) {
        _ if digits.is_empty() => 0.0,
        size if size > RANGE.0 => f64::INFINITY,
        size if size < RANGE.1 => 0.0,
        _ => of_digits(&digits, tens),
    }
}

/// The float nearest to `digits` times ten to the power of `tens`.
fn of_digits(digits: &[u8], tens: i32) -> f64 {
    if digits.len() < 16 && tens.abs() <= EXACT.0 {
        let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(*digit));
        let power = (0..tens.abs()).fold(1.0, |power, _| power * 10.0);
        if number < EXACT.1 {
            return if tens < 0 { number as f64 / power } else { number as f64 * power };
        }
    }
    let (mut above, mut below) = (Big::new(0), Big::new(1));
    digits.iter().for_each(|digit| above.mul_add(10, (*digit).into()));
    if tens < 0 { &mut below } else { &mut above }.times_five(tens.unsigned_abs());
    // the divisor with the top bit of its first digit, the dividend one bit shorter
    let room = (above.bits() + 1 - below.bits()).max(0);
    let aligned = (below.bits() + room + 31) & !31;
    let (up, down) = (aligned - 1 - above.bits(), aligned - below.bits());
    above.shift(up.unsigned_abs());
    below.shift(down.unsigned_abs());
    let quotient = u64::from(above.next_digit(&below)) << 32;
    let quotient = quotient | u64::from(above.next_digit(&below));
    nearest(quotient, tens + down - up - 64, !above.is_zero())
}

/// The float nearest to `quotient`, of 62 bits or more, and a little more if there `is_more`, times
/// two to the power of `twos`. Of two as near the even one.
fn nearest(quotient: u64, twos: i32, is_more: bool) -> f64 {
    let length = 64 - quotient.leading_zeros() as i32;
    let dropped = (length - BITS).max(LEAST - twos);
    if dropped > 64 {
        return 0.0;
    }
    let wide = u128::from(quotient);
    let (kept, rest) = ((wide >> dropped) as u64, wide & ((1 << dropped) - 1));
    let up = match rest.cmp(&(1 << (dropped - 1))) {
        Ordering::Greater => true,
        Ordering::Equal => is_more || kept & 1 == 1,
        Ordering::Less => false,
    };
    let significand = kept + u64::from(up);
    // rounding up may give one bit more: then it runs over into the exponent, as it should
    match (twos + dropped - LEAST) as u64 {
        2046.. => f64::INFINITY,
        exponent => f64::from_bits(significand + (exponent << (BITS - 1))),
    }
}

/// The fewest digits that name a float that is neither zero nor negative, of as few the nearest;
/// and where the point stands, counted from before the first.
pub(super) fn digits(float: f64) -> (Vec<u8>, i32) {
    let fraction = float.to_bits() & ((1 << (BITS - 1)) - 1);
    let exponent = (float.to_bits() >> (BITS - 1)) as i32;
    let (significand, twos) = match exponent {
        0 => (fraction, LEAST),
        _ => (fraction | 1 << (BITS - 1), exponent - 1 + LEAST),
    };
    let is_even = significand & 1 == 0;
    // above / below is the float; it reads back if it is off by half its distance to the next
    // one up, or down: that is half as far where the exponent changes
    let is_edge = fraction == 0 && exponent > 1;
    let mut above = Big::new(significand << if is_edge { 2 } else { 1 });
    let (mut below, mut up) =
        (Big::new(if is_edge { 4 } else { 2 }), Big::new(if is_edge { 2 } else { 1 }));
    let mut down = Big::new(1);
    match u32::try_from(twos) {
        Ok(twos) => [&mut above, &mut up, &mut down].into_iter().for_each(|big| big.shift(twos)),
        Err(_) => below.shift(twos.unsigned_abs()),
    }
    // a little too low, as log10(2) is 0.30103
    let magnitude = twos + 63 - significand.leading_zeros() as i32;
    let mut point = (magnitude * if magnitude < 0 { 1234 } else { 1233 }) >> 12;
    match u32::try_from(point) {
        Ok(tens) => below.scale(tens),
        Err(_) => [&mut above, &mut up, &mut down]
            .into_iter()
            .for_each(|big| big.scale(point.unsigned_abs())),
    }
    let reaches = |above: &Big, up: &Big, below: &Big| {
        let mut sum = above.clone();
        sum.add(up);
        let order = sum.compare(below);
        order == Ordering::Greater || (is_even && order == Ordering::Equal)
    };
    while reaches(&above, &up, &below) {
        below.mul_add(10, 0);
        point += 1;
    }
    let mut digits = Vec::with_capacity(17);
    loop {
        [&mut above, &mut up, &mut down].into_iter().for_each(|big| big.mul_add(10, 0));
        let digit = above.take_out(&below) as u8;
        let order = above.compare(&down);
        let is_low = order == Ordering::Less || (is_even && order == Ordering::Equal);
        let is_high = reaches(&above, &up, &below);
        if !is_low && !is_high {
            digits.push(digit);
            continue;
        }
        above.mul_add(2, 0);
        let nearer_up = above.compare(&below) != Ordering::Less;
        digits.push(digit + u8::from(is_high && (!is_low || nearer_up)));
        return (digits, point);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, test_runner::RngSeed};

    use super::*;

    /// As the standard library has it.
    fn same(text: &str) {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(parse(text.as_bytes()).to_bits(), expected.to_bits(), "{text}");
    }

    fn same_digits(float: f64) {
        let (digits, point) = digits(float);
        let digits: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let expected = format!("{float:e}");
        let (mantissa, exponent) = expected.split_once('e').unwrap();
        assert_eq!(digits, mantissa.replace('.', ""), "{float:e}");
        assert_eq!(point, exponent.parse::<i32>().unwrap() + 1, "{float:e}");
        assert_eq!(parse(expected.as_bytes()).to_bits(), float.to_bits(), "{float:e}");
    }

    #[test]
    fn the_edges_of_what_a_float_is() {
        let least = f64::from_bits(1);
        for float in [f64::MAX, f64::MIN_POSITIVE, least, 1.0, 9.5, 2.0, 1e22, 1e23, 5e-324, 0.3] {
            same_digits(float);
            same_digits(f64::from_bits(float.to_bits() + 1).min(f64::MAX));
            same_digits(f64::from_bits(float.to_bits() - 1).max(least));
        }
        (1..2046).for_each(|exponent| same_digits(f64::from_bits(exponent << 52)));
        (-323..=308).for_each(|tens| same_digits(format!("1e{tens}").parse().unwrap()));
        for text in [
            "0.0",
            "0e5",
            "1e400",
            "1e-400",
            "2e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "4e-324",
            "2.2250738585072011e-308",
            "0e99999999999",
            "1e99999999999",
            "1e-99999999999",
            "0.000000000000000000000000000000000000001e39",
            "9007199254740993.0",
            "9007199254740992.999999999999999999999",
            "9007199254740993.00000000000000000001",
        ] {
            same(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(7), ..Default::default() })]

        #[test]
        fn floats_have_the_digits_of_the_standard_library(bits in 1..f64::INFINITY.to_bits()) {
            same_digits(f64::from_bits(bits));
        }

        #[test]
        fn numbers_are_the_floats_of_the_standard_library(
            text in "[0-9]{1,25}(\\.[0-9]{1,25})?[eE][+-]?[0-9]{1,3}"
        ) {
            same(&text);
        }

        #[test]
        fn what_lies_between_two_floats_goes_to_the_nearer(
            bits in 1..f64::MAX.to_bits(), more in prop::sample::select(vec!["", "0", "1", "000001"])
        ) {
            let exact = |float: f64| format!("{float:.1100}");
            let (one, other) = (exact(f64::from_bits(bits)), exact(f64::from_bits(bits + 1)));
            let len = 1 + one.len().max(other.len());
            let pad = |text: String| format!("{text:0>len$}").into_bytes();
            let (mut sum, other) = (pad(one), pad(other));
            let mut carry = 0;
            for (digit, other) in sum.iter_mut().zip(&other).rev().filter(|(digit, _)| **digit != b'.') {
                let both = *digit - b'0' + (other - b'0') + carry;
                (*digit, carry) = (b'0' + both % 10, both / 10);
            }
            let mut rest = 0;
            for digit in sum.iter_mut().filter(|digit| **digit != b'.') {
                let whole = 10 * rest + (*digit - b'0');
                (*digit, rest) = (b'0' + whole / 2, whole % 2);
            }
            let mut half = String::from_utf8(sum).unwrap();
            half.push_str(if rest == 1 { "5" } else { "" });
            half.push_str(more);
            same(&half);
        }
    }
}
