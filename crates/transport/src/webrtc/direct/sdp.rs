//! The session descriptions of `/webrtc-direct`: what is read from our own, and the one that is
//! made up for the server.

use std::fmt::{self, Write};

use thiserror::Error;

use super::address::Target;

/// The SHA-256 hash of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// How the server learns our ICE password, without which it cannot answer our checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// User name and password of both sides are the same: our own offer is rewritten.
    V1,
    /// The server's user name carries our password: our own offer stays.
    V2,
}

/// Why our own offer is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OfferError {
    /// It has no password, or one that no ICE password may be (RFC 8839, 5.4).
    #[error("the browser's offer has no usable ICE password")]
    Password,
    /// It has no SHA-256 fingerprint of our certificate.
    #[error("the browser's offer has no SHA-256 fingerprint")]
    Fingerprint,
    /// What we wrote into it is not in it.
    #[error("the browser did not take the rewritten offer")]
    NotRewritten,
}

/// What our own offer says of us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// `a=ice-ufrag`.
    pub user: String,
    /// `a=ice-pwd`: 22 characters or more, none of which can end a line.
    pub password: String,
    /// Of our certificate.
    pub fingerprint: Fingerprint,
    /// `a=mid`, the name of its one section.
    pub section: String,
}

impl Version {
    /// What the server's user name begins with, and by what it tells the versions apart.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::V1 => "libp2p+webrtc+v1/",
            Self::V2 => "libp2p+webrtc+v2/",
        }
    }
}

/// The shortest ICE password and the longest user name (RFC 8839, 5.4).
const PASSWORD_MIN: usize = 22;
const USER_MAX: usize = 256;

impl Offer {
    /// Reads a session description of the browser's.
    pub fn read(sdp: &str) -> Result<Self, OfferError> {
        let value = |name: &str| {
            let mut lines = sdp.lines().map(str::trim_end);
            lines.find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
        };
        let password = value("ice-pwd").filter(|it| it.len() >= PASSWORD_MIN);
        let password = password.filter(|it| is_ice(it)).ok_or(OfferError::Password)?;
        let fingerprint = value("fingerprint").and_then(Fingerprint::read);
        let section = value("mid").filter(|it| is_ice(it)).unwrap_or("0");
        Ok(Self {
            user: value("ice-ufrag").unwrap_or_default().to_owned(),
            password: password.to_owned(),
            fingerprint: fingerprint.ok_or(OfferError::Fingerprint)?,
            section: section.to_owned(),
        })
    }

    /// The server's user name and password: our own password with the version before it. In the
    /// first version they are ours as well, where any random string would do.
    pub fn server_user(&self, version: Version) -> Result<String, OfferError> {
        let user = format!("{}{}", version.prefix(), self.password);
        if user.len() <= USER_MAX { Ok(user) } else { Err(OfferError::Password) }
    }
}

/// The offer with `user` as user name and password: what the first version requires.
pub fn rewrite(offer: &str, user: &str) -> String {
    let mut rewritten = String::with_capacity(offer.len() + 2 * user.len());
    for line in offer.lines() {
        match ["a=ice-ufrag:", "a=ice-pwd:"].into_iter().find(|name| line.starts_with(name)) {
            Some(name) => rewritten.extend([name, user]),
            None => rewritten.push_str(line),
        }
        rewritten.push_str("\r\n");
    }
    rewritten
}

/// What the server would answer: `user` as its user name and password, DTLS's passive side with
/// the certificate `certificate`, and its one address. Its messages and ours are limited to what
/// the framing allows.
pub fn answer(target: &Target, certificate: Fingerprint, user: &str, section: &str) -> String {
    let Target { host, port, .. } = target;
    let family = if host.is_ipv6() { 6 } else { 4 };
    format!(
        "v=0\r\n\
         o=- 0 0 IN IP{family} {host}\r\n\
         s=-\r\n\
         t=0 0\r\n\
         a=ice-lite\r\n\
         m=application {port} UDP/DTLS/SCTP webrtc-datachannel\r\n\
         c=IN IP{family} {host}\r\n\
         a=mid:{section}\r\n\
         a=ice-options:ice2\r\n\
         a=ice-ufrag:{user}\r\n\
         a=ice-pwd:{user}\r\n\
         a=fingerprint:sha-256 {certificate}\r\n\
         a=setup:passive\r\n\
         a=sctp-port:5000\r\n\
         a=max-message-size:16384\r\n\
         a=candidate:1 1 UDP 2130706431 {host} {port} typ host\r\n\
         a=end-of-candidates\r\n"
    )
}

