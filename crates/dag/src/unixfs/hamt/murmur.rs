//! MurmurHash3 in its 128-bit form for 64-bit machines, of which tries use the first half.

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// The first 64 bits of the hash of `name`, under seed 0. Its highest bits are used first.
pub fn hash(name: &[u8]) -> u64 {
    let (mut a, mut b) = (0_u64, 0_u64);
    let (blocks, tail) = name.as_chunks::<16>();
    for block in blocks {
        let (left, right) = halves(block);
        a = (a ^ left).rotate_left(27).wrapping_add(b).wrapping_mul(5).wrapping_add(0x52dc_e729);
        b = (b ^ right).rotate_left(31).wrapping_add(a).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    // zeros change nothing here
    let mut last = [0; 16];
    last[..tail.len()].copy_from_slice(tail);
    let (left, right) = halves(&last);
    let len = name.len() as u64;
    a ^= left ^ len;
    b ^= right ^ len;
    a = a.wrapping_add(b);
    b = b.wrapping_add(a);
    finish(a).wrapping_add(finish(b))
}

/// Both halves of 16 bytes, each mixed by itself.
fn halves(block: &[u8; 16]) -> (u64, u64) {
    let whole = u128::from_le_bytes(*block);
    let (left, right) = (whole as u64, (whole >> 64) as u64);
    (
        left.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2),
        right.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1),
    )
}

fn finish(mut half: u64) -> u64 {
    half ^= half >> 33;
    half = half.wrapping_mul(0xff51_afd7_ed55_8ccd);
    half ^= half >> 33;
    half = half.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    half ^ half >> 33
}

#[cfg(test)]
mod tests {
    use super::hash;

    /// Figures of the reference implementation.
    #[test]
    fn known_hashes() {
        for (name, expected) in [
            ("", 0),
            ("hello", 0xcbd8_a7b3_41bd_9b02),
            ("hello, world", 0x342f_ac62_3a5e_bc8e),
            ("19 Jan 2038 at 3:14:07 AM", 0xb89e_5988_b737_affc),
            ("The quick brown fox jumps over the lazy dog.", 0xcd99_481f_9ee9_02c9),
        ] {
            assert_eq!(hash(name.as_bytes()), expected, "{name:?}");
        }
    }
}
