//! CIDs: their text and bytes, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use avocet_dag::{
    Block, BlockError, Cid, CidError, MAX_BLOCK, Multihash, Prefix, Version, code,
    varint::{self, VarintError},
};
use bytes::Bytes;
use multibase::Base;
use proptest::prelude::*;

const V0: &str = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
const V1: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

fn parse(text: &str) -> Result<Cid, CidError> {
    text.parse()
}

fn numbers(numbers: &[u64], digest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    numbers.iter().for_each(|number| varint::write(*number, &mut out));
    out.extend_from_slice(digest);
    out
}

#[test]
fn both_versions_are_printed_as_they_were_read() {
    for text in [V0, V1] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
    let block =
        Block::hash(Version::V1, code::RAW, code::SHA2_256, Bytes::from("hello world")).unwrap();
    assert_eq!(block.cid().to_string(), V1);
    let v1 = parse(V0).unwrap().to_v1();
    assert_eq!((v1.version(), v1.hash()), (Version::V1, parse(V0).unwrap().hash()));
}

#[test]
fn a_cid_is_small_in_memory() {
    assert!(size_of::<Cid>() <= 56, "{}", size_of::<Cid>());
}

#[test]
fn a_block_exists_only_by_hashing_or_verifying() {
    let bytes = Bytes::from("hello world");
    let cid = parse(V1).unwrap();
    assert_eq!(Block::verify(cid.clone(), bytes.clone()).unwrap().into_parts(), (cid, bytes));
    let error = Block::verify(parse(V1).unwrap(), Bytes::from("hello worle")).unwrap_err();
    assert_eq!(error, BlockError::Mismatch(parse(V1).unwrap()));
    let wrong = Block::verify_digest(parse(V1).unwrap(), [7; 32], Bytes::new()).unwrap_err();
    assert_eq!(wrong, BlockError::Mismatch(parse(V1).unwrap()));
    let v0_of_raw = Block::hash(Version::V0, code::RAW, code::SHA2_256, Bytes::new());
    assert_eq!(v0_of_raw.unwrap_err(), BlockError::Cid(CidError::Version0));
}

#[test]
fn a_digest_from_elsewhere_gives_the_same_block() {
    let bytes = Bytes::from("hello world");
    let here = Block::verify(parse(V1).unwrap(), bytes.clone()).unwrap();
    let digest = <[u8; 32]>::try_from(here.cid().hash().digest()).unwrap();
    let named = Block::from_digest(Version::V1, code::RAW, digest, bytes.clone()).unwrap();
    assert_eq!(named, here);
    assert_eq!(Block::verify_digest(parse(V1).unwrap(), digest, bytes).unwrap(), here);
    let identity = parse("bafkqabiaaebagba").unwrap();
    let error = Block::verify_digest(identity, digest, Bytes::new()).unwrap_err();
    assert_eq!(error, BlockError::Cid(CidError::Unsupported(code::IDENTITY)));
}

#[test]
fn car_24_a_block_over_2_mib() {
    let bytes = Bytes::from(vec![0; MAX_BLOCK + 1]);
    let whole = bytes.slice(1..);
    assert!(Block::hash(Version::V1, code::RAW, code::SHA2_256, whole).is_ok());
    let error = Block::hash(Version::V1, code::RAW, code::SHA2_256, bytes).unwrap_err();
    assert_eq!(error, BlockError::TooLarge(MAX_BLOCK + 1));
}

#[test]
fn identity_carries_its_content() {
    let cid = parse("bafkqabiaaebagba").unwrap();
    assert_eq!(cid.inline(), Some(&[0, 1, 2, 3, 4][..]));
    let block = Block::<Bytes>::inline(&cid).unwrap();
    assert_eq!(Block::verify(cid.clone(), block.bytes().clone()).unwrap(), block);
    assert!(Block::verify(cid, Bytes::from_static(b"other")).is_err());
    assert_eq!(Block::<Bytes>::inline(&parse(V1).unwrap()), None);
}

#[test]
fn cid_01_identity_digest_of_129_bytes() {
    let inline = |len: usize| numbers(&[1, code::RAW, code::IDENTITY, len as u64], &vec![7; len]);
    let longest = Cid::from_bytes(&inline(128)).unwrap();
    assert_eq!(parse(&longest.to_string()).unwrap(), longest);
    let error = CidError::DigestLength { code: code::IDENTITY, len: 129 };
    assert_eq!(Cid::from_bytes(&inline(129)), Err(error.clone()));
    assert_eq!(parse(&multibase::encode(Base::Base32Lower, inline(129))), Err(error));
    let too_long = Bytes::from(vec![0; 129]);
    assert!(Block::hash(Version::V1, code::RAW, code::IDENTITY, too_long).is_err());
}

