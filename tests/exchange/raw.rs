//! A connection of libp2p with its layers in our hands: what goes over the socket, and the frames of yamux
//! (<https://github.com/hashicorp/yamux/blob/master/spec.md>).

use libp2p::{
    core::upgrade::{OutboundConnectionUpgrade, UpgradeInfo},
    futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    identity::Keypair,
    noise,
};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

pub const DATA: u8 = 0;
pub const WINDOW_UPDATE: u8 = 1;
pub const GO_AWAY: u8 = 3;

pub const SYN: u16 = 1;
pub const FIN: u16 = 4;
pub const RST: u16 = 8;

/// A frame that came.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u16,
    pub stream: u32,
    /// The length of the data, or the credit, or why the other goes away.
    pub value: u32,
    pub body: Vec<u8>,
}

/// The head of a frame.
pub fn head(kind: u8, flags: u16, stream: u32, value: u32) -> Vec<u8> {
    let mut bytes = vec![0, kind];
    bytes.extend(flags.to_be_bytes());
    bytes.extend(stream.to_be_bytes());
    bytes.extend(value.to_be_bytes());
    bytes
}

/// A frame of data.
pub fn data(flags: u16, stream: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = head(DATA, flags, stream, u32::try_from(body.len()).unwrap());
    bytes.extend(body);
    bytes
}

/// What begins a stream of that protocol.
pub fn propose(protocol: &str) -> Vec<u8> {
    let mut bytes = line("/multistream/1.0.0");
    bytes.extend(line(protocol));
    bytes
}

fn line(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.len() + 1).unwrap()];
    bytes.extend(text.bytes());
    bytes.push(b'\n');
    bytes
}

/// How a write is spoilt on its way.
#[derive(Clone, Default)]
pub struct Spoil(Arc<AtomicU8>);

const FLIP: u8 = 1;
const REPLAY: u8 = 2;

impl Spoil {
    /// The next write goes out with one bit flipped.
    pub fn flip(&self) {
        self.0.store(FLIP, Ordering::Relaxed);
    }

    /// The next write goes out twice.
    pub fn replay(&self) {
        self.0.store(REPLAY, Ordering::Relaxed);
    }
}

/// A socket that spoils what it is told to. Everything goes out with the flush, as whole as it was written.
pub struct Wire<S> {
    socket: S,
    spoil: Spoil,
    out: Vec<u8>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut bytes = buf.to_vec();
        match self.spoil.0.swap(0, Ordering::Relaxed) {
            FLIP => bytes[buf.len() - 1] ^= 1,
            REPLAY => bytes.extend(buf),
            _ => {}
        }
        self.out.extend(bytes);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, out, .. } = &mut *self;
        while !out.is_empty() {
            match Pin::new(&mut *socket).poll_write(cx, out) {
                Poll::Ready(Ok(written)) => drop(out.drain(..written)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Pin::new(socket).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.as_mut().poll_flush(cx) {
            Poll::Ready(_) => Pin::new(&mut self.socket).poll_close(cx),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// A connection after Noise and the choice of yamux.
pub struct Raw<S> {
    pub noise: noise::Output<Wire<S>>,
    pub spoil: Spoil,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Raw<S> {
    /// As the one who dialled.
    pub async fn connect(socket: S, key: &Keypair) -> Self {
        let spoil = Spoil::default();
        let mut wire = Wire { socket, spoil: spoil.clone(), out: Vec::new() };
        select(&mut wire, "/noise").await;
        let config = noise::Config::new(key).unwrap();
        let info = config.protocol_info().next().unwrap();
        let (_, mut noise) = config.upgrade_outbound(wire, info).await.unwrap();
        select(&mut noise, "/yamux/1.0.0").await;
        Self { noise, spoil }
    }

    /// Sends what may be frames.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.noise.write_all(bytes).await?;
        self.noise.flush().await
    }

    /// The next frame; `None` when the connection is gone.
    pub async fn next(&mut self) -> Option<Frame> {
        next(&mut self.noise).await
    }

    /// Waits for the end, or for the word that the other side goes. Whether it goes because of an error.
    pub async fn refused(&mut self) -> bool {
        while let Some(frame) = self.next().await {
            if frame.kind == GO_AWAY {
                return frame.value != 0;
            }
        }
        true
    }

    /// Waits for the end.
    pub async fn closed(&mut self) {
        while self.next().await.is_some() {}
    }
}

/// The next frame that `noise` brings; `None` when the connection is gone.
pub async fn next(noise: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
    let mut head = [0; 12];
    noise.read_exact(&mut head).await.ok()?;
    let number = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap());
    let (kind, flags) = (head[1], u16::from_be_bytes([head[2], head[3]]));
    let (stream, value) = (number(4), number(8));
    let mut body = vec![0; if kind == DATA { value as usize } else { 0 }];
    noise.read_exact(&mut body).await.ok()?;
    Some(Frame { kind, flags, stream, value, body })
}

/// Chooses a protocol, one round trip at a time.
async fn select(socket: &mut (impl AsyncRead + AsyncWrite + Unpin), protocol: &str) {
    for text in ["/multistream/1.0.0", protocol] {
        let sent = line(text);
        socket.write_all(&sent).await.unwrap();
        socket.flush().await.unwrap();
        let mut got = vec![0; sent.len()];
        socket.read_exact(&mut got).await.unwrap();
        assert_eq!(got, sent, "{text} is spoken");
    }
}