/// What the Noise handshake is bound to: both certificates, the browser's first.
pub fn prologue(browser: Fingerprint, server: Fingerprint) -> Vec<u8> {
    let mut prologue = b"libp2p-webrtc-noise:".to_vec();
    for Fingerprint(digest) in [browser, server] {
        // a multihash: SHA-256, 32 bytes
        prologue.extend([0x12, 0x20]);
        prologue.extend(digest);
    }
    prologue
}

impl Fingerprint {
    /// Reads the value of `a=fingerprint`: `sha-256 12:34:…`.
    pub fn read(text: &str) -> Option<Self> {
        let (function, digits) = text.split_once(' ')?;
        if !function.eq_ignore_ascii_case("sha-256") {
            return None;
        }
        let mut digest = [0; 32];
        let mut pairs = digits.split(':');
        for byte in &mut digest {
            let pair = pairs.next().filter(|it| it.len() == 2)?;
            let hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(pair, 16).ok().filter(|_| hex)?;
        }
        pairs.next().is_none().then_some(Self(digest))
    }
}

impl fmt::Display for Fingerprint {
    /// As in a session description: `12:34:AB:…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_char(':')?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

/// Whether it is made of the characters that ICE allows (RFC 8839, 5.4).
fn is_ice(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'+' || it == b'/')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PASSWORD: &str = "Zdh1BVfWx0123456789abc+/";

    /// An offer as Chromium writes it.
    fn offer(fingerprint: &str) -> String {
        format!(
            "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
             a=ice-ufrag:ab/c\r\na=ice-pwd:{PASSWORD}\r\na=ice-options:trickle\r\n\
             a=fingerprint:{fingerprint}\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n\
             a=max-message-size:262144\r\n"
        )
    }

    fn target(host: &str) -> Target {
        let hash = "uEiABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";
        let address = format!("{host}/udp/4001/webrtc-direct/certhash/{hash}");
        Target::parse(&address.parse().unwrap()).unwrap()
    }

