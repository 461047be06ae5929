//! The encodings of the multibase table, small.
//!
//! Stands in for the crate of the same name, by `[patch.crates-io]` of this workspace: that one brings a codec of its
//! own for each alphabet, about 30 KB of gzipped wasm. Here one loop does all alphabets whose size is a power of two,
//! and another all others. The alphabets are those of the table (multiformats/multibase, `multibase.csv`).
//!
//! Strict where the other is lax: a letter of the wrong case is refused.

mod coding;

use coding::{base45, bits_to_text, change_base, from_base45, letter, text_to_bits, values};

/// Why a text is not what its base says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No base has this code.
    #[error("{0:?} is the code of no base")]
    UnknownBase(char),
    /// A character that the alphabet lacks, or a length or padding that cannot be.
    #[error("the text does not follow its base")]
    InvalidBaseString,
}

/// What decoding gives.
pub type Result<T> = std::result::Result<T, Error>;

/// The longest text that the bases whose size is no power of two decode, in characters: their time grows with the
/// square of it. A CID has at most 1344, in base 2.
pub const MAX_TEXT: usize = 4096;

/// How bytes become characters.
enum Kind {
    /// The bytes are the text.
    Same,
    /// So many bits a character; whether the end is filled up with `=`.
    Bits(u32, &'static [u8], bool),
    /// One large number, a digit a character.
    Number(&'static [u8]),
    /// Two bytes in three characters (RFC 9285).
    Base45(&'static [u8]),
    /// A byte a character.
    Emoji,
}

macro_rules! bases {
    ($($(#[$doc:meta])* $name:ident $code:literal $kind:expr;)*) => {
        /// A base of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Base {
            $($(#[$doc])* $name,)*
        }

        impl Base {
            /// The base of a code.
            pub const fn from_code(code: char) -> Result<Self> {
                match code {
                    $($code => Ok(Self::$name),)*
                    _ => Err(Error::UnknownBase(code)),
                }
            }

            /// The character that names it at the beginning of a text.
            pub const fn code(&self) -> char {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            const fn kind(self) -> Kind {
                match self {
                    $(Self::$name => $kind,)*
                }
            }
        }
    };
}

const LOWER: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const RFC32_LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
const RFC32_UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const Z32: &[u8] = b"ybndrfg8ejkmcpqxot1uwisza345h769";
const FLICKR: &[u8] = b"123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
const BITCOIN: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const RFC64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const RFC64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const QR: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

bases! {
    /// The bytes as they are.
    Identity '\0' Kind::Same;
    /// Binary digits.
    Base2 '0' Kind::Bits(1, LOWER, false);
    /// Octal digits.
    Base8 '7' Kind::Bits(3, LOWER, false);
    /// A decimal number.
    Base10 '9' Kind::Number(LOWER.split_at(10).0);
    /// Hexadecimal.
    Base16Lower 'f' Kind::Bits(4, LOWER, false);
    /// Hexadecimal, capitals.
    Base16Upper 'F' Kind::Bits(4, UPPER, false);
    /// RFC 4648 without padding.
    Base32Lower 'b' Kind::Bits(5, RFC32_LOWER, false);
    /// RFC 4648 without padding, capitals.
    Base32Upper 'B' Kind::Bits(5, RFC32_UPPER, false);
    /// RFC 4648 with padding.
    Base32PadLower 'c' Kind::Bits(5, RFC32_LOWER, true);
    /// RFC 4648 with padding, capitals.
    Base32PadUpper 'C' Kind::Bits(5, RFC32_UPPER, true);
    /// RFC 4648's hex alphabet without padding.
    Base32HexLower 'v' Kind::Bits(5, LOWER, false);
    /// RFC 4648's hex alphabet without padding, capitals.
    Base32HexUpper 'V' Kind::Bits(5, UPPER, false);
    /// RFC 4648's hex alphabet with padding.
    Base32HexPadLower 't' Kind::Bits(5, LOWER, true);
    /// RFC 4648's hex alphabet with padding, capitals.
    Base32HexPadUpper 'T' Kind::Bits(5, UPPER, true);
    /// z-base-32.
    Base32Z 'h' Kind::Bits(5, Z32, false);
    /// A number of digits and letters.
    Base36Lower 'k' Kind::Number(LOWER);
    /// A number of digits and capitals.
    Base36Upper 'K' Kind::Number(UPPER);
    /// RFC 9285.
    Base45 'R' Kind::Base45(QR);
    /// Flickr's alphabet.
    Base58Flickr 'Z' Kind::Number(FLICKR);
    /// Bitcoin's alphabet.
    Base58Btc 'z' Kind::Number(BITCOIN);
    /// RFC 4648 without padding.
    Base64 'm' Kind::Bits(6, RFC64, false);
    /// RFC 4648 with padding.
    Base64Pad 'M' Kind::Bits(6, RFC64, true);
    /// RFC 4648's alphabet for URLs without padding.
    Base64Url 'u' Kind::Bits(6, RFC64_URL, false);
    /// RFC 4648's alphabet for URLs with padding.
    Base64UrlPad 'U' Kind::Bits(6, RFC64_URL, true);
    /// 256 emoji.
    Base256Emoji '🚀' Kind::Emoji;
}

/// The base of a text, and its bytes.
pub fn decode(text: impl AsRef<str>) -> Result<(Base, Vec<u8>)> {
    let text = text.as_ref();
    let code = text.chars().next().ok_or(Error::InvalidBaseString)?;
    let base = Base::from_code(code)?;
    Ok((base, base.decode(&text[code.len_utf8()..])?))
}

/// The bytes as text that begins with the base's code.
pub fn encode(base: Base, bytes: impl AsRef<[u8]>) -> String {
    let mut text = base.encode(bytes);
    text.insert(0, base.code());
    text
}

impl Base {
    /// The bytes as text, without the base's code.
    pub fn encode(&self, bytes: impl AsRef<[u8]>) -> String {
        let bytes = bytes.as_ref();
        match self.kind() {
            Kind::Same => String::from_utf8_lossy(bytes).into_owned(),
            Kind::Bits(bits, alphabet, padded) => bits_to_text(bytes, bits, alphabet, padded),
            Kind::Number(alphabet) => {
                let digits = change_base(bytes.iter().copied(), 256, alphabet.len() as u32);
                digits.iter().map(|digit| letter(alphabet, u32::from(*digit))).collect()
            }
            Kind::Base45(alphabet) => {
                bytes.chunks(2).flat_map(|pair| base45(pair, alphabet)).collect()
            }
            Kind::Emoji => {
                bytes.iter().filter_map(|byte| EMOJI.chars().nth(usize::from(*byte))).collect()
            }
        }
    }

    /// The bytes of a text without the base's code.
    pub fn decode(&self, text: impl AsRef<str>) -> Result<Vec<u8>> {
        let text = text.as_ref();
        match self.kind() {
            Kind::Same => Ok(text.as_bytes().to_vec()),
            Kind::Bits(bits, alphabet, padded) => text_to_bits(text, bits, alphabet, padded),
            Kind::Number(alphabet) => {
                if text.len() > MAX_TEXT {
                    return Err(Error::InvalidBaseString);
                }
                let digits: Vec<u8> = values(text, alphabet)?;
                Ok(change_base(digits.into_iter(), alphabet.len() as u32, 256))
            }
            Kind::Base45(alphabet) => from_base45(&values(text, alphabet)?),
            Kind::Emoji => {
                let place = |c| EMOJI.chars().position(|emoji| emoji == c).map(|place| place as u8);
                text.chars().map(place).collect::<Option<_>>().ok_or(Error::InvalidBaseString)
            }
        }
    }
}

/// The table's 256 emoji, in the order of the bytes that they stand for.
const EMOJI: &str = "\
🚀🪐☄🛰🌌🌑🌒🌓🌔🌕🌖🌗🌘🌍🌏🌎🐉☀💻🖥💾💿😂❤😍🤣😊🙏💕😭😘👍\
😅👏😁🔥🥰💔💖💙😢🤔😆🙄💪😉☺👌🤗💜😔😎😇🌹🤦🎉💞✌✨🤷😱😌🌸🙌\
😋💗💚😏💛🙂💓🤩😄😀🖤😃💯🙈👇🎶😒🤭❣😜💋👀😪😑💥🙋😞😩😡🤪👊🥳\
😥🤤👉💃😳✋😚😝😴🌟😬🙃🍀🌷😻😓⭐✅🥺🌈😈🤘💦✔😣🏃💐☹🎊💘😠☝\
😕🌺🎂🌻😐🖕💝🙊😹🗣💫💀👑🎵🤞😛🔴😤🌼😫⚽🤙☕🏆🤫👈😮🙆🍻🍃🐶💁\
😲🌿🧡🎁⚡🌞🎈❌✊👋😰🤨😶🤝🚶💰🍓💢🤟🙁🚨💨🤬✈🎀🍺🤓😙💟🌱😖👶\
🥴▶➡❓💎💸⬇😨🌚🦋😷🕺⚠🙅😟😵👎🤲🤠🤧📌🔵💅🧐🐾🍒😗🤑🌊🤯🐷☎\
💧😯💆👆🎤🙇🍑❄🌴💣🐸💌📍🥀🤢👅💡💩👐📸👻🤐🤮🎼🥵🚩🍎🍊👼💍📣🥂";

#[cfg(test)]
mod tests;
