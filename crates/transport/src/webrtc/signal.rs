//! Signalling: how two browsers tell each other where they are, over a stream of the relayed
//! connection. The libp2p specification of WebRTC in browsers, protocol [`PROTOCOL`].
//!
//! The dialler sends an offer, the other answers, and both send their candidates as they find
//! them. [`Decoder`] and [`Message::encode`] are the wire; [`Negotiation`] says what may come
//! when. There is no stream, no connection and no clock in here.

use bytes::Bytes;
use thiserror::Error;

use super::proto::{self, Fields, ProtoError, Value};

/// The stream protocol.
pub const PROTOCOL: &str = "/webrtc-signaling/0.0.1";

/// The longest message taken. An SDP for data channels is about 1 KB, with the candidates of a
/// machine with many interfaces in it below 10 KB; a relay passes 128 KiB for everything.
pub const MAX_MESSAGE: usize = 32 * 1024;

/// How many candidates one side may send. A browser with ten interfaces and two STUN servers
/// finds about 40.
pub const MAX_CANDIDATES: usize = 100;

/// A field that the specification does not have, and that every implementation skips: an offer
/// with it comes from someone who settles simultaneous dials as [`super::tie`] does.
const FIELD_SETTLES_TIES: u64 = 1000;

/// A signalling message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The dialler's session description.
    Offer {
        /// Session description, as `createOffer` gives it.
        sdp: String,
        /// The sender settles simultaneous dials by the rule of [`super::tie`].
        settles_ties: bool,
    },
    /// The other side's session description.
    Answer(String),
    /// The JSON of `RTCIceCandidate.toJSON()`; `null` or an empty candidate marks the end.
    Candidate(String),
}

/// Why a message is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MessageError {
    /// Its length prefix passes [`MAX_MESSAGE`].
    #[error("a signalling message of {0} bytes, where {MAX_MESSAGE} is the most")]
    TooLong(u64),
    /// Not a protobuf message.
    #[error("a signalling message that is none: {0}")]
    Malformed(#[from] ProtoError),
    /// Without a type, or of one that we do not know.
    #[error("a signalling message of no known type")]
    UnknownType,
    /// Its text is not UTF-8.
    #[error("a signalling message whose text is no UTF-8")]
    NoText,
}

impl Message {
    /// The message as it goes on the wire, with its length in front.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, data, settles_ties) = match self {
            Self::Offer { sdp, settles_ties } => (0, sdp, *settles_ties),
            Self::Answer(sdp) => (1, sdp, false),
            Self::Candidate(json) => (2, json, false),
        };
        let mut body = vec![0x08, kind, 0x12];
        proto::put_varint(&mut body, data.len() as u64);
        body.extend_from_slice(data.as_bytes());
        if settles_ties {
            proto::put_varint(&mut body, FIELD_SETTLES_TIES << 3);
            body.push(1);
        }
        let mut wire = Vec::with_capacity(body.len() + 3);
        proto::put_varint(&mut wire, body.len() as u64);
        wire.extend(body);
        wire
    }

    fn decode(body: &[u8]) -> Result<Self, MessageError> {
        let (mut kind, mut data, mut settles_ties) = (None, None, false);
        for field in Fields::new(body) {
            match field? {
                (1, Value::Varint(value)) => kind = Some(value),
                (2, Value::Bytes(bytes)) => data = Some(bytes),
                (FIELD_SETTLES_TIES, Value::Varint(value)) => settles_ties = value != 0,
                _ => {}
            }
        }
        let text = std::str::from_utf8(data.unwrap_or_default());
        let data = text.map_err(|_| MessageError::NoText)?.to_owned();
        match kind {
            Some(0) => Ok(Self::Offer { sdp: data, settles_ties }),
            Some(1) => Ok(Self::Answer(data)),
            Some(2) => Ok(Self::Candidate(data)),
            _ => Err(MessageError::UnknownType),
        }
    }
}

/// Cuts a stream's bytes into messages. Holds at most one message and what was read with it.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
}

