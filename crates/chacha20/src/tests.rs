use cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use published::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};

use crate::ChaCha20;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// RFC 8439, section 2.4.2.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_example_of_the_rfc() {
    let key: [u8; 32] = std::array::from_fn(|at| at as u8);
    let nonce = [0, 0, 0, 0, 0, 0, 0, 0x4a, 0, 0, 0, 0];
    let mut text =
        *b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
                      future, sunscreen would be it.";
    let mut cipher = ChaCha20::new(&key.into(), &nonce.into());
    cipher.seek(64);
    cipher.apply_keystream(&mut text);
    let begin = [0x6e, 0x2e, 0x35, 0x9a, 0x25, 0x68, 0xf9, 0x80];
    let end = [0x8e, 0xed, 0xf2, 0x78, 0x5e, 0x42, 0x87, 0x4d];
    assert_eq!(text[..8], begin);
    assert_eq!(text[106..], end);
}

/// A later version of the published cipher on the same bytes, from the same position, in the same pieces.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn as_the_published_one() {
    let cases = (
        any::<[u8; 32]>(),
        any::<[u8; 12]>(),
        0..10_000u32,
        proptest::collection::vec(0..1500usize, 1..6),
    );
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result =
        TestRunner::new_with_rng(config, random).run(&cases, |(key, nonce, position, pieces)| {
            let mut ours = ChaCha20::new(&key.into(), &nonce.into());
            let mut published = published::ChaCha20::new(&key.into(), &nonce.into());
            ours.seek(position);
            published.seek(position);
            for length in pieces {
                let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
                let mut expected = bytes.clone();
                published.apply_keystream(&mut expected);

                let begin: u32 = ours.current_pos();
                let mut elsewhere = vec![0; length];
                prop_assert!(ours.apply_keystream_b2b(&bytes, &mut elsewhere).is_ok());
                prop_assert_eq!(&elsewhere, &expected);

                ours.seek(begin);
                let mut in_place = bytes;
                ours.apply_keystream(&mut in_place);
                prop_assert_eq!(&in_place, &expected);
            }
            Ok(())
        });
    assert_eq!(result, Ok(()));
}

/// 256 GiB under one nonce: the counter must not begin again.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn at_the_keystreams_end() {
    let mut cipher = ChaCha20::new(&[7; 32].into(), &[9; 12].into());
    cipher.seek(64 * (u64::from(u32::MAX) - 3));
    assert!(cipher.try_apply_keystream(&mut [0; 193]).is_err());
    assert!(cipher.try_apply_keystream(&mut [0; 192]).is_ok());
    assert!(cipher.try_apply_keystream(&mut [0]).is_err());
}
