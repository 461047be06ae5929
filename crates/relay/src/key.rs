//! The relay's key: made once, kept in a file that only its owner can read.
//!
//! The same key means the same peer id, and so every address that was ever shared stays good.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use libp2p::identity::{DecodingError, Keypair};

/// The file's name in the data folder.
const FILE: &str = "relay.key";

/// Why there is no key. A key that cannot be read is never replaced: that would change the id.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The data folder cannot be made.
    #[error("cannot make the data folder {0}: {1}")]
    Folder(PathBuf, io::Error),
    /// The file is there and cannot be read.
    #[error("cannot read the key {0}: {1}")]
    Read(PathBuf, io::Error),
    /// The file does not hold a key.
    #[error("{0} does not hold a key ({1}); move it away to start with a new id")]
    Decode(PathBuf, DecodingError),
    /// A new key cannot be written.
    #[error("cannot write the key {0}: {1}")]
    Write(PathBuf, io::Error),
}

/// The key in `data`, made now where there is none. The folder is made where it is missing.
pub fn load_or_make(data: &Path) -> Result<Keypair, KeyError> {
    fs::create_dir_all(data).map_err(|e| KeyError::Folder(data.to_path_buf(), e))?;
    let path = data.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => Keypair::from_protobuf_encoding(&bytes).map_err(|e| KeyError::Decode(path, e)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let key = Keypair::generate_ed25519();
            write(&path, &key).map_err(|e| KeyError::Write(path, e))?;
            Ok(key)
        }
        Err(e) => Err(KeyError::Read(path, e)),
    }
}

/// Beside it first, then renamed: a crash leaves the whole key or none.
fn write(path: &Path, key: &Keypair) -> io::Result<()> {
    let bytes = key.to_protobuf_encoding().map_err(io::Error::other)?;
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for each test, gone afterwards.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("avocet-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_same_folder_gives_the_same_id() {
        let folder = Folder::new("same-id");
        let first = load_or_make(&folder.0).unwrap().public();
        assert_eq!(load_or_make(&folder.0).unwrap().public(), first);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("mode");
        load_or_make(&folder.0).unwrap();
        let mode = fs::metadata(folder.0.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_key_is_an_error_and_stays_as_it_is() {
        let folder = Folder::new("broken");
        fs::create_dir_all(&folder.0).unwrap();
        for bytes in [&b""[..], b"not a key", &[0x08, 0x01, 0x12, 0x40, 1, 2, 3]] {
            fs::write(folder.0.join(FILE), bytes).unwrap();
            assert!(matches!(load_or_make(&folder.0), Err(KeyError::Decode(..))));
            assert_eq!(fs::read(folder.0.join(FILE)).unwrap(), bytes);
        }
    }
}
