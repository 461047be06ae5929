//! Which store.

/// Which store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreName {
    /// One that ends with the page, and is nobody else's.
    Memory,
    /// The IndexedDB database of this name.
    Database(String),
}

impl From<&str> for StoreName {
    fn from(name: &str) -> Self {
        match name {
            "memory" => Self::Memory,
            name => Self::Database(name.to_owned()),
        }
    }
}
