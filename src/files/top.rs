//! What a directory is called by what it holds.

/// The names that lie directly in the root, as far as it matters: is it one folder?
pub enum Top {
    /// None yet.
    Nothing,
    /// One folder, by this name.
    Folder(String),
    /// A file, or more than one name.
    More,
}

impl Top {
    /// An entry came, at this path.
    pub fn add(&mut self, path: &str, is_folder: bool) {
        let (name, within) = match path.split_once('/') {
            Some((name, _)) => (name, true),
            None => (path, is_folder),
        };
        *self = match std::mem::replace(self, Self::More) {
            Self::Nothing if within => Self::Folder(name.to_owned()),
            Self::Folder(one) if one == name => Self::Folder(one),
            _ => Self::More,
        };
    }

    /// The name of the only folder, if that is all there is.
    pub fn into_name(self) -> Option<String> {
        match self {
            Self::Folder(name) => Some(name),
            _ => None,
        }
    }
}
