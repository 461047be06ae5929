//! CIDs, multihashes and prefixes, as bytes and as text.

use avocet_dag::{Cid, CidError, Multihash, Prefix};

pub fn run(bytes: &[u8]) {
    as_bytes(bytes);
    if let Ok(prefix) = Prefix::parse(bytes) {
        // of a hash that is known, and a digest of that length
        let _ = prefix.cid(b"some content");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        as_text(text);
    }
}

fn as_bytes(bytes: &[u8]) {
    if let Ok((cid, used)) = Cid::read(bytes) {
        assert_eq!(Cid::from_bytes(&bytes[..used]).as_ref(), Ok(&cid), "alone it is the same");
    }
    if let Ok((hash, used)) = Multihash::read(bytes) {
        assert_eq!(hash.to_bytes(), bytes[..used], "a multihash has one form");
    }
    let Ok(cid) = Cid::from_bytes(bytes) else { return };
    assert_eq!(cid.to_bytes(), bytes, "a CID has one form");
    assert_eq!(cid.encoded_len(), bytes.len());
    let again = cid.to_string().parse::<Cid>();
    match cid.check() {
        Err(CidError::Insecure { .. }) => assert!(again.is_err(), "refused where it is typed in"),
        _ => assert_eq!(again, Ok(cid)),
    }
}

fn as_text(text: &str) {
    let Ok(cid) = text.parse::<Cid>() else { return };
    assert_eq!(cid.to_string().parse(), Ok(cid.clone()));
    assert_eq!(Cid::from_bytes(&cid.to_bytes()), Ok(cid));
}
