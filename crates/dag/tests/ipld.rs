//! DAG-CBOR, DAG-JSON and DAG-PB as values: what is written, read and refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::{collections::HashMap, time::Instant};

use avocet_dag::{
    Block, Cid, CidError, Classify, ErrorKind, Multihash, Version, code,
    codec::{
        self, CodecError, DecodeError, EncodeError, Fault, MAX_DEPTH, MAX_TREE, Unfit, Value, cbor,
        json, pb,
    },
};
use bytes::Bytes;
use common::fixed_seed;
use proptest::prelude::*;

const FIXTURES: &str = include_str!("vectors/codecs.txt");
const LINK: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn block(codec: u64, bytes: &[u8]) -> Block {
    Block::hash(Version::V1, codec, code::SHA2_256, Bytes::copy_from_slice(bytes)).unwrap()
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn link() -> Value {
    Value::Link(LINK.parse().unwrap())
}

/// The same value with the keys of all maps in one order.
fn sorted(value: Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(sorted).collect()),
        Value::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            let mut entries: Vec<_> = entries.collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Map(entries)
        }
        other => other,
    }
}

/// What is wrong with DAG-CBOR, and where; the scan for links must say the same.
fn cbor_fault(bytes: &[u8]) -> (Fault, usize) {
    let DecodeError { at, fault } = cbor::decode(bytes).expect_err("it was accepted");
    let scan = cbor::links(bytes);
    if fault != Fault::TooMuch {
        assert_eq!(scan, Err(DecodeError { at, fault: fault.clone() }));
    }
    (fault, at)
}

fn json_fault(text: impl AsRef<[u8]>) -> (Fault, usize) {
    let bytes = text.as_ref();
    let DecodeError { at, fault } = json::decode(bytes).expect_err("it was accepted");
    if fault != Fault::TooMuch {
        assert_eq!(json::links(bytes), Err(DecodeError { at, fault: fault.clone() }));
    }
    (fault, at)
}

#[test]
fn the_fixtures_of_the_specification_become_each_other() {
    type Form = (Cid, Vec<u8>, Value);
    let mut forms: HashMap<&str, Vec<Form>> = HashMap::new();
    for line in FIXTURES.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.splitn(4, ' ');
        let mut next = || parts.next().unwrap();
        let (name, codec, cid, content) = (next(), next(), next(), next());
        let cid: Cid = cid.parse().unwrap();
        let bytes = if codec == "dag-json" { content.as_bytes().to_vec() } else { hex(content) };
        let block = Block::verify(cid.clone(), bytes.clone().into()).expect(name);
        let value = codec::decode(&block).expect(name);
        forms.entry(name).or_default().push((cid, bytes, value));
    }
    assert_eq!(forms.len(), 98);
    for (name, forms) in forms {
        assert!(forms.len() >= 2, "{name}");
        for (cid, bytes, _) in &forms {
            for (_, _, value) in &forms {
                assert_eq!(codec::encode(cid.codec(), value).as_ref(), Ok(bytes), "{name}");
            }
        }
        let links = forms.iter().map(|(cid, bytes, _)| {
            let block = Block::verify(cid.clone(), bytes.clone().into()).unwrap();
            let mut links = codec::links(&block).unwrap();
            links.sort();
            links
        });
        let links: Vec<_> = links.collect();
        assert!(links.windows(2).all(|pair| pair[0] == pair[1]), "{name}");
    }
}

#[test]
fn cbor_01_lengths_that_are_only_claimed() {
    for nested in 1..=10 {
        let longer = [0x9b, 0, 0, 0, 0, 0x40, 0, 0, 0].repeat(nested);
        assert_eq!(cbor_fault(&longer), (Fault::NotMinimal, 0));
        let shortest = [0x9a, 0x40, 0, 0, 0].repeat(nested);
        assert_eq!(cbor_fault(&shortest), (Fault::Truncated, 0));
    }
    for (head, at) in [("5b7fffffffffffffff", 9), ("7bffffffffffffffff", 9), ("a2616100", 0)] {
        assert_eq!(cbor_fault(&hex(head)), (Fault::Truncated, at), "{head}");
    }
    assert_eq!(cbor_fault(&hex("bbffffffffffffffff")), (Fault::Truncated, 0));
    assert_eq!(cbor_fault(&hex("d82a5b7fffffffffffffff00")), (Fault::Truncated, 11));
    assert_eq!(cbor_fault(b""), (Fault::Truncated, 0));
    assert_eq!(cbor_fault(&hex("82")), (Fault::Truncated, 0));
    assert_eq!(cbor_fault(&hex("8201")), (Fault::Truncated, 0));
}

