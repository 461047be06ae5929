//! To whom of several a block falls.

use std::hash::{Hash, Hasher};

use avocet_dag::Cid;

/// A number that all who gather the same work out alike, whatever they are built for and with: where two disagree, each may
/// leave a block to the other, and both wait. The standard library's hasher promises that of no two of its releases, and
/// takes lengths as wide as the machine's words.
pub(crate) fn lot<P: Hash>(peer: P, cid: &Cid) -> u64 {
    let mut fnv = Fnv(0xcbf2_9ce4_8422_2325);
    peer.hash(&mut fnv);
    fnv.write(cid.hash().digest());
    fnv.finish()
}

/// FNV-1a of 64 bits. Numbers are taken in as on a machine of 64 bits with the lowest byte first.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.write(&number.to_le_bytes());
    }

    fn write_u32(&mut self, number: u32) {
        self.write(&number.to_le_bytes());
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    /// Mixed once more, as splitmix64 does: of two peers whose sums end in the same byte one would be ahead by the same
    /// for every block.
    fn finish(&self) -> u64 {
        let mut sum = self.0;
        sum = (sum ^ (sum >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        sum = (sum ^ (sum >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        sum ^ (sum >> 31)
    }
}

#[cfg(test)]
mod tests {
    use avocet_dag::{Multihash, code};

    use super::*;

    fn cid(number: u32) -> Cid {
        let bytes = number.to_be_bytes();
        Cid::new_v1(code::RAW, Multihash::hash(code::SHA2_256, &bytes).unwrap())
    }

    #[test]
    fn lots_are_the_same_in_every_build() {
        assert_eq!(lot(7_u64, &cid(1)), 2_440_098_338_415_908_492);
        assert_eq!(lot(7_usize, &cid(1)), lot(7_u64, &cid(1)));
        assert_eq!(lot([1_u8, 2, 3].as_slice(), &cid(1)), 13_562_749_339_408_673_423);
    }

    #[test]
    fn of_any_two_each_gets_about_half() {
        let cids: Vec<_> = (0..200).map(cid).collect();
        let lots = |peer: u64| cids.iter().map(|cid| lot(peer, cid)).collect::<Vec<_>>();
        let all: Vec<_> =
            (0..64).map(|n: u64| lots(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        for (at, mine) in all.iter().enumerate() {
            for theirs in &all[..at] {
                let won = mine.iter().zip(theirs).filter(|(mine, theirs)| mine > theirs).count();
                assert!((60..=140).contains(&won), "{won} of 200");
            }
        }
    }
}