impl Decoder {
    /// Takes bytes as the stream gives them. Call [`Decoder::message`] until it gives `None` before
    /// taking more, then no more than one message is ever held.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message. After an error the stream is of no more use.
    pub fn message(&mut self) -> Result<Option<Message>, MessageError> {
        let Some((len, start)) = proto::varint(&self.bytes)? else { return Ok(None) };
        let body = match usize::try_from(len) {
            Ok(body) if body <= MAX_MESSAGE => body,
            _ => return Err(MessageError::TooLong(len)),
        };
        let Some(whole) = self.bytes.get(start..start + body) else { return Ok(None) };
        let message = Message::decode(whole)?;
        self.bytes.drain(..start + body);
        Ok(Some(message))
    }
}

/// What the one who holds the connection has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send these bytes on the stream.
    Send(Bytes),
    /// Set the local description last given.
    SetLocal,
    /// Set this remote description: an answer for the dialler, an offer for the other, who then
    /// creates an answer and gives it to [`Negotiation::described`].
    SetRemote(String),
    /// Add this candidate; one that the browser refuses is skipped.
    AddCandidate(String),
}

/// Why a negotiation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignalError {
    /// What came is no message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A message that has no place at this point.
    #[error("{came} came where {expected} was due")]
    OutOfOrder {
        /// What came: `an offer`, `an answer`, `a candidate`.
        came: &'static str,
        /// What was due.
        expected: &'static str,
    },
    /// More than [`MAX_CANDIDATES`].
    #[error("more than {MAX_CANDIDATES} candidates")]
    TooManyCandidates,
    /// The stream ended before the descriptions were exchanged.
    #[error("the signalling stream ended too early")]
    Ended,
}

/// Where a negotiation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Our own description is to be made.
    Describe,
    /// The other side's description is due.
    AwaitRemote,
    /// Both are set; candidates go to and fro.
    Candidates,
}

/// One side of one negotiation.
#[derive(Debug)]
pub struct Negotiation {
    offers: bool,
    phase: Phase,
    /// Candidates that came before the description that they belong to; at most
    /// [`MAX_CANDIDATES`]. Not ours, which always follow the description, but others'.
    early: Vec<String>,
    /// How many came.
    candidates: usize,
}

impl Negotiation {
    /// The dialler's side. First comes [`Negotiation::described`] with the offer.
    pub fn offer() -> Self {
        Self { offers: true, phase: Phase::Describe, early: Vec::new(), candidates: 0 }
    }

    /// The listener's side. First comes the dialler's offer.
    pub fn answer() -> Self {
        Self { offers: false, phase: Phase::AwaitRemote, early: Vec::new(), candidates: 0 }
    }

    /// Whether this is the dialler's side.
    pub fn offers(&self) -> bool {
        self.offers
    }

    /// Our own description is there. It is sent before it is set: setting it lets the browser
    /// look for candidates, which so always follow it.
    pub fn described(&mut self, sdp: String) -> Vec<Action> {
        let message = if self.offers {
            self.phase = Phase::AwaitRemote;
            Message::Offer { sdp, settles_ties: true }
        } else {
            self.phase = Phase::Candidates;
            Message::Answer(sdp)
        };
        let mut actions = vec![Action::Send(message.encode().into()), Action::SetLocal];
        if !self.offers {
            actions.extend(self.early.drain(..).map(Action::AddCandidate));
        }
        actions
    }

    /// The browser found a candidate of ours, as JSON.
    pub fn found(&self, candidate: String) -> Action {
        Action::Send(Message::Candidate(candidate).encode().into())
    }

    /// A message came.
    pub fn handle(&mut self, message: Message) -> Result<Vec<Action>, SignalError> {
        let out_of_order = |came| SignalError::OutOfOrder { came, expected: self.expected() };
        match message {
            Message::Candidate(json) => self.candidate(json),
            Message::Offer { .. } if self.offers => Err(out_of_order("an offer")),
            Message::Answer(_) if !self.offers => Err(out_of_order("an answer")),
            Message::Offer { .. } if self.phase != Phase::AwaitRemote => {
                Err(out_of_order("an offer"))
            }
            Message::Answer(_) if self.phase != Phase::AwaitRemote => {
                Err(out_of_order("an answer"))
            }
            Message::Offer { sdp, .. } => {
                self.phase = Phase::Describe;
                Ok(vec![Action::SetRemote(sdp)])
            }
            Message::Answer(sdp) => {
                self.phase = Phase::Candidates;
                let early = self.early.drain(..).map(Action::AddCandidate);
                Ok(std::iter::once(Action::SetRemote(sdp)).chain(early).collect())
            }
        }
    }

