//! Two connected connections.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    AsyncRead, AsyncWrite, TryStreamExt, channel::mpsc, future::join, stream::IntoAsyncRead,
};
use futures_timer::Delay;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerExt};

use crate::webrtc::{
    Closer, Config, Connection, NegotiationError, Stream,
    connection::Lost,
    negotiate::{self, Signalling},
    signal::Message,
};

/// One end of a pipe of bytes in memory. At most 64 writes wait to be read.
pub struct Pipe {
    read: IntoAsyncRead<mpsc::Receiver<io::Result<Vec<u8>>>>,
    write: mpsc::Sender<io::Result<Vec<u8>>>,
}

pub fn pipe() -> (Pipe, Pipe) {
    let (to_a, from_b) = mpsc::channel(64);
    let (to_b, from_a) = mpsc::channel(64);
    let end = |read: mpsc::Receiver<_>, write| Pipe { read: read.into_async_read(), write };
    (end(from_b, to_b), end(from_a, to_a))
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        futures::ready!(self.write.poll_ready(cx)).map_err(gone)?;
        self.write.start_send(Ok(buf.to_vec())).map_err(gone)?;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write.close_channel();
        Poll::Ready(Ok(()))
    }
}

/// Both sides of a negotiation that goes well: the dialler first.
pub async fn pair() -> (Connection, Connection) {
    let (a, b) = pipe();
    let closer = Closer::new();
    let (a, b) = join(dial(a, &closer), answer(b, &closer)).await;
    (a.unwrap(), b.unwrap())
}

pub async fn dial(pipe: Pipe, closer: &Closer) -> Result<Connection, NegotiationError> {
    let mut signalling = Signalling::new(pipe);
    let connection = negotiate::dial(&mut signalling, &Config::default(), closer, || {}).await?;
    signalling.farewell().await;
    Ok(connection)
}

pub async fn answer(pipe: Pipe, closer: &Closer) -> Result<Connection, NegotiationError> {
    let mut signalling = Signalling::new(pipe);
    let (offer, settles_ties) = signalling.offer().await?;
    assert!(settles_ties);
    let connection = negotiate::answer(&mut signalling, offer, &Config::default(), closer).await?;
    signalling.await_farewell().await;
    Ok(connection)
}

pub async fn open(connection: &mut Connection) -> Stream {
    poll_fn(|cx| connection.poll_outbound_unpin(cx)).await.unwrap()
}

pub async fn accept(connection: &mut Connection) -> Stream {
    poll_fn(|cx| connection.poll_inbound_unpin(cx)).await.unwrap()
}

/// A stream from the first to the second; something has been said on it, or nobody would know.
pub async fn stream(a: &mut Connection, b: &mut Connection) -> (Stream, Stream) {
    join(open(a), accept(b)).await
}

/// Resolves with the reason when the connection is over.
pub async fn over(connection: &mut Connection) -> Lost {
    poll_fn(|cx| connection.poll_unpin(cx)).await.unwrap_err()
}

pub async fn close(mut connection: Connection) {
    poll_fn(|cx| Pin::new(&mut connection).poll_close(cx)).await.unwrap();
}

/// Bytes that differ everywhere, so that none can be lost, doubled or moved unseen.
pub fn bytes(count: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 11) as u8
        })
        .collect()
}

/// The work, or a panic that says what hung.
pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    futures::pin_mut!(work);
    match futures::future::select(work, Delay::new(Duration::from_secs(30))).await {
        futures::future::Either::Left((done, _)) => done,
        futures::future::Either::Right(_) => panic!("{what} took more than 30 s"),
    }
}

/// A signalling message on the pipe.
pub async fn say(pipe: &mut Pipe, message: &Message) {
    use futures::AsyncWriteExt;
    pipe.write_all(&message.encode()).await.unwrap();
}

/// Reads to the end. The like of it in `futures` clears its spare room at every step, which makes
/// megabytes slow.
pub async fn read_all(from: &mut (impl AsyncRead + Unpin), got: &mut Vec<u8>) -> io::Result<()> {
    use futures::AsyncReadExt;
    let mut piece = vec![0; 256 * 1024];
    loop {
        match from.read(&mut piece).await? {
            0 => return Ok(()),
            read => got.extend_from_slice(&piece[..read]),
        }
    }
}