#[test]
fn cbor_02_many_lists_inside_one_another() {
    for open in [&[0x81][..], &[0xa1, 0x61, b'a']] {
        let deep = |depth: usize| [&open.repeat(depth)[..], &[0xf6]].concat();
        assert_eq!(cbor_fault(&deep(100_000)), (Fault::TooDeep, MAX_DEPTH * open.len()));
        assert_eq!(cbor_fault(&deep(MAX_DEPTH + 1)).0, Fault::TooDeep);
        let value = cbor::decode(&deep(MAX_DEPTH)).unwrap();
        assert_eq!(cbor::encode(&value), Ok(deep(MAX_DEPTH)));
        let error = cbor::encode(&Value::List(vec![value])).unwrap_err();
        assert_eq!((&error.fault, error.kind()), (&Unfit::TooDeep, ErrorKind::Limit));
    }
    let error = codec::decode(&block(code::DAG_CBOR, &[0x81; 1000])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn cbor_03_tags() {
    assert_eq!(cbor_fault(&[0xc6; 1000]), (Fault::Tag(6), 0));
    assert_eq!(cbor_fault(&hex("c249010000000000000000")), (Fault::Tag(2), 0));
    assert_eq!(cbor_fault(&hex("c24101")), (Fault::Tag(2), 0));
    assert_eq!(cbor_fault(&hex("d9d9f700")), (Fault::Tag(55799), 0));
    assert_eq!(cbor_fault(&hex("d8206161")), (Fault::Tag(32), 0));
    assert_eq!(cbor_fault(&hex("81d82ad82a41")), (Fault::NotALink, 3));
}

#[test]
fn cbor_04_what_has_another_form() {
    let cases: &[(&str, Fault, usize)] = &[
        ("a2616100616101", Fault::Duplicate, 4),
        ("a3636261720363666f6f0163666f6f02", Fault::Duplicate, 11),
        ("a2616201616100", Fault::Order, 4),
        ("a262616100616201", Fault::Order, 5),
        ("a10000", Fault::Key, 1),
        ("a1416100", Fault::Key, 1),
        ("bfff", Fault::Indefinite, 0),
        ("9fff", Fault::Indefinite, 0),
        ("5fff", Fault::Indefinite, 0),
        ("7fff", Fault::Indefinite, 0),
        ("81ff", Fault::Indefinite, 1),
        ("1817", Fault::NotMinimal, 0),
        ("1900ff", Fault::NotMinimal, 0),
        ("1a0000ffff", Fault::NotMinimal, 0),
        ("1b00000000ffffffff", Fault::NotMinimal, 0),
        ("3800", Fault::NotMinimal, 0),
        ("3b0000000000000000", Fault::NotMinimal, 0),
        ("5800", Fault::NotMinimal, 0),
        ("790000", Fault::NotMinimal, 0),
        ("9a00000000", Fault::NotMinimal, 0),
        ("b801616100", Fault::NotMinimal, 0),
        ("a178016100", Fault::NotMinimal, 1),
        ("d9002a582500015512205891", Fault::NotMinimal, 0),
        ("f93e00", Fault::FloatWidth, 0),
        ("fa3fc00000", Fault::FloatWidth, 0),
        ("f97e00", Fault::FloatWidth, 0),
        ("fb7ff8000000000000", Fault::Number, 0),
        ("fb7ff0000000000000", Fault::Number, 0),
        ("fbfff0000000000000", Fault::Number, 0),
        ("fb8000000000000000", Fault::Number, 0),
        ("f7", Fault::Item(0xf7), 0),
        ("e0", Fault::Item(0xe0), 0),
        ("f818", Fault::Item(0xf8), 0),
        ("fc", Fault::Item(0xfc), 0),
        ("1c", Fault::Item(0x1c), 0),
        ("0000", Fault::Trailing, 1),
        ("80f6", Fault::Trailing, 1),
        ("62c328", Fault::Utf8, 1),
        ("a161ff00", Fault::Utf8, 2),
    ];
    for (bytes, fault, at) in cases {
        assert_eq!(cbor_fault(&hex(bytes)), (fault.clone(), *at), "{bytes}");
    }
    for fine in [
        "00",
        "3bffffffffffffffff",
        "1bffffffffffffffff",
        "fb0000000000000001",
        "6365cc81",
        "fb0000000000000000",
        "a361610161620262616103",
        "630d0a09",
        "fbc3e0000000000001",
    ] {
        assert_eq!(cbor::encode(&cbor::decode(&hex(fine)).unwrap()), Ok(hex(fine)), "{fine}");
    }
}

#[test]
fn cbor_05_links_that_are_none() {
    let cases: &[(&str, Fault)] = &[
        ("d82a4101", Fault::NotALink),
        ("d82a40", Fault::NotALink),
        ("d82a6100", Fault::NotALink),
        ("d82a00", Fault::NotALink),
        ("d82a4100", Fault::Cid(CidError::Empty)),
        ("d82a420012", Fault::Cid(CidError::Version(0x12))),
        ("d82a46000155120500", Fault::Cid(CidError::Truncated)),
        ("d82a46000155000000", Fault::Cid(CidError::Trailing(1))),
        (
            "d82a5824015512205891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
            Fault::NotALink,
        ),
    ];
    for (bytes, fault) in cases {
        assert_eq!(cbor_fault(&hex(bytes)), (fault.clone(), 2), "{bytes}");
    }
    let error = codec::links(&block(code::DAG_CBOR, &hex("81d82a4101"))).unwrap_err();
    assert!(matches!(&error, CodecError::Cbor { source, .. } if source.at == 3));
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let said = error.to_string();
    assert!(said.contains("bafyrei") && said.contains("byte 3"), "{said}");
}

#[test]
fn json_01_keys_that_come_twice() {
    let cases = [
        (r#"{"foo":1,"foo":2,"bar":3}"#, 9),
        (r#"{"foo":1,"bar":3,"foo":2}"#, 17),
        (r#"{"b":1,"c":{"b":2},"a":0,"\u0062":1}"#, 25),
        (r#"{"b":{"y":0,"x":0,"y":0}}"#, 18),
        (r#"{"":0,"":0}"#, 6),
    ];
    for (text, at) in cases {
        assert_eq!(json_fault(text), (Fault::Duplicate, at), "{text}");
    }
    json::decode(br#"{"b":{"b":1,"a":2},"a":{"b":1,"a":2},"c":[{"a":0},{"a":0}]}"#).unwrap();
}

#[test]
fn json_02_many_lists_inside_one_another() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"/\":", "}]")] {
        let deep = |n: usize| [open.repeat(n).as_str(), "1", &close.repeat(n)].concat();
        let levels = open.matches(['[', '{']).count();
        assert_eq!(json_fault(deep(100_000)).0, Fault::TooDeep);
        assert_eq!(json_fault(open.repeat(100_000)).0, Fault::TooDeep);
        assert_eq!(json_fault(deep(MAX_DEPTH / levels + 1)).0, Fault::TooDeep);
        let value = json::decode(deep(MAX_DEPTH / levels).as_bytes()).unwrap();
        assert_eq!(json::encode(&value), Ok(deep(MAX_DEPTH / levels).into_bytes()));
    }
}

#[test]
fn json_02_numbers_that_do_not_fit() {
    let long = "1".repeat(1_000_000);
    for text in [
        "18446744073709551616",
        "-18446744073709551617",
        "1e999",
        "-1e999",
        &long,
        &format!("0.{long}"),
        &format!("0e{long}"),
        "100000000000000000000000000000000000000000000",
    ] {
        assert_eq!(json_fault(text), (Fault::Number, 0), "{}", &text[..text.len().min(50)]);
    }
    for (text, int) in [
        ("18446744073709551615", u64::MAX.into()),
        ("-0", 0),
        ("-18446744073709551616", -(1 << 64)),
        ("9007199254740993", 9_007_199_254_740_993),
    ] {
        assert_eq!(json::decode(text.as_bytes()), Ok(Value::Int(int)));
    }
    for (text, at) in [
        ("01", 1),
        ("-01", 2),
        ("1.", 2),
        (".5", 0),
        ("1e", 2),
        ("1e+", 3),
        ("-", 1),
        ("+1", 0),
        ("0x10", 1),
        ("1_0", 1),
        ("NaN", 0),
        ("Infinity", 0),
        ("-Infinity", 1),
        ("1.e5", 2),
    ] {
        let (fault, found) = json_fault(text);
        assert!(matches!(fault, Fault::Character | Fault::Truncated | Fault::Trailing), "{text}");
        assert_eq!(found, at, "{text}");
    }
}

#[test]
fn json_02_lone_surrogates_and_other_text() {
    let malformed = [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\ud800""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\udc00\ud800""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\u+123""#,
        r#""\x41""#,
    ];
    for text in malformed {
        assert_eq!(json_fault(text), (Fault::Escape, 1), "{text}");
    }
    assert_eq!(json_fault(b"\"\xff\""), (Fault::Utf8, 1));
    assert_eq!(json_fault(b"\"a\xed\xa0\x80\""), (Fault::Utf8, 2), "a surrogate in UTF-8");
    assert_eq!(json_fault("\"a\nb\""), (Fault::Character, 2));
    assert_eq!(json_fault("\"a"), (Fault::Truncated, 2));
    assert_eq!(json_fault("\"a\\"), (Fault::Truncated, 3));
    let text = r#""\ud83d\ude00\u00e9\/\b\f\n\r\t\"\\\u0000""#;
    let value = json::decode(text.as_bytes()).unwrap();
    assert_eq!(value, Value::Text("😀é/\u{8}\u{c}\n\r\t\"\\\0".into()));
    let canonical = r#""😀é/\b\f\n\r\t\"\\\u0000""#;
    assert_eq!(json::encode(&value), Ok(canonical.into()));
    assert_eq!(
        json::encode(&Value::Text("\u{1f}\u{7f}\u{2028}".into())),
        Ok("\"\\u001f\u{7f}\u{2028}\"".into())
    );
}

#[test]
fn json_is_json() {
    let cases = [
        ("", 0),
        (" ", 1),
        ("[1,]", 3),
        ("[,1]", 1),
        ("{\"a\":1,}", 7),
        ("{,}", 1),
        ("[1 2]", 3),
        ("{\"a\" 1}", 5),
        ("{a:1}", 1),
        ("{\"a\":}", 5),
        ("{1:1}", 1),
        ("nul", 3),
        ("nulL", 3),
        ("[1", 2),
        ("{\"a\":1", 6),
        ("]", 0),
        ("[}", 1),
        ("{]", 1),
        ("'a'", 0),
        ("[1]//", 3),
        ("1 2", 2),
        ("\u{feff}1", 0),
        ("[\u{a0}1]", 1),
        ("null\0", 4),
    ];
    for (text, at) in cases {
        let (fault, found) = json_fault(text);
        assert!(matches!(fault, Fault::Character | Fault::Truncated | Fault::Trailing), "{text}");
        assert_eq!(found, at, "{text}");
    }
    let spaced = " \t\r\n{ \"b\" : [ 1 , 2.50 ] ,\n\"a\" : { } , \"l\" : { \"/\" : \"LINK\" } } ";
    let value = json::decode(spaced.replace("LINK", LINK).as_bytes()).unwrap();
    let list = Value::List(vec![Value::Int(1), Value::Float(2.5)]);
    assert_eq!(value, map([("b", list), ("a", map([])), ("l", link())]));
    let canonical = format!(r#"{{"a":{{}},"b":[1,2.5],"l":{{"/":"{LINK}"}}}}"#);
    assert_eq!(json::encode(&value), Ok(canonical.into_bytes()));
}

#[test]
fn floats_of_json_keep_their_point_and_all_digits() {
    for (float, text) in [
        (1.0, "1.0"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e20, "100000000000000000000.0"),
        (1e21, "1e+21"),
        (-1.5e300, "-1.5e+300"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (123456.789, "123456.789"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (9007199254740993.0, "9007199254740992.0"),
        (1.25e-5, "0.0000125"),
        (-100.0, "-100.0"),
    ] {
        assert_eq!(json::encode(&Value::Float(float)), Ok(text.into()));
        let Ok(Value::Float(back)) = json::decode(text.as_bytes()) else { panic!("{text}") };
        assert_eq!(back.to_bits(), float.to_bits(), "{text}");
    }
    assert_eq!(json::decode(b"1E5"), Ok(Value::Float(1e5)));
}

#[test]
fn json_keeps_maps_that_begin_with_a_slash_for_links_and_bytes() {
    // the specification's examples, and their escaped twins
    for text in [
        r#"{"/":"foo","bar":"baz"}"#,
        r#"{"/":{"bytes":"foo","bar":"baz"}}"#,
        r#"{"/":{"bytes":"foo"},"bar":"baz"}"#,
        r#"{"\/":"foo","bar":"baz"}"#,
        r#"{"\u002f":{"byte\u0073":"foo"},"bar":"baz"}"#,
    ] {
        assert_eq!(json_fault(text), (Fault::Reserved, 0), "{text}");
    }
    for text in [
        r#"{"0bar":"baz","/":"foo"}"#,
        r#"{"/":true,"bar":"baz"}"#,
        r#"{"/":{"abar":"baz","bytes":"foo"}}"#,
        r#"{"/":{"bytes":true},"bar":"baz"}"#,
        r#"{"0bar":"baz","/":{"bytes":"foo"}}"#,
        r#"{"/":{"bytes":true}}"#,
        r#"{"/":null}"#,
        r#"{"/":{}}"#,
        r#"{"/":["x"]}"#,
        r#"{"/":{"/":{"bytes":"aaaa"}}}"#,
        r#"{"":1,"/":"x"}"#,
    ] {
        json::decode(text.as_bytes()).expect(text);
    }
    // what would be read as something else is not written
    for value in [
        map([("/", text("x"))]),
        map([("/", text("x")), ("0", Value::Null)]),
        map([("/", map([("bytes", text("x"))]))]),
        map([("/", map([("bytes", text("x")), ("c", Value::Null)]))]),
        map([("0", Value::Null), ("/", map([("c", Value::Null), ("bytes", text("x"))]))]),
    ] {
        let error = json::encode(&Value::List(vec![value.clone()])).unwrap_err();
        assert_eq!(error, EncodeError { place: "/0".into(), fault: Unfit::Reserved });
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        cbor::encode(&value).unwrap();
    }
    let fine = map([("", Value::Null), ("/", text("x"))]);
    assert_eq!(json::decode(&json::encode(&fine).unwrap()), Ok(fine));
}

#[test]
fn json_links_and_bytes_have_one_form() {
    let v1: Cid = LINK.parse().unwrap();
    let base36 = multibase::encode(multibase::Base::Base36Lower, v1.to_bytes());
    for text in [
        "foo",
        "",
        "b",
        "bafkrei",
        &base36,
        &LINK.to_uppercase(),
        &LINK[1..],
        "zQmNPWHBrVQiiV8FpyNuEPhB9E2rbvdy9Yx79EY1EJuyf9o",
        "QmNPWHBrVQiiV8FpyNuEPhB9E2rbvdy9Yx79EY1EJuyf9",
    ] {
        let (fault, at) = json_fault(format!(r#"[{{"/":"{text}"}}]"#));
        assert!(matches!(fault, Fault::NotALink | Fault::Cid(_)), "{text}: {fault}");
        assert_eq!(at, 6);
    }
    for text in ["QmNPWHBrVQiiV8FpyNuEPhB9E2rbvdy9Yx79EY1EJuyf9o", LINK] {
        let json = format!(r#"{{"/":"{text}"}}"#);
        assert_eq!(json::decode(json.as_bytes()), Ok(Value::Link(text.parse().unwrap())));
        assert_eq!(json::links(json.as_bytes()), Ok(vec![text.parse().unwrap()]));
    }
    for text in ["YQ==", "YQ=", "Y", "YR", "Y Q", "-_", "YQ\\n"] {
        let json = format!(r#"{{"/":{{"bytes":"{text}"}}}}"#);
        assert_eq!(json_fault(json).0, Fault::Base64, "{text}");
    }
    for (text, bytes) in [("", &b""[..]), ("YQ", b"a"), ("+/8", &[0xfb, 0xff])] {
        let json = format!(r#"{{"/":{{"bytes":"{text}"}}}}"#);
        assert_eq!(json::decode(json.as_bytes()), Ok(Value::Bytes(bytes.to_vec())));
        assert_eq!(json::encode(&Value::Bytes(bytes.to_vec())), Ok(json.into_bytes()));
    }
}

#[test]
fn cid_02_links_that_prove_nothing_are_kept() {
    let murmur = Cid::new_v1(code::DAG_PB, Multihash::new(0x22, &[7; 8]).unwrap());
    let short = Cid::new_v1(code::RAW, Multihash::new(code::SHA2_256, &[7; 4]).unwrap());
    for cid in [murmur, short] {
        let value = Value::Link(cid);
        for codec in [code::DAG_CBOR, code::DAG_JSON] {
            let bytes = codec::encode(codec, &value).unwrap();
            assert_eq!(codec::decode(&block(codec, &bytes)).as_ref(), Ok(&value));
        }
    }
}

#[test]
fn cid_01_identity_digests_in_links() {
    for (len, fits) in [(128, true), (129, false)] {
        let cid = [&[1, 0x55, 0, 0x80 | (len & 0x7f) as u8, 1][..], &vec![7; len]].concat();
        let cbor = [&[0xd8, 42, 0x58, cid.len() as u8 + 1, 0][..], &cid].concat();
        assert_eq!(cbor::decode(&cbor).is_ok(), fits, "{len}");
        let json = multibase::encode(multibase::Base::Base32Lower, &cid);
        assert_eq!(json::decode(format!(r#"{{"/":"{json}"}}"#).as_bytes()).is_ok(), fits, "{len}");
    }
}

#[test]
fn what_cannot_be_encoded_is_named() {
    let deep = map([("a", Value::List(vec![Value::Null, map([("b/c", Value::Float(f64::NAN))])]))]);
    for encode in [cbor::encode, json::encode] {
        let error = encode(&deep).unwrap_err();
        assert_eq!(error, EncodeError { place: "/a/1/b/c".into(), fault: Unfit::Number });
        for number in [
            Value::Int(1 << 64),
            Value::Int(-(1 << 64) - 1),
            Value::Int(i128::MIN),
            Value::Int(i128::MAX),
            Value::Float(f64::INFINITY),
        ] {
            let error = encode(&number).unwrap_err();
            assert_eq!(error, EncodeError { place: "/".into(), fault: Unfit::Number });
        }
        let twice = map([("b", Value::Null), ("a", Value::Null), ("b", Value::Null)]);
        assert_eq!(encode(&twice).unwrap_err().fault, Unfit::Duplicate);
    }
    assert_eq!(cbor::encode(&Value::Float(-0.0)).unwrap_err().fault, Unfit::Number);
    assert_eq!(codec::encode(code::RAW, &text("a")).unwrap_err().fault, Unfit::Shape("bytes"));
    let error = codec::encode(code::LIBP2P_KEY, &Value::Null).unwrap_err();
    assert_eq!((&error.fault, error.kind()), (&Unfit::Codec(0x72), ErrorKind::Unsupported));
}

#[test]
fn pb_01_forms_that_are_no_node() {
    let bytes = || Value::Bytes(vec![1, 2, 3]);
    let links = |link: Value| map([("Links", Value::List(vec![link]))]);
    let hash = || ("Hash", link());
    let cases = [
        (Value::Null, "/"),
        (Value::Bool(true), "/"),
        (Value::Int(101), "/"),
        (text("blip"), "/"),
        (Value::List(vec![]), "/"),
        (bytes(), "/"),
        (link(), "/"),
        (Value::Float(1.1), "/"),
        (map([]), "/Links"),
        (map([("Data", Value::Null), ("Links", Value::List(vec![]))]), "/Data"),
        (map([("Data", text("x")), ("Links", Value::List(vec![]))]), "/Data"),
        (map([("Data", Value::List(vec![])), ("Links", Value::List(vec![]))]), "/Data"),
        (map([("Links", Value::Null)]), "/Links"),
        (map([("Links", map([]))]), "/Links"),
        (map([("Data", bytes()), ("extraneous", Value::Bool(true))]), "/"),
        (links(Value::Null), "/Links/0"),
        (links(link()), "/Links/0"),
        (links(map([])), "/Links/0/Hash"),
        (links(map([("Hash", text(LINK))])), "/Links/0/Hash"),
        (links(map([hash(), ("extraneous", Value::Bool(true))])), "/Links/0"),
        (links(map([hash(), ("Name", bytes())])), "/Links/0/Name"),
        (links(map([hash(), ("Name", Value::Null)])), "/Links/0/Name"),
        (links(map([hash(), ("Tsize", Value::Int(-1))])), "/Links/0/Tsize"),
        (links(map([hash(), ("Tsize", Value::Int(1 << 64))])), "/Links/0/Tsize"),
        (links(map([hash(), ("Tsize", Value::Float(1.0))])), "/Links/0/Tsize"),
        (links(map([hash(), hash()])), "/Links/0"),
    ];
    for (value, place) in cases {
        let error = pb::from_value(&value).unwrap_err();
        assert_eq!(error.place, place, "{value:?}");
        assert!(matches!(error.fault, Unfit::Shape(_)));
    }
}

#[test]
fn pb_names_that_are_not_text_and_too_many_links() {
    let cid: Cid = LINK.parse().unwrap();
    let named = |name| pb::Link { cid: cid.clone(), name, tsize: None };
    let bytes = pb::encode(&[named(Some(b"a")), named(Some(b"\xff"))], None);
    assert_eq!(pb::to_value(&bytes), Err(pb::PbError::Name(1)));
    assert_eq!(pb::links(&bytes).map(|links| links.len()), Ok(2));
    let tiny = Cid::from_bytes(&[1, 0x55, 0, 0]).unwrap();
    let many: Vec<_> =
        (0..200_000).map(|_| pb::Link { cid: tiny.clone(), name: None, tsize: None }).collect();
    let many = block(code::DAG_PB, &pb::encode(&many, None));
    assert_eq!(codec::decode(&many).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(codec::links(&many).unwrap().len(), 200_000);
}

#[test]
fn pb_04_sizes_of_all_64_bits() {
    let link = map([("Hash", link()), ("Tsize", Value::Int(u64::MAX.into()))]);
    let value = map([("Links", Value::List(vec![link]))]);
    assert_eq!(pb::to_value(&pb::from_value(&value).unwrap()), Ok(value));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "runs natively, and never in a browser")]
fn the_densest_blocks_are_refused_or_fit_and_their_links_are_read() {
    const LEN: usize = 2 * 1024 * 1024;
    let mut list = hex("9a001ffffb");
    list.resize(LEN, 0x80);
    let start = Instant::now();
    assert_eq!(cbor_fault(&list).0, Fault::TooMuch);
    assert_eq!(cbor::links(&list), Ok(vec![]));
    let json = format!("[{}0]", "0,".repeat(LEN / 2 - 2));
    assert_eq!(json_fault(&json).0, Fault::TooMuch);
    assert_eq!(json::links(json.as_bytes()), Ok(vec![]));
    let fits = MAX_TREE / size_of::<Value>() - 1;
    let json = format!("[{}0]", "0,".repeat(fits - 1));
    let Ok(Value::List(items)) = json::decode(json.as_bytes()) else { panic!("it fits") };
    assert_eq!((items.len(), items.capacity()), (fits, fits));
    // keys in no order, which are compared when the map ends
    let keys: Vec<_> = (0..100_000).map(|n| format!("\"{:x}\":0", n * 7919 % 100_000)).collect();
    let json = format!("{{{}}}", keys.join(","));
    assert_eq!(json::links(json.as_bytes()), Ok(vec![]));
    let twice = format!("{{{},{}}}", keys.join(","), keys[3]);
    assert_eq!(json_fault(&twice), (Fault::Duplicate, twice.len() - keys[3].len() - 1));
    let links = cbor::encode(&Value::List(vec![link(); 40_000])).unwrap();
    assert_eq!(cbor::links(&links).unwrap().len(), 40_000);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_value_is_found_at_its_place() {
    let value = map([("a", Value::List(vec![Value::Null, map([("", Value::Int(7))])]))]);
    let at = |path: &[&str]| {
        let path: Vec<_> = path.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(value.clone().take(&path).as_ref(), value.at(&path));
        value.at(&path).cloned()
    };
    assert_eq!(at(&[]), Some(value.clone()));
    assert_eq!(at(&["a", "1", ""]), Some(Value::Int(7)));
    for path in [
        &["b"][..],
        &["a", "2"],
        &["a", "01"],
        &["a", "+1"],
        &["a", "-0"],
        &["a", ""],
        &["a", "0", "x"],
        &["a", "99999999999999999999999"],
    ] {
        assert_eq!(at(path), None, "{path:?}");
    }
}

fn cids() -> impl Strategy<Value = Cid> {
    (any::<[u8; 32]>(), 0..4u8).prop_map(|(digest, kind)| match kind {
        0 => Cid::new_v0(Multihash::from_sha256(digest)).unwrap(),
        1 => Cid::new_v1(code::RAW, Multihash::new(code::IDENTITY, &digest[..5]).unwrap()),
        2 => Cid::new_v1(0x1234, Multihash::new(code::SHA2_512, &[digest; 2].concat()).unwrap()),
        _ => Cid::new_v1(code::DAG_CBOR, Multihash::from_sha256(digest)),
    })
}

/// Any value that both DAG-CBOR and DAG-JSON have, its maps sorted.
fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-(1i128 << 64)..1 << 64).prop_map(Value::Int),
        (-70_000i128..70_000).prop_map(Value::Int),
        any::<f64>()
            .prop_filter("-0 is not in DAG-CBOR", |float| *float != 0.0 && float.is_finite())
            .prop_map(Value::Float),
        any::<String>().prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        cids().prop_map(Value::Link),
    ];
    scalar.prop_recursive(6, 60, 8, |inner| {
        let key = prop_oneof![any::<String>(), "[a-c]{0,2}", "(/|bytes|\\pC)"];
        let map = prop::collection::btree_map(key, inner.clone(), 0..8);
        prop_oneof![
            prop::collection::vec(inner, 0..8).prop_map(Value::List),
            map.prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    })
}

fn links_of(value: &Value, links: &mut Vec<Cid>) {
    match value {
        Value::Link(cid) => links.push(cid.clone()),
        Value::List(items) => items.iter().for_each(|item| links_of(item, links)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| links_of(value, links)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(fixed_seed())]

    #[test]
    fn what_is_written_is_read_back(value in values()) {
        let bytes = cbor::encode(&value).unwrap();
        let back = cbor::decode(&bytes).unwrap();
        prop_assert_eq!(cbor::encode(&back), Ok(bytes.clone()));
        let mut links = Vec::new();
        links_of(&back, &mut links);
        prop_assert_eq!(cbor::links(&bytes), Ok(links));
        prop_assert_eq!(sorted(back), value.clone());
        match json::encode(&value) {
            Ok(bytes) => {
                prop_assert_eq!(json::decode(&bytes), Ok(value.clone()));
                let mut links = Vec::new();
                links_of(&value, &mut links);
                prop_assert_eq!(json::links(&bytes), Ok(links));
            }
            Err(error) => prop_assert_eq!(error.fault, Unfit::Reserved),
        }
    }

    #[test]
    fn cbor_has_one_form(value in values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = cbor::encode(&value).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(value) = cbor::decode(&bytes) {
            prop_assert_eq!(cbor::encode(&value), Ok(bytes.clone()));
        }
        prop_assert!(cbor::decode(&bytes[..at]).is_err());
        bytes.push(byte);
        prop_assert!(cbor::decode(&bytes).is_err());
    }

    #[test]
    fn json_that_is_accepted_has_a_form(
        value in values(), at in any::<prop::sample::Index>(), c in "[\\[\\]{}\",:0-9eE.\\\\/ a-z-]"
    ) {
        let Ok(bytes) = json::encode(&value) else { return Ok(()) };
        let at = at.index(bytes.len());
        let mut changed = bytes.clone();
        changed[at] = c.as_bytes()[0];
        let mut inserted = bytes.clone();
        inserted.splice(at..at, c.bytes());
        for bytes in [&changed, &inserted] {
            let Ok(value) = json::decode(bytes) else { continue };
            match json::encode(&value) {
                Ok(form) => prop_assert_eq!(json::decode(&form), Ok(sorted(value))),
                Err(error) => prop_assert_eq!(error.fault, Unfit::Reserved),
            }
        }
    }

    #[test]
    fn no_bytes_make_a_codec_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = cbor::decode(&bytes) {
            prop_assert_eq!(cbor::encode(&value), Ok(bytes.clone()));
        }
        prop_assert_eq!(cbor::decode(&bytes).is_ok(), cbor::links(&bytes).is_ok());
        prop_assert_eq!(json::decode(&bytes).is_ok(), json::links(&bytes).is_ok());
        let _ = pb::to_value(&bytes);
    }

    #[test]
    fn no_text_makes_json_panic(text in "([\\[\\]{}\",:0-9eE.\\\\/ untrfals-]|\"/\":|\"bytes\":){0,60}") {
        prop_assert_eq!(json::decode(text.as_bytes()).is_ok(), json::links(text.as_bytes()).is_ok());
    }

    #[test]
    fn nodes_are_read_back(
        data in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
        links in prop::collection::vec((cids(), prop::option::of(any::<String>()), prop::option::of(any::<u64>())), 0..6),
    ) {
        let links: Vec<_> = links.iter().map(|(cid, name, tsize)| pb::Link {
            cid: cid.clone(), name: name.as_ref().map(|name| name.as_bytes()), tsize: *tsize,
        }).collect();
        let bytes = pb::encode(&links, data.as_deref());
        let value = codec::decode(&block(code::DAG_PB, &bytes)).unwrap();
        prop_assert_eq!(codec::encode(code::DAG_PB, &value), Ok(bytes));
        let json = json::encode(&value).unwrap();
        prop_assert_eq!(sorted(json::decode(&json).unwrap()), sorted(value));
    }
}