    /// The values of an attribute.
    fn values<'a>(sdp: &'a str, name: &str) -> Vec<&'a str> {
        let prefix = format!("a={name}:");
        sdp.split("\r\n").filter_map(|line| line.strip_prefix(prefix.as_str())).collect()
    }

    #[test]
    fn the_prologue_is_that_of_the_specification_s_vector() {
        let hex = |text: &str| {
            let pairs: Vec<_> =
                text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
            pairs.iter().map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect::<Vec<_>>()
        };
        let of = |text| Fingerprint(hex(text).try_into().unwrap());
        let browser = of("3e79af40d6059617a0d83b83a52ce73b0c1f37a72c6043ad2969e2351bdca870");
        let server = of("30fc9f469c207419dfdd0aab5f27a86c973c94e40548db9375cca2e915973b99");
        let expected = "6c69627032702d7765627274632d6e6f6973653a12203e79af40d6059617a0d83b83\
                        a52ce73b0c1f37a72c6043ad2969e2351bdca870122030fc9f469c207419dfdd0aab5f27a86c973c94e4\
                        0548db9375cca2e915973b99";
        assert_eq!(prologue(browser, server), hex(expected));
    }

    #[test]
    fn our_own_offer_is_read() {
        let shown = Fingerprint([0xab; 32]).to_string();
        let read = Offer::read(&offer(&format!("sha-256 {shown}"))).unwrap();
        assert_eq!((read.user.as_str(), read.password.as_str()), ("ab/c", PASSWORD));
        assert_eq!((read.fingerprint, read.section.as_str()), (Fingerprint([0xab; 32]), "0"));
        let lower = offer(&format!("SHA-256 {}", shown.to_lowercase()));
        assert_eq!(Offer::read(&lower).unwrap(), read);
        assert_eq!(read.server_user(Version::V2).unwrap(), format!("libp2p+webrtc+v2/{PASSWORD}"));
    }

    #[test]
    fn an_offer_without_password_or_fingerprint_ends_the_dial() {
        let good = offer(&format!("sha-256 {}", Fingerprint([1; 32])));
        for bad in ["", "short", "a password with spaces in it", &"x".repeat(240)] {
            let changed = good.replace(PASSWORD, bad);
            let user = Offer::read(&changed).and_then(|offer| offer.server_user(Version::V2));
            assert_eq!(user, Err(OfferError::Password), "{bad}");
        }
        for bad in ["sha-512 01:02", "sha-256 01:02", "sha-256", "", "sha-256 +1:02"] {
            assert_eq!(Offer::read(&offer(bad)), Err(OfferError::Fingerprint), "{bad}");
        }
        let longer = format!("sha-256 {}:00", Fingerprint([1; 32]));
        assert_eq!(Offer::read(&offer(&longer)), Err(OfferError::Fingerprint));
    }

    #[test]
    fn rewriting_changes_user_and_password_alone() {
        let before = offer("sha-256 x");
        let after = rewrite(&before, "libp2p+webrtc+v1/abc");
        assert_eq!(values(&after, "ice-ufrag"), ["libp2p+webrtc+v1/abc"]);
        assert_eq!(values(&after, "ice-pwd"), ["libp2p+webrtc+v1/abc"]);
        let others = |sdp: &str| -> Vec<_> {
            sdp.lines().filter(|line| !line.starts_with("a=ice-")).map(str::to_owned).collect()
        };
        assert_eq!(others(&after), others(&before));
    }

    #[test]
    fn the_answer_is_that_of_a_passive_server_at_its_address() {
        for (host, at, candidate) in [
            ("/ip4/1.2.3.4", "IP4 1.2.3.4", "1.2.3.4"),
            ("/ip6/2001:db8::1", "IP6 2001:db8::1", "2001:db8::1"),
        ] {
            let sdp = answer(&target(host), Fingerprint([1; 32]), "libp2p+webrtc+v2/p", "data");
            assert!(sdp.contains(&format!("\r\nc=IN {at}\r\n")), "{sdp}");
            assert!(sdp.contains("\r\na=ice-lite\r\n"));
            assert!(sdp.contains("\r\nm=application 4001 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
            for (name, value) in [
                ("mid", "data"),
                ("ice-ufrag", "libp2p+webrtc+v2/p"),
                ("ice-pwd", "libp2p+webrtc+v2/p"),
                ("setup", "passive"),
                ("sctp-port", "5000"),
                ("max-message-size", "16384"),
                ("fingerprint", &format!("sha-256 01{}", ":01".repeat(31))),
                ("candidate", &format!("1 1 UDP 2130706431 {candidate} 4001 typ host")),
            ] {
                assert_eq!(values(&sdp, name), [value], "{name}");
            }
        }
    }

    proptest! {
        #[test]
        fn fingerprints_come_back(digest in any::<[u8; 32]>()) {
            let shown = format!("sha-256 {}", Fingerprint(digest));
            prop_assert_eq!(Fingerprint::read(&shown), Some(Fingerprint(digest)));
        }

        #[test]
        fn whatever_an_offer_holds_no_line_of_the_answer_is_its(
            tail in "[ -~\r\n]{0,40}", section in "[ -~]{0,20}",
        ) {
            let sdp = offer(&format!("sha-256 {}", Fingerprint([1; 32])))
                .replace(PASSWORD, &format!("{PASSWORD}{tail}"))
                .replace("a=mid:0", &format!("a=mid:{section}"));
            let Ok(read) = Offer::read(&sdp) else { return Ok(()) };
            let Ok(user) = read.server_user(Version::V2) else { return Ok(()) };
            let made = answer(&target("/ip4/1.2.3.4"), read.fingerprint, &user, &read.section);
            let plain = answer(&target("/ip4/1.2.3.4"), read.fingerprint, "u", "0");
            prop_assert_eq!(made.lines().count(), plain.lines().count());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(a=(ice-pwd|ice-ufrag|fingerprint|mid):?[ -~]{0,60}\r?\n){0,6}") {
            let _ = Offer::read(&text);
            let _ = rewrite(&text, "user");
        }
    }
}
