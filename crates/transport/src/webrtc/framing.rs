//! The frames of a data channel, after the libp2p specification of WebRTC ("Multiplexing"):
//! a varint length, then the message `{ optional Flag flag = 1; optional bytes message = 2 }`.
//!
//! A frame and a message of the channel are not the same: js-libp2p sends the length and the body
//! as two messages. So the channel is read as a stream of bytes, and only its pieces' size is
//! looked at.

mod filling;

use bytes::{Buf, Bytes};
use thiserror::Error;

pub use self::filling::{Filling, encode_flag, encode_question, encode_received};
use super::proto::{self, Fields, ProtoError, Value};

/// The largest frame, and the largest message of the channel: 16 KiB with the length prefix. The
/// specification's figure: what every implementation takes.
pub const MAX_FRAME: usize = 16 * 1024;

/// The largest message that begins a frame for a reader that is [`Reader::Messages`]: go-libp2p
/// reads into a buffer of that size, and a message that does not fit ends the stream.
pub const MAX_BEGINNING: usize = 4096;

/// What stands before a frame's payload at most: two bytes of length, a tag, two bytes of length.
pub const MAX_HEADER: usize = 5;

/// The largest payload that fits a frame.
pub const MAX_PAYLOAD: usize = MAX_FRAME - MAX_HEADER;

/// A full frame of ours: 14 packets of Chromium's SCTP, filled, where [`MAX_FRAME`] takes a
/// fifteenth for its last 144 bytes (WebRTC's `kSctpMtu` is 1191; of these 28 are headers, and
/// what is left is rounded down to whole words).
pub const FRAME: usize = 14 * 1160;

/// The payload of a full frame of ours, which may ask. Only a stream's first frame takes one packet
/// more.
pub const PAYLOAD: usize = FRAME - MAX_HEADER - ASKED.len();

/// The field with which a side tells how many bytes of payload have come on the channel: 0 in the
/// first frame of each of its streams, and when it is asked. Neither this nor the next one is in
/// the specification: others skip them, and only who told something is asked. The numbers leave
/// the specification its own.
const RECEIVED: u64 = 100;

/// The field with which a side asks for that, 1.
const ASKS: u64 = 101;

/// `received = 0` as it stands in a frame.
const COUNTS: [u8; 3] = [0xa0, 0x06, 0];

/// `asks = 1` as it stands in a frame.
const ASKED: [u8; 3] = [0xa8, 0x06, 1];

/// How the other side reads a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// As a stream of bytes: a frame goes as one message.
    Bytes,
    /// Message by message, with no more room than for what it expects, as go-libp2p does: a frame
    /// above [`MAX_BEGINNING`] goes as two, its length first.
    Messages,
}

/// What a side tells of its half of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// The sender writes no more.
    Fin,
    /// The sender reads no more.
    StopSending,
    /// The sender has left; what was under way is lost.
    Reset,
    /// The other side's `Fin` has come.
    FinAck,
}

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// `None` when there is none, and when it is one that we do not know.
    pub flag: Option<Flag>,
    /// Empty when there is none. Shares the memory of the message that it came in.
    pub payload: Bytes,
    /// How many bytes of payload the other side has had of this channel; told only by one of ours.
    pub received: Option<u64>,
    /// Whether it asks for that.
    pub asks: bool,
}

/// Why a channel's bytes are no frames. Nothing can be read of the channel after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// A message of the channel above [`MAX_FRAME`].
    #[error("a message of {0} bytes, where {MAX_FRAME} is the most")]
    MessageTooLong(usize),
    /// A length prefix that promises more than [`MAX_FRAME`] holds.
    #[error("a frame of {0} bytes, where {MAX_FRAME} is the most")]
    FrameTooLong(u64),
    /// A length prefix or a body that is no protobuf.
    #[error("a frame that is no message: {0}")]
    Malformed(#[from] ProtoError),
}

/// Cuts a channel's bytes into frames.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a frame whose end has not come: at most [`MAX_FRAME`] bytes.
    partial: Vec<u8>,
}

impl Decoder {
    /// Takes a message of the channel and hands every frame that it completes to `each`, in order.
    /// After an error the decoder is of no more use.
    pub fn feed(&mut self, message: Bytes, mut each: impl FnMut(Frame)) -> Result<(), FrameError> {
        if message.len() > MAX_FRAME {
            return Err(FrameError::MessageTooLong(message.len()));
        }
        let mut rest = message;
        while !rest.is_empty() {
            let body = if self.partial.is_empty() {
                match prefix(&rest)? {
                    Some((start, end)) if end <= rest.len() => {
                        let body = rest.slice(start..end);
                        rest.advance(end);
                        body
                    }
                    _ => {
                        self.partial.extend_from_slice(&rest);
                        return Ok(());
                    }
                }
            } else {
                match self.complete(&mut rest)? {
                    Some(body) => body,
                    None => continue,
                }
            };
            each(parse(&body)?);
        }
        Ok(())
    }

