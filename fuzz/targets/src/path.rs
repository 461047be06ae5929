//! Paths and URLs.

use avocet_dag::path::Path;

pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(path) = text.parse::<Path>() else { return };
    for segment in path.segments() {
        let leaves = matches!(segment.as_str(), "" | "." | "..");
        assert!(!leaves && !segment.contains(['/', '\0']), "{segment:?} leaves its directory");
    }
    assert_eq!(path.to_string().parse().as_ref(), Ok(&path), "one path, one meaning");
}
