//! Cuts where the Rabin fingerprint of 16 bytes ends in zero bits, as Kubo does.
//!
//! Bytes are taken for a polynomial over the field of two elements; the fingerprint is its
//! remainder by an irreducible polynomial, and a byte enters or leaves it by one table look-up.

use std::sync::OnceLock;

use super::rolling::{Roll, Rolling, one_by_one};

/// The polynomial by which Kubo cuts (boxo's `IpfsRabinPoly`).
const POLYNOMIAL: u64 = 17_437_180_132_763_653;
/// Its degree: a fingerprint has so many bits.
const DEGREE: u32 = 63 - POLYNOMIAL.leading_zeros();
/// Bytes that a fingerprint covers.
const WINDOW: usize = crate::unixfs::MIN_RABIN;

/// The fingerprint with the mask that says which of its bits are zero at a cut.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    mask: u64,
    tables: &'static Tables,
}

pub type Rabin = Rolling<Fingerprint, WINDOW>;

impl Rabin {
    pub(super) fn new(min: usize, avg: usize, max: usize) -> Self {
        static TABLES: OnceLock<Tables> = OnceLock::new();
        let mask = (1 << avg.max(1).ilog2()) - 1;
        let tables = TABLES.get_or_init(Tables::new);
        Self::with(Fingerprint { mask, tables }, min, max)
    }
}

impl Roll<WINDOW> for Fingerprint {
    type State = u64;

    const ZEROS: u64 = 0;

    fn slide(&self, state: u64, old: u8, new: u8) -> u64 {
        append(&self.tables.reduce, state ^ self.tables.leave[usize::from(old)], new)
    }

    fn is_end(&self, state: u64) -> bool {
        state & self.mask == 0
    }

    fn scan(&self, mut state: u64, bytes: &[u8]) -> (u64, Option<usize>) {
        let mut at = 0;
        while let Some(stretches) = bytes[at..].first_chunk() {
            let found;
            (state, found) = self.side_by_side(state, stretches);
            if let Some(end) = found {
                return (state, Some(at + end));
            }
            at += LANES * STRETCH;
        }
        let (state, found) = one_by_one(self, state, &bytes[at..]);
        (state, found.map(|end| at + end))
    }
}

/// Stretches that are gone over side by side.
const LANES: usize = 4;
/// Bytes of each: few against a usual chunk, as what lies behind its end is gone over in vain.
const STRETCH: usize = 1024;

impl Fingerprint {
    /// As `scan`. A fingerprint must wait for the one before it, which takes most of its time;
    /// but as the window alone makes it, one can begin anywhere, and several wait together.
    fn side_by_side(
        &self,
        state: u64,
        bytes: &[u8; WINDOW + LANES * STRETCH],
    ) -> (u64, Option<usize>) {
        let lane = |lane: usize| &bytes[lane * STRETCH..][..WINDOW + STRETCH];
        let begin =
            |lane: &[u8]| lane[..WINDOW].iter().fold(0, |state, new| self.slide(state, 0, *new));
        let (one, two, three, four) = (lane(0), lane(1), lane(2), lane(3));
        let (mut a, mut b, mut c, mut d) = (state, begin(two), begin(three), begin(four));
        let mut first = usize::MAX;
        // each by its name: only so do the states stay in registers when code is built to be small
        for at in 0..STRETCH {
            a = self.slide(a, one[at], one[at + WINDOW]);
            b = self.slide(b, two[at], two[at + WINDOW]);
            c = self.slide(c, three[at], three[at + WINDOW]);
            d = self.slide(d, four[at], four[at + WINDOW]);
            for (lane, state) in [a, b, c, d].into_iter().enumerate() {
                if self.is_end(state) {
                    first = first.min(lane * STRETCH + at + WINDOW + 1);
                }
            }
        }
        (d, (first < usize::MAX).then_some(first))
    }
}

#[derive(Debug)]
struct Tables {
    /// The fingerprint of each byte followed by a window but one of zeros: what it still counts
    /// for when it leaves.
    leave: [u64; 256],
    /// What to add so that eight bits above the degree go and their remainder comes.
    reduce: [u64; 256],
}

impl Tables {
    fn new() -> Self {
        let mut reduce = [0; 256];
        for (value, byte) in reduce.iter_mut().zip(0u64..) {
            let high = byte << DEGREE;
            let rest = (DEGREE..DEGREE + 8).rev().fold(high, |rest, bit| {
                if rest >> bit & 1 == 1 { rest ^ POLYNOMIAL << (bit - DEGREE) } else { rest }
            });
            *value = high | rest;
        }
        let mut leave = [0; 256];
        for (value, byte) in leave.iter_mut().zip(0..=u8::MAX) {
            let zeros = 1..WINDOW;
            *value = zeros.fold(append(&reduce, 0, byte), |state, _| append(&reduce, state, 0));
        }
        Self { leave, reduce }
    }
}

fn append(reduce: &[u64; 256], state: u64, byte: u8) -> u64 {
    let high = (state >> (DEGREE - 8)) as u8;
    (state << 8 | u64::from(byte)) ^ reduce[usize::from(high)]
}