    /// Moves bytes from `rest` to the frame that has begun; the frame's body when it is whole.
    fn complete(&mut self, rest: &mut Bytes) -> Result<Option<Bytes>, FrameError> {
        let (start, end) = match prefix(&self.partial)? {
            Some(known) => known,
            None => {
                self.partial.push(rest.get_u8());
                match prefix(&self.partial)? {
                    Some(known) => known,
                    None => return Ok(None),
                }
            }
        };
        let take = rest.len().min(end - self.partial.len());
        self.partial.extend_from_slice(&rest.split_to(take));
        if self.partial.len() < end {
            return Ok(None);
        }
        Ok(Some(Bytes::from(std::mem::take(&mut self.partial)).slice(start..)))
    }
}

/// Where the body of the frame at the start of `bytes` begins and ends, when its length is there.
fn prefix(bytes: &[u8]) -> Result<Option<(usize, usize)>, FrameError> {
    let Some((len, start)) = proto::varint(bytes)? else {
        // two bytes hold every allowed length
        return if bytes.len() > 2 { Err(FrameError::FrameTooLong(u64::MAX)) } else { Ok(None) };
    };
    match usize::try_from(len) {
        Ok(body) if body <= MAX_FRAME - start => Ok(Some((start, start + body))),
        _ => Err(FrameError::FrameTooLong(len)),
    }
}

