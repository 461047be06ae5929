#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| avocet_fuzz_targets::run("cbor", bytes));
