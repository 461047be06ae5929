//! Which attempts a dial makes, and in which order.
//!
//! For each certificate hash first the second version, as the specification asks, then the first.
//! Whoever drives this begins the next attempt when one fails, or has had its
//! [head start](super::HEAD_START); the first that succeeds is the connection.

use std::collections::VecDeque;

use super::sdp::{Fingerprint, Version};

/// One attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// How the server learns our password.
    pub version: Version,
    /// What its certificate must be.
    pub certificate: Fingerprint,
}

/// The attempts that are left.
#[derive(Debug)]
pub struct Attempts {
    left: VecDeque<Attempt>,
}

impl Attempts {
    /// All attempts for a server with one of these certificates.
    pub fn new(certificates: &[Fingerprint]) -> Self {
        let both = |certificate: &Fingerprint| {
            let certificate = *certificate;
            [Version::V2, Version::V1].map(|version| Attempt { version, certificate })
        };
        Self { left: certificates.iter().flat_map(both).collect() }
    }

    /// The next one.
    pub fn take(&mut self) -> Option<Attempt> {
        self.left.pop_front()
    }

    /// The server showed another certificate than this attempt's. It does speak its version, then:
    /// what is left is the other certificates by the same one.
    pub fn other_certificate(&mut self, attempt: Attempt) {
        self.left.retain(|left| {
            left.version == attempt.version && left.certificate != attempt.certificate
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Fingerprint = Fingerprint([1; 32]);
    const TWO: Fingerprint = Fingerprint([2; 32]);

    fn all(mut attempts: Attempts) -> Vec<(Version, Fingerprint)> {
        std::iter::from_fn(|| attempts.take()).map(|it| (it.version, it.certificate)).collect()
    }

    #[test]
    fn each_certificate_is_tried_by_both_versions_the_second_first() {
        let order = all(Attempts::new(&[ONE, TWO]));
        let (v1, v2) = (Version::V1, Version::V2);
        assert_eq!(order, [(v2, ONE), (v1, ONE), (v2, TWO), (v1, TWO)]);
    }

    #[test]
    fn net_08_another_certificate_leaves_only_the_other_hashes_and_in_the_end_nothing() {
        let mut attempts = Attempts::new(&[ONE, TWO]);
        let first = attempts.take().unwrap();
        attempts.other_certificate(first);
        let second = attempts.take().unwrap();
        assert_eq!((second.version, second.certificate), (Version::V2, TWO));
        attempts.other_certificate(second);
        assert_eq!(attempts.take(), None);
    }
}
