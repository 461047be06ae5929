//! Who has what: asked of the DHT, and told to it.

pub mod finder;
pub mod provide;