#[test]
fn cid_02_insecure_hash_function() {
    let error = parse("bafksebhh7d53e").unwrap_err();
    assert!(matches!(error, CidError::Insecure { .. }), "{error:?}");
    assert!(error.to_string().contains("insecure hash"), "{error}");
    // met inside a block it can be held, and nothing can be verified by it
    let bytes = numbers(&[1, code::RAW, 0x22, 8], &[0; 8]);
    let murmur = Cid::from_bytes(&bytes).unwrap();
    assert!(matches!(murmur.check(), Err(CidError::Insecure { .. })));
    assert!(matches!(Block::verify(murmur, Bytes::new()), Err(BlockError::Cid(_))));
}

#[test]
fn cid_03_digest_below_20_bytes() {
    let error = parse("bafkreez3itiri7ghbbf6lzej7paxyxy2qznpw").unwrap_err();
    assert!(matches!(error, CidError::Insecure { code: code::SHA2_256, .. }), "{error:?}");
    let whole = parse(V1).unwrap();
    for (len, good) in [(19, false), (20, true), (31, true)] {
        let hash = Multihash::new(code::SHA2_256, &whole.hash().digest()[..len]).unwrap();
        let cid = Cid::new_v1(code::RAW, hash);
        assert_eq!(Block::verify(cid, Bytes::from("hello world")).is_ok(), good, "{len}");
    }
}

#[test]
fn cid_05_digest_length_past_the_end() {
    for len in [4, 32, 33, 64, 127, 255, 1 << 62] {
        let bytes = numbers(&[code::SHA2_256, len], &[1, 2, 3]);
        assert!(Multihash::from_bytes(&bytes).is_err(), "{len}");
        assert!(Cid::from_bytes(&[&[1, 0x55][..], &bytes].concat()).is_err(), "{len}");
    }
    for end in 0..34 {
        let bytes = &parse(V0).unwrap().to_bytes()[..end];
        assert!(Cid::from_bytes(bytes).is_err(), "{end}");
    }
}

#[test]
fn cid_06_varints_padded_to_the_maximum() {
    let padded = |value: u8| [&[value | 0x80][..], &[0x80; 8], &[0]].concat();
    let bytes = [padded(1), padded(0x55), padded(0x12), padded(32), vec![0; 32]].concat();
    assert_eq!(Cid::from_bytes(&bytes), Err(CidError::Varint(VarintError::TooLong)));
    let not_minimal = [&[0x81, 0x00][..], &parse(V1).unwrap().to_bytes()[1..]].concat();
    assert_eq!(Cid::from_bytes(&not_minimal), Err(CidError::Varint(VarintError::NotMinimal)));
    let long = numbers(&[1, (1 << 63) - 1, code::IDENTITY, 128], &[0; 128]);
    assert!(long.len() <= 168 && Cid::from_bytes(&long).is_ok());
    assert_eq!(Cid::from_bytes(&[1; 169]), Err(CidError::TooLong));
    assert_eq!(parse(&"b".repeat(100_000)), Err(CidError::TooLong));
}

#[test]
fn cid_07_mixed_case_and_wrong_multibase() {
    let (lower, upper) = (V1.to_owned(), V1.to_uppercase());
    assert_eq!(parse(&lower), parse(&upper));
    let wrong = [
        format!("B{}", &lower[1..]),
        format!("b{}", &upper[1..]),
        lower.replacen('f', "F", 1),
        format!("F{}", &lower[1..]),
        format!("z{}", &lower[1..]),
        format!("?{}", &lower[1..]),
        lower[1..].to_owned(),
        format!("{lower}="),
        format!(" {lower}"),
        String::new(),
        "b".to_owned(),
        "Qm".to_owned(),
    ];
    for text in wrong {
        assert!(parse(&text).is_err(), "{text}");
    }
}

#[test]
fn cid_08_version_0_of_another_shape() {
    let sha1 = [&[0x11, 0x21][..], &[0; 32]].concat();
    assert_eq!(Cid::from_bytes(&sha1), Err(CidError::Version(0x11)));
    let v0 = parse(V0).unwrap().to_bytes();
    assert_eq!(Cid::from_bytes(&[&v0[..], &[0]].concat()), Err(CidError::Trailing(1)));
    // version 0 takes no multibase prefix
    for base in [Base::Base58Btc, Base::Base32Lower] {
        assert_eq!(parse(&multibase::encode(base, &v0)), Err(CidError::Version0));
    }
    let short = Multihash::new(code::SHA2_256, &[0; 31]).unwrap();
    assert_eq!(Cid::new_v0(short), Err(CidError::Version0));
}

#[test]
fn car_16_version_byte_zero() {
    let mut bytes = parse(V1).unwrap().to_bytes();
    bytes[0] = 0;
    let error = Cid::from_bytes(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "unexpected CID version (0)");
}

