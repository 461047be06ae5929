//! The hash of names once more, and two names that it does not tell apart.

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// MurmurHash3 x64, the first 64 bits, word by word.
pub fn hash(bytes: &[u8]) -> u64 {
    let len = bytes.len() as u64;
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(16), 0);
    let (mut one, mut two) = (0, 0);
    for (index, block) in padded.chunks(16).enumerate() {
        let word = |from: usize| u64::from_le_bytes(block[from..from + 8].try_into().unwrap());
        if (index + 1) * 16 <= bytes.len() {
            (one, two) = step(one, two, word(0), word(8));
        } else {
            one ^= word(0).wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
            two ^= word(8).wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
        }
    }
    one ^= len;
    two ^= len;
    one = one.wrapping_add(two);
    two = two.wrapping_add(one);
    mix(one).wrapping_add(mix(two))
}

fn mix(mut word: u64) -> u64 {
    word = (word ^ word >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    word = (word ^ word >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ word >> 33
}

fn step(mut one: u64, mut two: u64, left: u64, right: u64) -> (u64, u64) {
    one ^= left.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    one = one.rotate_left(27).wrapping_add(two).wrapping_mul(5).wrapping_add(0x52dc_e729);
    two ^= right.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    two = two.rotate_left(31).wrapping_add(one).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    (one, two)
}

/// The words that lead from one state to another: a step can be undone.
fn words(from: (u64, u64), to: (u64, u64)) -> (u64, u64) {
    let undo = |state: u64, constant: u64, add: u64, turn: u32, before: u64| {
        let sum = state.wrapping_sub(constant).wrapping_mul(inverse(5));
        sum.wrapping_sub(add).rotate_right(turn) ^ before
    };
    let left = undo(to.0, 0x52dc_e729, from.1, 27, from.0);
    let right = undo(to.1, 0x3849_5ab5, to.0, 31, from.1);
    (
        left.wrapping_mul(inverse(C2)).rotate_right(31).wrapping_mul(inverse(C1)),
        right.wrapping_mul(inverse(C1)).rotate_right(33).wrapping_mul(inverse(C2)),
    )
}

/// What an odd number times its inverse is, is 1: Newton's way doubles the right bits.
fn inverse(odd: u64) -> u64 {
    let mut guess = odd;
    for _ in 0..6 {
        guess = guess.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(guess)));
    }
    guess
}

/// Two names of 32 characters with the same hash.
pub fn same_hash() -> [String; 2] {
    let word = |text: &[u8]| u64::from_le_bytes(text.try_into().unwrap());
    let first = "the first of two names with one ".to_owned();
    let (a, b) = first.as_bytes().split_at(16);
    let middle = step(0, 0, word(&a[..8]), word(&a[8..]));
    let end = step(middle.0, middle.1, word(&b[..8]), word(&b[8..]));
    for number in 0_u64.. {
        let start = format!("{number:016}");
        let other = start.as_bytes();
        let state = step(0, 0, word(&other[..8]), word(&other[8..]));
        let (left, right) = words(state, end);
        let rest = [left.to_le_bytes(), right.to_le_bytes()].concat();
        let fits = |byte: &u8| matches!(byte, 1..=0x7f) && *byte != b'/';
        if rest.iter().all(fits) {
            let second = start + std::str::from_utf8(&rest).unwrap();
            assert_eq!(hash(first.as_bytes()), hash(second.as_bytes()));
            return [first, second];
        }
    }
    unreachable!("there are more numbers than it takes")
}
