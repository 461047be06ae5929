//! A native process: for tests and tools.

use std::{future::Future, ops::Range, time::SystemTime};

use bytes::Bytes;

/// The bytes of a block.
#[derive(Clone, Debug)]
pub enum Payload {
    /// In this program's memory.
    Wasm(Bytes),
}

impl avocet_dag::Payload for Payload {
    fn len(&self) -> usize {
        let Self::Wasm(bytes) = self;
        bytes.len()
    }

    fn slice(&self, range: Range<usize>) -> Self {
        let Self::Wasm(bytes) = self;
        Self::Wasm(bytes.slice(range))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        let Self::Wasm(bytes) = self;
        Some(bytes)
    }
}

impl Payload {
    /// The same: there is no outside.
    #[must_use]
    pub fn moved_out(self) -> Self {
        self
    }

    pub(super) fn copy_in(&self, range: Range<usize>) -> Bytes {
        let Self::Wasm(bytes) = self;
        bytes.slice(range)
    }
}

/// No hash but the one that `dag` brings.
#[expect(clippy::unused_async, reason = "the web's kind waits")]
pub(super) async fn sha256(_: &Payload) -> Option<[u8; 32]> {
    None
}

/// There is no tab to be hidden.
#[must_use]
pub fn is_hidden() -> bool {
    false
}

/// Milliseconds since 1970 by the wall clock.
#[expect(clippy::disallowed_methods, reason = "this is the platform's own clock, and native")]
#[must_use]
pub fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Runs a task on this thread beside the others. The caller is inside [`block_on`].
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    drop(tokio::task::spawn_local(task));
}

/// Runs `future` to its end on this thread, with what it spawns beside it.
///
/// # Errors
/// When the system gives no event loop.
pub fn block_on<F: Future>(future: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(tokio::task::LocalSet::new().block_on(&runtime, future))
}