    /// The stream ended. That is an error as long as a description is owed.
    pub fn ended(&self) -> Result<(), SignalError> {
        if self.phase == Phase::Candidates { Ok(()) } else { Err(SignalError::Ended) }
    }

    fn candidate(&mut self, json: String) -> Result<Vec<Action>, SignalError> {
        self.candidates += 1;
        if self.candidates > MAX_CANDIDATES {
            return Err(SignalError::TooManyCandidates);
        }
        if matches!(json.trim(), "null" | "\"\"" | "") {
            return Ok(Vec::new());
        }
        if self.phase == Phase::Candidates {
            return Ok(vec![Action::AddCandidate(json)]);
        }
        self.early.push(json);
        Ok(Vec::new())
    }

    fn expected(&self) -> &'static str {
        match (self.phase, self.offers) {
            (Phase::AwaitRemote, true) => "an answer",
            (Phase::AwaitRemote, false) => "an offer",
            (Phase::Describe | Phase::Candidates, _) => "a candidate",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offer(sdp: &str) -> Message {
        Message::Offer { sdp: sdp.into(), settles_ties: true }
    }

    fn all(wire: &[u8]) -> Result<Vec<Message>, MessageError> {
        let mut decoder = Decoder::default();
        decoder.feed(wire);
        let mut messages = Vec::new();
        while let Some(message) = decoder.message()? {
            messages.push(message);
        }
        Ok(messages)
    }

    /// Runs two sides against each other; what each was told to do to its connection, in order.
    fn run() -> (Vec<Action>, Vec<Action>) {
        let (mut a, mut b) = (Negotiation::offer(), Negotiation::answer());
        let (mut did_a, mut did_b) = (Vec::new(), Vec::new());
        let mut to_b = a.described("offer".into());
        let mut to_a = Vec::new();
        to_b.push(a.found("{\"candidate\":\"a\"}".into()));
        while !to_a.is_empty() || !to_b.is_empty() {
            for action in std::mem::take(&mut to_b) {
                let Action::Send(wire) = action else {
                    did_a.push(action);
                    continue;
                };
                for message in all(&wire).unwrap() {
                    for action in b.handle(message).unwrap() {
                        if matches!(action, Action::SetRemote(_)) {
                            to_a.extend(b.described("answer".into()));
                            to_a.push(b.found("{\"candidate\":\"b\"}".into()));
                        }
                        did_b.push(action);
                    }
                }
            }
            for action in std::mem::take(&mut to_a) {
                let Action::Send(wire) = action else {
                    did_b.push(action);
                    continue;
                };
                for message in all(&wire).unwrap() {
                    did_a.extend(a.handle(message).unwrap());
                }
            }
        }
        assert_eq!((a.ended(), b.ended()), (Ok(()), Ok(())));
        (did_a, did_b)
    }

    #[test]
    fn an_offer_is_answered_and_candidates_are_swapped() {
        let (a, b) = run();
        assert_eq!(a[0], Action::SetLocal);
        assert_eq!(a[1], Action::SetRemote("answer".into()));
        assert_eq!(a[2], Action::AddCandidate("{\"candidate\":\"b\"}".into()));
        assert_eq!(b[0], Action::SetRemote("offer".into()));
        assert!(b.contains(&Action::AddCandidate("{\"candidate\":\"a\"}".into())));
    }

    #[test]
    fn a_candidate_ahead_of_its_description_waits_for_it() {
        let mut a = Negotiation::offer();
        let _ = a.described("offer".into());
        assert_eq!(a.handle(Message::Candidate("{}".into())), Ok(vec![]));
        assert_eq!(
            a.handle(Message::Answer("answer".into())),
            Ok(vec![Action::SetRemote("answer".into()), Action::AddCandidate("{}".into())])
        );
    }

    #[test]
    fn the_offer_goes_out_before_it_is_set() {
        let actions = Negotiation::offer().described("sdp".into());
        assert!(matches!(actions[..], [Action::Send(_), Action::SetLocal]));
    }

    #[test]
    fn the_end_of_candidates_adds_none() {
        let mut b = Negotiation::answer();
        for end in ["null", "\"\"", " null ", ""] {
            assert_eq!(b.handle(Message::Candidate(end.into())), Ok(vec![]));
        }
        assert!(b.early.is_empty());
    }

    #[test]
    fn messages_out_of_order_end_it() {
        let mut a = Negotiation::offer();
        assert!(matches!(
            a.handle(Message::Answer("x".into())),
            Err(SignalError::OutOfOrder { .. })
        ));
        assert!(matches!(a.handle(offer("x")), Err(SignalError::OutOfOrder { .. })));
        let mut b = Negotiation::answer();
        assert!(matches!(
            b.handle(Message::Answer("x".into())),
            Err(SignalError::OutOfOrder { .. })
        ));
        assert!(b.handle(offer("x")).is_ok());
        assert!(matches!(b.handle(offer("x")), Err(SignalError::OutOfOrder { .. })));
    }

    #[test]
    fn silence_and_an_early_end_are_errors() {
        assert_eq!(Negotiation::answer().ended(), Err(SignalError::Ended));
        assert_eq!(Negotiation::offer().ended(), Err(SignalError::Ended));
    }

    #[test]
    fn a_flood_of_candidates_ends_it() {
        let mut b = Negotiation::answer();
        for _ in 0..MAX_CANDIDATES {
            assert!(b.handle(Message::Candidate("{}".into())).is_ok());
        }
        let more = b.handle(Message::Candidate("{}".into()));
        assert_eq!(more, Err(SignalError::TooManyCandidates));
        assert!(b.early.len() <= MAX_CANDIDATES);
    }

    #[test]
    fn a_message_of_ten_megabytes_is_refused_at_its_prefix() {
        let mut wire = Vec::new();
        proto::put_varint(&mut wire, 10_000_000);
        assert_eq!(all(&wire), Err(MessageError::TooLong(10_000_000)));
    }

    #[test]
    fn js_libp2p_s_bytes_are_understood() {
        assert_eq!(all(&[5, 0x08, 1, 0x12, 1, b'x']), Ok(vec![Message::Answer("x".into())]));
        // an offer as js sends it says nothing of ties
        let plain = Message::Offer { sdp: "x".into(), settles_ties: false };
        assert_eq!(all(&[5, 0x08, 0, 0x12, 1, b'x']), Ok(vec![plain]));
    }

    #[test]
    fn garbage_is_refused() {
        assert_eq!(all(&[2, 0x08, 9]), Err(MessageError::UnknownType));
        assert_eq!(all(&[0]), Err(MessageError::UnknownType));
        assert_eq!(all(&[6, 0x08, 0, 0x12, 2, 0xff, 0xfe]), Err(MessageError::NoText));
        assert!(matches!(all(&[2, 0x12, 9]), Err(MessageError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn messages_come_back(kind in 0..3, data in ".{0,200}", settles_ties: bool, cut in 1usize..40) {
            let message = match kind {
                0 => Message::Offer { sdp: data, settles_ties },
                1 => Message::Answer(data),
                _ => Message::Candidate(data),
            };
            let mut decoder = Decoder::default();
            let mut got = None;
            for piece in message.encode().chunks(cut) {
                decoder.feed(piece);
                prop_assert!(got.is_none());
                got = decoder.message().unwrap();
            }
            prop_assert_eq!(got, Some(message));
        }

        #[test]
        fn any_bytes_end_in_messages_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut side = Negotiation::answer();
            for message in all(&bytes).unwrap_or_default() {
                if side.handle(message).is_err() { break }
            }
        }
    }
}
