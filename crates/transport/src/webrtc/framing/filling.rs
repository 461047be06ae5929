//! Frames on their way out.

use super::{ASKED, COUNTS, Flag, MAX_BEGINNING, MAX_HEADER, PAYLOAD, RECEIVED, Reader};
use crate::webrtc::proto;

/// The frame that carries nothing but `flag`.
pub fn encode_flag(flag: Flag) -> [u8; 3] {
    let value = match flag {
        Flag::Fin => 0,
        Flag::StopSending => 1,
        Flag::Reset => 2,
        Flag::FinAck => 3,
    };
    [2, 0x08, value]
}

/// The frame that tells how many bytes of payload have come.
pub fn encode_received(total: u64) -> Vec<u8> {
    let mut frame = vec![0];
    proto::put_varint(&mut frame, RECEIVED << 3);
    proto::put_varint(&mut frame, total);
    // at most twelve
    frame[0] = (frame.len() - 1) as u8;
    frame
}

/// The frame that only asks what has come.
pub fn encode_question() -> [u8; 4] {
    let [first, second, value] = ASKED;
    [3, first, second, value]
}

/// Room for the header of any frame, the first one's too.
const HEADER_ROOM: usize = MAX_HEADER + COUNTS.len() + ASKED.len();

/// A frame being filled. Its memory has room for the header in front of the payload, so that a
/// payload is copied once, however it comes in.
#[derive(Debug, Default)]
pub struct Filling {
    /// Empty, or [`HEADER_ROOM`] bytes of room and the payload.
    bytes: Vec<u8>,
    counts: bool,
    asks: bool,
}

impl Filling {
    /// The first frame of a stream whose sender counts what comes, and says so.
    pub fn counting() -> Self {
        Self { counts: true, ..Self::default() }
    }

    /// Has it ask what has come.
    pub fn ask(&mut self) {
        self.asks = true;
    }

    /// Takes what fits of `payload`; says how much.
    pub fn fill(&mut self, payload: &[u8]) -> usize {
        let take = payload.len().min(PAYLOAD - self.payload_len());
        if take > 0 {
            if self.bytes.is_empty() {
                self.bytes.resize(HEADER_ROOM, 0);
            }
            self.bytes.extend_from_slice(&payload[..take]);
        }
        take
    }

    /// Whether no more fits.
    pub fn is_full(&self) -> bool {
        self.payload_len() == PAYLOAD
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The messages in which the frame goes to such a reader, the second mostly empty and then not
    /// to be sent. [`Filling::clear`] begins the next frame.
    pub fn messages(&mut self, reader: Reader) -> (&[u8], &[u8]) {
        let frame = self.frame();
        let apart = reader == Reader::Messages && frame.len() > MAX_BEGINNING;
        // a frame of that size has a length of two bytes
        frame.split_at(if apart { 2 } else { frame.len() })
    }

    /// The frame's bytes as they go on the wire.
    pub(super) fn frame(&mut self) -> &[u8] {
        let payload = self.payload_len();
        if payload == 0 {
            return &[];
        }
        let mut inner = Vec::with_capacity(HEADER_ROOM);
        if self.counts {
            inner.extend_from_slice(&COUNTS);
        }
        if self.asks {
            inner.extend_from_slice(&ASKED);
        }
        inner.push(0x12);
        proto::put_varint(&mut inner, payload as u64);
        let mut header = Vec::with_capacity(HEADER_ROOM);
        proto::put_varint(&mut header, (inner.len() + payload) as u64);
        header.extend_from_slice(&inner);
        let start = HEADER_ROOM - header.len();
        self.bytes[start..HEADER_ROOM].copy_from_slice(&header);
        &self.bytes[start..]
    }

    /// Empties it for the next frame, keeping its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.counts = false;
        self.asks = false;
    }

    /// Bytes of the payload so far.
    pub fn payload_len(&self) -> usize {
        self.bytes.len().saturating_sub(HEADER_ROOM)
    }
}
