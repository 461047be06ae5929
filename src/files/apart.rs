//! Work that goes on by itself.

use futures::{FutureExt, future::RemoteHandle};

use crate::platform;

/// Runs `work` as a task of its own; dropping the handle ends it.
///
/// A browser commits a transaction as soon as nobody goes on with it. So what uses the store ahead
/// of time must not wait until somebody pulls the next value: it has to run by itself.
pub fn apart<T: 'static>(work: impl Future<Output = T> + 'static) -> RemoteHandle<T> {
    let (task, handle) = work.remote_handle();
    platform::spawn(task);
    handle
}
