use super::*;
use proptest::prelude::*;

/// "yes mani !" in every base: the table's own examples.
const EXAMPLES: &[&str] = &[
    "001111001011001010111001100100000011011010110000101101110011010010010000000100001",
    "7362625631006654133464440102",
    "9573277761329450583662625",
    "f796573206d616e692021",
    "F796573206D616E692021",
    "bpfsxgidnmfxgsibb",
    "BPFSXGIDNMFXGSIBB",
    "vf5in683dc5n6i811",
    "VF5IN683DC5N6I811",
    "cpfsxgidnmfxgsibb",
    "CPFSXGIDNMFXGSIBB",
    "tf5in683dc5n6i811",
    "TF5IN683DC5N6I811",
    "hxf1zgedpcfzg1ebb",
    "k2lcpzo5yikidynfl",
    "K2LCPZO5YIKIDYNFL",
    "Z7Pznk19XTTzBtx",
    "z7paNL19xttacUY",
    "meWVzIG1hbmkgIQ",
    "MeWVzIG1hbmkgIQ==",
    "ueWVzIG1hbmkgIQ",
    "UeWVzIG1hbmkgIQ==",
    "🚀🏃✋🌈😅🌷🤤😻🌟😅👏",
];

fn every_base() -> impl Iterator<Item = Base> {
    let codes = EXAMPLES.iter().filter_map(|text| text.chars().next());
    codes.chain(['R', '\0']).map(|code| Base::from_code(code).unwrap())
}

#[test]
fn the_examples_of_the_table() {
    for text in EXAMPLES {
        let (base, bytes) = decode(text).unwrap();
        assert_eq!(bytes, b"yes mani !", "{base:?}");
        assert_eq!(encode(base, bytes), *text, "{base:?}");
    }
    assert_eq!(encode(Base::Base45, "base-45"), "RUJCLQE7W581", "RFC 9285, 4.3");
}

#[test]
fn what_does_not_follow_its_base_is_refused() {
    for text in [
        "",
        "?x",
        "f0",
        "f0G",
        "fFF",
        "bA",
        "bb",
        "MeWVzIG1hbmkgIQ",
        "MeWVzIG1hbmkgIQ=",
        "meWVz=",
        "z0",
        "RZZZ",
        "R0",
        "02",
        "78",
        "🚀a",
    ] {
        assert!(decode(text).is_err(), "{text}");
    }
    assert!(decode("z2".repeat(MAX_TEXT)).is_err(), "longer than what is decoded");
}

proptest! {
    #[test]
    fn bytes_come_back(bytes: Vec<u8>, zeros in 0usize..4) {
        let bytes = [vec![0; zeros], bytes].concat();
        for base in every_base().filter(|base| *base != Base::Identity) {
            let text = encode(base, &bytes);
            prop_assert_eq!(decode(&text).unwrap(), (base, bytes.clone()));
        }
    }

    #[test]
    fn a_text_that_decodes_is_the_one_that_its_bytes_give(text in "[0-9a-zA-Z+/=]{0,24}") {
        for base in every_base().filter(|base| *base != Base::Identity) {
            if let Ok(bytes) = base.decode(&text) {
                prop_assert_eq!(base.encode(bytes), &*text, "{:?}", base);
            }
        }
    }
}