fn parse(body: &Bytes) -> Result<Frame, FrameError> {
    let mut frame = Frame { flag: None, payload: Bytes::new(), received: None, asks: false };
    for field in Fields::new(body) {
        match field? {
            (1, Value::Varint(value)) => {
                frame.flag = match value {
                    0 => Some(Flag::Fin),
                    1 => Some(Flag::StopSending),
                    2 => Some(Flag::Reset),
                    3 => Some(Flag::FinAck),
                    _ => None,
                }
            }
            (2, Value::Bytes(payload)) => frame.payload = body.slice_ref(payload),
            (RECEIVED, Value::Varint(total)) => frame.received = Some(total),
            (ASKS, Value::Varint(1)) => frame.asks = true,
            _ => {}
        }
    }
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(payload: &[u8]) -> Vec<u8> {
        let mut filling = Filling::default();
        assert_eq!(filling.fill(payload), payload.len());
        filling.frame().to_vec()
    }

    fn frame_of(flag: Option<Flag>, payload: &'static [u8]) -> Frame {
        Frame { flag, payload: Bytes::from_static(payload), received: None, asks: false }
    }

    fn decode(pieces: &[&[u8]]) -> Result<Vec<Frame>, FrameError> {
        let mut decoder = Decoder::default();
        let mut frames = Vec::new();
        for piece in pieces {
            decoder.feed(Bytes::copy_from_slice(piece), |frame| frames.push(frame))?;
        }
        Ok(frames)
    }

    /// A frame of that payload, as long as others may make them.
    fn foreign(payload: usize) -> Vec<u8> {
        let mut frame = Vec::new();
        proto::put_varint(&mut frame, payload as u64 + 3);
        frame.push(0x12);
        proto::put_varint(&mut frame, payload as u64);
        frame.resize(frame.len() + payload, 7);
        frame
    }

    #[test]
    fn the_largest_frame_is_exactly_the_limit() {
        let frame = foreign(MAX_PAYLOAD);
        assert_eq!(frame.len(), MAX_FRAME);
        assert_eq!(decode(&[&frame]).unwrap()[0].payload.len(), MAX_PAYLOAD);
    }

    #[test]
    fn a_full_frame_fills_its_packets_and_the_first_one_fits_as_well() {
        let mut full = Filling::default();
        full.fill(&[7; PAYLOAD]);
        full.ask();
        assert_eq!(full.frame().len(), FRAME);
        let mut first = Filling::counting();
        first.ask();
        assert_eq!(first.fill(&[7; MAX_FRAME]), PAYLOAD);
        assert!(first.is_full());
        let frames = decode(&[first.frame()]).unwrap();
        assert_eq!((frames[0].payload.len(), frames[0].received), (PAYLOAD, Some(0)));
        assert!(frames[0].asks && first.frame().len() <= MAX_FRAME);
    }

    #[test]
    fn questions_and_answers_are_fields_that_others_skip() {
        let frames = decode(&[&encode_question(), &encode_received(300)]).unwrap();
        assert_eq!(
            frames,
            [
                Frame { asks: true, ..frame_of(None, b"") },
                Frame { received: Some(300), ..frame_of(None, b"") }
            ]
        );
        assert_eq!(encode_received(300), [4, 0xa0, 0x06, 0xac, 0x02]);
        assert_eq!(encode_received(u64::MAX).len(), 13);
    }

    #[test]
    fn bytes_on_the_wire_are_those_of_the_specification() {
        assert_eq!(encode(b"hi"), [4, 0x12, 2, b'h', b'i']);
        assert_eq!(encode_flag(Flag::FinAck), [2, 8, 3]);
        assert!(Filling::default().frame().is_empty());
    }

    #[test]
    fn prefix_and_body_may_come_apart_as_js_libp2p_sends_them() {
        let frame = encode(b"hello");
        let frames = decode(&[&frame[..1], &frame[1..]]).unwrap();
        assert_eq!(frames, [frame_of(None, b"hello")]);
    }

    #[test]
    fn a_long_frame_goes_apart_to_who_reads_by_messages() {
        let messages = |payload: usize, reader| {
            let mut filling = Filling::default();
            filling.fill(&vec![7; payload]);
            let (first, second) = filling.messages(reader);
            let frames = decode(&[first, second]).unwrap();
            assert_eq!(frames[0].payload.len(), payload);
            (first.len(), second.len())
        };
        let long = PAYLOAD + MAX_HEADER;
        assert_eq!(messages(PAYLOAD, Reader::Bytes), (long, 0));
        assert_eq!(messages(PAYLOAD, Reader::Messages), (2, long - 2));
        let most = MAX_BEGINNING - MAX_HEADER;
        assert_eq!(messages(most, Reader::Messages), (MAX_BEGINNING, 0));
        assert_eq!(messages(most + 1, Reader::Messages), (2, MAX_BEGINNING - 1));
        assert_eq!(Filling::default().messages(Reader::Messages), (&[][..], &[][..]));
    }

    #[test]
    fn a_payload_beside_a_flag_is_kept() {
        let frames = decode(&[&[5, 0x08, 0, 0x12, 1, b'x']]).unwrap();
        assert_eq!(frames, [frame_of(Some(Flag::Fin), b"x")]);
    }

    #[test]
    fn net_09_unknown_flag_is_ignored() {
        let frames = decode(&[&[5, 0x08, 99, 0x12, 1, b'x']]).unwrap();
        assert_eq!(frames, [frame_of(None, b"x")]);
    }

    #[test]
    fn net_09_message_above_16384_bytes_is_refused() {
        let message = vec![0; MAX_FRAME + 1];
        assert_eq!(decode(&[&message]), Err(FrameError::MessageTooLong(MAX_FRAME + 1)));
    }

    #[test]
    fn net_09_frame_above_16384_bytes_is_refused_at_its_prefix() {
        // 16383 bytes of body make 16385 with their prefix
        assert_eq!(decode(&[&[0xff, 0x7f]]), Err(FrameError::FrameTooLong(16383)));
        assert_eq!(decode(&[&[0xff], &[0xff], &[0xff]]), Err(FrameError::FrameTooLong(u64::MAX)));
        assert_eq!(decode(&[&[0x80, 0x80, 0x80, 0x02]]), Err(FrameError::FrameTooLong(4194304)));
    }

    #[test]
    fn net_09_body_that_is_no_message_is_refused() {
        assert!(matches!(decode(&[&[2, 0x12, 0x7f]]), Err(FrameError::Malformed(_))));
        assert!(matches!(decode(&[&[1, 0x0b]]), Err(FrameError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn frames_survive_any_cutting(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..600), 1..12),
            cuts in prop::collection::vec(1usize..700, 1..60),
        ) {
            let wire: Vec<u8> = payloads.iter().flat_map(|p| encode(p)).collect();
            let mut pieces = Vec::new();
            let mut rest = &wire[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (piece, tail) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            let frames = decode(&pieces).unwrap();
            let got: Vec<Vec<u8>> = frames.iter().map(|f| f.payload.to_vec()).collect();
            prop_assert_eq!(got, payloads);
        }

        #[test]
        fn net_09_any_bytes_hold_at_most_one_frame(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        ) {
            let mut decoder = Decoder::default();
            for piece in pieces {
                if decoder.feed(Bytes::from(piece), |_| {}).is_err() { break }
                prop_assert!(decoder.partial.len() <= MAX_FRAME);
            }
        }
    }
}
