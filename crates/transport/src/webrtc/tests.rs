//! Two connections in one page, and what their streams do. Signalling goes through memory.

mod channels;
mod closing;
mod hostile;
mod pair;
mod streams;
