//! Whole numbers of any size, as little of them as exact floats need.

use std::cmp::Ordering;

/// The digits of 2^32, the lowest first, without zeros at the end.
///
/// At most about 4700 bits: [`MAX_NUMBER`](super::MAX_NUMBER) decimal digits, and an exponent
/// that has been found to be within a float's.
#[derive(Clone)]
pub(super) struct Big(Vec<u32>);

impl Big {
    pub fn new(value: u64) -> Self {
        let mut big = Self(vec![value as u32, (value >> 32) as u32]);
        big.trim();
        big
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bits it has, without leading zeros.
    pub fn bits(&self) -> i32 {
        let top = self.0.last().map_or(0, |top| 32 - top.leading_zeros());
        32 * (self.0.len() as i32 - 1).max(0) + top as i32
    }

    /// Times `factor`, plus `more`.
    pub fn mul_add(&mut self, factor: u32, more: u32) {
        let mut carry = u64::from(more);
        for digit in &mut self.0 {
            carry += u64::from(*digit) * u64::from(factor);
            *digit = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Times five to the power of `times`, thirteen at once: 5^13 is below 2^32.
    pub fn times_five(&mut self, times: u32) {
        for _ in 0..times / 13 {
            self.mul_add(5_u32.pow(13), 0);
        }
        self.mul_add(5_u32.pow(times % 13), 0);
    }

    /// Times ten to the power of `tens`.
    pub fn scale(&mut self, tens: u32) {
        self.times_five(tens);
        self.shift(tens);
    }

    /// Times two to the power of `bits`.
    pub fn shift(&mut self, bits: u32) {
        self.mul_add(1 << (bits % 32), 0);
        if !self.is_zero() {
            self.0.splice(0..0, std::iter::repeat_n(0, bits as usize / 32));
        }
    }

    pub fn add(&mut self, other: &Self) {
        let len = self.0.len().max(other.0.len());
        self.0.resize(len, 0);
        let mut carry = 0;
        for (at, digit) in self.0.iter_mut().enumerate() {
            carry += u64::from(*digit) + u64::from(other.0.get(at).copied().unwrap_or(0));
            *digit = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Less `other` as often as it is in there; gives how often, which had better be seldom.
    pub fn take_out(&mut self, other: &Self) -> u32 {
        let mut times = 0;
        while self.compare(other) != Ordering::Less {
            let mut borrow = 0;
            for (at, digit) in self.0.iter_mut().enumerate() {
                let less = i64::from(other.0.get(at).copied().unwrap_or(0)) + borrow;
                let left = i64::from(*digit) - less;
                *digit = left as u32;
                borrow = i64::from(left < 0);
            }
            self.trim();
            times += 1;
        }
        times
    }

    /// The next 32 bits of the quotient by `other`, which is greater than this and has the top bit
    /// of its first digit; what remains is kept.
    pub fn next_digit(&mut self, other: &Self) -> u32 {
        self.shift(32);
        let len = other.0.len();
        self.0.resize(len + 1, 0);
        let top = u64::from(self.0[len]) << 32 | u64::from(self.0[len - 1]);
        // too much by two at most (Knuth, The Art of Computer Programming, 4.3.1)
        let guess = (top / u64::from(other.0[len - 1])).min(u32::MAX.into());
        let (mut product, mut borrow) = (0, 0);
        for (at, digit) in self.0.iter_mut().enumerate() {
            product += guess * u64::from(other.0.get(at).copied().unwrap_or(0));
            let left = i64::from(*digit) - i64::from(product as u32) - borrow;
            (*digit, borrow) = (left as u32, i64::from(left < 0));
            product >>= 32;
        }
        let mut too_much = 0;
        while borrow > 0 {
            let mut carry = 0;
            for (at, digit) in self.0.iter_mut().enumerate() {
                carry += u64::from(*digit) + u64::from(other.0.get(at).copied().unwrap_or(0));
                (*digit, carry) = (carry as u32, carry >> 32);
            }
            borrow -= carry as i64;
            too_much += 1;
        }
        self.trim();
        guess as u32 - too_much
    }

    pub fn compare(&self, other: &Self) -> Ordering {
        let (own, others) = (self.0.iter().rev(), other.0.iter().rev());
        self.0.len().cmp(&other.0.len()).then_with(|| own.cmp(others))
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}
