//! Every input of the corpus once more, in a fixed order: what the fuzzer has found stays found.

use std::{fs, path::Path};

use avocet_fuzz_targets::{TARGETS, run};

/// The corpus is a seed and a memory, and no archive.
const MAX_FILES: usize = 64;
const MAX_BYTES: u64 = 64 * 1024;

#[test]
fn the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for (name, _) in TARGETS {
        let mut files: Vec<_> = fs::read_dir(corpus.join(name))
            .unwrap_or_else(|error| panic!("{name} has no corpus: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty() && files.len() <= MAX_FILES, "{name}: {} files", files.len());
        let mut sum = 0;
        for file in files {
            let bytes = fs::read(&file).unwrap();
            sum += bytes.len() as u64;
            println!("{name}: {}", file.display());
            run(name, &bytes);
            // and what a cut in the middle of it leaves
            run(name, &bytes[..bytes.len() / 2]);
        }
        assert!(sum <= MAX_BYTES, "{name}: {sum} bytes");
    }
}

#[test]
fn nothing_and_noise_hold() {
    let mut state = 1u32;
    let noise: Vec<u8> = (0..4096)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    for (name, _) in TARGETS {
        run(name, b"");
        run(name, &noise);
        for byte in 0..=255 {
            run(name, &[byte; 300]);
        }
    }
}