#[test]
fn bs_06_prefix_of_an_unknown_hash_or_a_huge_digest() {
    let huge = Prefix::parse(&numbers(&[1, code::RAW, code::SHA2_256, 1_000_000], &[]));
    assert!(matches!(huge, Err(CidError::DigestLength { .. })));
    let unknown = Prefix::parse(&numbers(&[1, code::RAW, 0x9999, 32], &[])).unwrap();
    assert_eq!(unknown.cid(b""), Err(CidError::Unsupported(0x9999)));
    for (hash, len) in [(code::SHA2_256, 33), (code::SHA2_256, 19), (code::IDENTITY, 2)] {
        let prefix = Prefix::parse(&numbers(&[1, code::RAW, hash, len], &[])).unwrap();
        assert!(prefix.cid(b"abc").is_err(), "{hash} {len}");
    }
    assert!(Prefix::parse(&numbers(&[1, code::RAW, code::SHA2_256], &[])).is_err());
    assert!(Prefix::parse(&numbers(&[2, code::RAW, code::SHA2_256, 32], &[])).is_err());
    assert!(Prefix::parse(&numbers(&[1, code::RAW, code::SHA2_256, 32], &[0])).is_err());
}

fn multihash() -> impl Strategy<Value = Multihash> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(Multihash::from_sha256),
        prop::collection::vec(any::<u8>(), 0..=128).prop_map(|digest| Multihash::new(
            code::IDENTITY,
            &digest
        )
        .unwrap()),
        (20..64usize, any::<[u8; 64]>()).prop_map(|(len, digest)| Multihash::new(
            code::SHA2_512,
            &digest[..len]
        )
        .unwrap()),
    ]
}

fn cid() -> impl Strategy<Value = Cid> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(|digest| Cid::new_v0(Multihash::from_sha256(digest)).unwrap()),
        (0..1u64 << 20, multihash()).prop_map(|(codec, hash)| Cid::new_v1(codec, hash)),
    ]
}

proptest! {
    #![proptest_config(common::fixed_seed())]

    #[test]
    fn bytes_round_trip(cid in cid(), rest in any::<Vec<u8>>()) {
        let bytes = cid.to_bytes();
        prop_assert_eq!(bytes.len(), cid.encoded_len());
        prop_assert_eq!(Cid::from_bytes(&bytes).unwrap(), cid.clone());
        let more = [&bytes[..], &rest].concat();
        prop_assert_eq!(Cid::read(&more).unwrap(), (cid.clone(), bytes.len()));
        let hash = cid.hash();
        prop_assert_eq!(&Multihash::from_bytes(&hash.to_bytes()).unwrap(), hash);
    }

    #[test]
    fn text_round_trips_in_every_base(cid in cid()) {
        prop_assert_eq!(&parse(&cid.to_string()).unwrap(), &cid);
        if cid.version() == Version::V1 {
            use Base::*;
            let bases = [
                Base2, Base8, Base10, Base16Lower, Base16Upper, Base32Lower, Base32Upper,
                Base32PadLower, Base32HexLower, Base32HexUpper, Base32Z, Base36Lower,
                Base36Upper, Base58Flickr, Base58Btc, Base64, Base64Pad, Base64Url,
                Base64UrlPad, Base256Emoji,
            ];
            for base in bases {
                let text = multibase::encode(base, cid.to_bytes());
                prop_assert_eq!(&parse(&text).unwrap(), &cid, "{:?}", base);
            }
        }
    }

    #[test]
    fn order_is_that_of_the_parts(a in multihash(), b in multihash()) {
        prop_assert_eq!(a.cmp(&b), (a.code(), a.digest()).cmp(&(b.code(), b.digest())));
        prop_assert_eq!(a == b, a.to_bytes() == b.to_bytes());
    }

    #[test]
    fn a_prefix_and_the_bytes_give_the_cid(bytes in prop::collection::vec(any::<u8>(), 0..128)) {
        for (version, codec, hash) in [
            (Version::V0, code::DAG_PB, code::SHA2_256),
            (Version::V1, code::RAW, code::SHA2_256),
            (Version::V1, code::DAG_CBOR, code::IDENTITY),
        ] {
            let block = Block::hash(version, codec, hash, bytes.clone().into()).unwrap();
            let prefix = Prefix::parse(&block.cid().prefix()).unwrap();
            prop_assert_eq!(&prefix.cid(&bytes).unwrap(), block.cid());
        }
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in any::<Vec<u8>>(), text in any::<String>()) {
        if let Ok((cid, used)) = Cid::read(&bytes) {
            prop_assert_eq!(cid.to_bytes(), &bytes[..used]);
        }
        let _ = (parse(&text), Prefix::parse(&bytes), parse(&format!("b{text}")));
    }
}
