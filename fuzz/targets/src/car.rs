//! CAR archives of both versions.

use std::mem::discriminant;

use avocet_dag::{
    Block, Cid,
    car::{self, CarError, Header, Options, Reader},
};
use bytes::Bytes;

type Read = (Option<Header>, Vec<Block>, Result<(), CarError>);

pub fn run(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    for null_padding in [false, true] {
        let options = Options { null_padding, len: None };
        let (header, blocks, end) = read(&bytes, bytes.len().max(1), options);
        for size in [1, 7] {
            let (header_again, blocks_again, end_again) = read(&bytes, size, options);
            assert_eq!((&header_again, &blocks_again), (&header, &blocks), "pieces of {size}");
            // how many bytes are missing is told as far as it is known
            let sort = |end: &Result<(), CarError>| end.as_ref().map_err(discriminant).copied();
            assert_eq!(sort(&end_again), sort(&end), "pieces of {size}: {end_again:?}, {end:?}");
        }
        // what lies past the end is found earlier; behind padding nobody would have looked for it
        let known = read(&bytes, 100, Options { len: Some(bytes.len() as u64), ..options });
        let padded = null_padding && known.2.is_err();
        assert!(padded || known.2.is_ok() == end.is_ok(), "{:?}, {end:?}", known.2);
        if end.is_ok() {
            assert!(padded || (&known.0, &known.1) == (&header, &blocks));
            let roots = header.map(|header| header.roots).unwrap_or_default();
            written_again(&roots, &blocks);
        }
    }
}

fn read(bytes: &Bytes, size: usize, options: Options) -> Read {
    let mut reader = Reader::new(options);
    let mut blocks = Vec::new();
    let mut at = 0;
    let end = loop {
        match reader.next_block() {
            Ok(Some(block)) => blocks.push(block),
            Ok(None) if at == bytes.len() => break reader.finish(),
            Ok(None) => {
                let to = bytes.len().min(at + size);
                reader.push(bytes.slice(at..to));
                at = to;
            }
            Err(error) => {
                assert_eq!(reader.next_block(), Err(error.clone()), "an error stays");
                break Err(error);
            }
        }
    };
    (reader.header().cloned(), blocks, end)
}

fn written_again(roots: &[Cid], blocks: &[Block]) {
    let mut archive = car::header(roots);
    for block in blocks {
        archive.extend(car::section_head(block.cid(), block.len()));
        archive.extend_from_slice(block.bytes());
    }
    let (header, again, end) = read(&archive.into(), 1000, Options::default());
    assert_eq!(header.expect("a header").roots, roots);
    assert_eq!((again.as_slice(), end), (blocks, Ok(())));
}
