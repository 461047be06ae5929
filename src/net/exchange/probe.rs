//! One ping when it is wanted: libp2p's own pings on a timer of its, too slow to tell a stalled peer from a dead one.

use crate::platform;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::Stream;
use std::io;

/// Bytes of a ping (libp2p's specification of `/ipfs/ping/1.0.0`).
const SIZE: usize = 32;

/// Sends a ping and waits for its echo. Whoever asks brings the deadline.
pub async fn ask(mut stream: Stream) -> io::Result<()> {
    stream.ignore_for_keep_alive();
    let mut sent = [0; SIZE];
    platform::random_bytes(&mut sent);
    stream.write_all(&sent).await?;
    stream.flush().await?;
    let mut echoed = [0; SIZE];
    stream.read_exact(&mut echoed).await?;
    stream.close().await?;
    match sent == echoed {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "the echo is not what was sent")),
    }
}
