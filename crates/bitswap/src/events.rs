//! What goes into an [`Engine`](crate::Engine) and what comes out of it.

use avocet_dag::{Block, Cid};
use bytes::Bytes;

use crate::{
    session::SessionId,
    wire::{Entry, Message, Outgoing, Presence},
};

/// What may be set. The defaults are right for a browser tab.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// The most peers outside a session that are asked for a want at a time. Kubo asks all that
    /// it is connected to; here strangers are asked for a first block alone, so many at a time.
    pub broadcast: usize,
    /// Bounds of the answering side.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self { broadcast: 16, limits: Limits::default() }
    }
}

/// Bounds of the answering side.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most wants kept of a peer: 1024 in Kubo.
    pub wants: usize,
    /// The most bytes read from the store for a peer and not yet handed out: 1 MiB in Kubo. Here
    /// twice that, so that a block of 1 MiB is read while another waits for its turn. A block that
    /// is larger is read when nothing else is there.
    pub outstanding: usize,
    /// What a message is filled up to: 16 KiB in Kubo. A larger block goes alone.
    pub message: usize,
    /// Up to this size a block is sent in place of a HAVE: 1024 bytes in Kubo and Helia.
    pub replace_have: usize,
    /// The most reads from the store at a time for one peer.
    pub loads: usize,
    /// The most bytes read ahead for all peers together. One block for each peer may always be
    /// in memory; only what is read beyond that counts against this.
    pub read_ahead: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wants: 1024,
            outstanding: 2 * 1024 * 1024,
            message: 16 * 1024,
            replace_have: 1024,
            loads: 32,
            read_ahead: 32 * 1024 * 1024,
        }
    }
}

/// What the store is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// How large the block is.
    Size,
    /// The block.
    Block,
}

/// What the store answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded<B> {
    /// It has a block of so many bytes.
    Size(usize),
    /// Here it is.
    Block(Block<B>),
}

/// Which of a peer's two ways a message goes. Each has at most one message at a time, and wants
/// one stream of its own: what we ask must not wait behind a megabyte that we answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Our wants.
    Asking,
    /// Our answers: blocks and presences.
    Answering,
}

/// Why a peer is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// It sent three blocks that nobody asked it for.
    Unasked,
    /// It owed blocks, fell silent, and did not answer a ping.
    Silent,
    /// It kept a message open that hardly moved.
    Trickling,
    /// It does not take what it asked for.
    NotReading,
    /// Three messages in a row could not be sent.
    Unreachable,
}

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action<P, B = Bytes> {
    /// Write `message` to `peer`, on that lane's stream; then
    /// [`handle_sent`](crate::Engine::handle_sent) or [`handle_send_failed`](crate::Engine::handle_send_failed).
    Send {
        /// To whom.
        peer: P,
        /// On which stream.
        lane: Lane,
        /// What.
        message: Outgoing<B>,
    },
    /// A wanted block. The want is settled for these sessions.
    Deliver {
        /// What was wanted; the block's own CID.
        cid: Cid,
        /// It.
        block: Block<B>,
        /// Who sent it.
        from: P,
        /// All the sessions that wanted it, at least one.
        sessions: Vec<SessionId>,
    },
    /// Ask the store; then [`handle_loaded`](crate::Engine::handle_loaded), with `None` for what it
    /// lacks.
    Load {
        /// For whom: to be given back.
        peer: P,
        /// Of what.
        cid: Cid,
        /// Size or block.
        what: What,
    },
    /// Send a ping; an answer is told by [`handle_pong`](crate::Engine::handle_pong).
    Ping {
        /// To whom.
        peer: P,
    },
    /// Close all connections to the peer. The engine has forgotten it already.
    Close {
        /// Whom.
        peer: P,
        /// Why.
        reason: CloseReason,
    },
    /// No peer that the session knows has this: find providers, connect, and
    /// [`add_peer`](crate::Engine::add_peer). Repeated, with growing pauses, while it stays so.
    NeedProviders {
        /// For which session.
        session: SessionId,
        /// For one of its wants, the oldest.
        cid: Cid,
    },
}

/// A message whose blocks were hashed. See [`Message::into_incoming`].
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming<B = Bytes> {
    /// Lines of the peer's want list.
    pub wants: Vec<Entry>,
    /// Whether they replace all that it wanted.
    pub full: bool,
    /// HAVE and DONT_HAVE.
    pub presences: Vec<Presence>,
    /// Verified blocks; whether they were asked for is for the engine to see.
    pub blocks: Vec<Block<B>>,
    /// How many blocks could not be hashed: malformed, too large, or of an unknown hash.
    pub rejected: usize,
    /// The message's length in bytes, the same that was told to
    /// [`handle_receiving`](crate::Engine::handle_receiving).
    pub size: usize,
}

impl Message {
    /// The message with its blocks hashed, and `rejected` of them not.
    pub fn into_incoming<B>(self, blocks: Vec<Block<B>>, rejected: usize) -> Incoming<B> {
        Incoming {
            wants: self.wants,
            full: self.full,
            presences: self.presences,
            blocks,
            rejected: self.rejected + rejected,
            size: self.size,
        }
    }
}

/// What went through the engine since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blocks that were wanted.
    pub blocks_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Blocks that had been asked for, and were wanted no more: most were there already.
    pub surplus_blocks: u64,
    /// Their bytes.
    pub surplus_bytes: u64,
    /// Blocks that were never asked for.
    pub unasked_blocks: u64,
    /// Blocks that were handed out to be sent.
    pub blocks_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
}

/// What is known of a connected peer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PeerStats {
    /// Bytes of wanted blocks that it sent.
    pub bytes_received: u64,
    /// Bytes of blocks that were handed out for it.
    pub bytes_sent: u64,
    /// Bytes a second that it delivers, while something is asked of it.
    pub rate: Option<f64>,
    /// Blocks that it was asked for and has not sent.
    pub owes: usize,
    /// How many wants of its are kept.
    pub wants: usize,
    /// Bytes of blocks that are in memory for it.
    pub in_memory: usize,
}
