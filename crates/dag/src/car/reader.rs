//! Reading: bytes in, sections out.

use std::ops::Range;

use bytes::Bytes;

use super::{
    CarError, HeaderError, MAX_HEADER, MAX_SECTION, Part,
    header::{self, PRELUDE},
    pieces::Pieces,
    section::{Header, Options, Section},
};
use crate::{
    Block, BlockError, Cid, CidError, MAX_BLOCK, MAX_CID, Payload,
    varint::{self, VarintError},
};

/// The most bytes that have to be looked at to know a section's CID.
const MAX_HEAD: usize = varint::MAX_LEN + MAX_CID;

/// Reads an archive of version 1 or 2 that comes in pieces.
///
/// [`push`](Self::push) a piece, take what is there until nothing is left, push the next; at the
/// end [`finish`](Self::finish) says whether anything is missing. Used so, no more is held than
/// one piece and one section. After an error there is nothing more.
///
/// A section's bytes are a slice of the piece that they came in, and a copy where they lie in
/// several. Bytes are looked at only where a length, a header or a CID is.
#[derive(Debug)]
pub struct Reader<B = Bytes> {
    options: Options,
    pieces: Pieces<B>,
    state: State,
    header: Option<Header>,
    /// Where in an archive of version 2 the data lies.
    data: Option<Range<u64>>,
    failed: Option<CarError>,
}

/// What comes next.
#[derive(Debug, Clone)]
enum State {
    /// The archive's header, or that of the data in it.
    Header,
    Prelude,
    /// Whatever lies before the data.
    Gap,
    Section,
    /// The block of a section that began at `at`.
    Body {
        at: u64,
        cid: Cid,
        len: usize,
    },
    /// Nothing.
    End,
}

impl<B: Payload> Reader<B> {
    /// A reader of one archive.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            pieces: Pieces::new(),
            state: State::Header,
            header: None,
            data: None,
            failed: None,
        }
    }

    /// Takes the archive's next bytes.
    pub fn push(&mut self, piece: B) {
        if !piece.is_empty() && self.failed.is_none() && !self.is_done() {
            self.pieces.push(piece);
        }
    }

    /// What the archive says of itself, once it has been read that far.
    pub const fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The next section, not verified; `None` when more bytes are needed for it, and at the end.
    pub fn next_section(&mut self) -> Result<Option<Section<B>>, CarError> {
        match &self.failed {
            Some(error) => Err(error.clone()),
            None => self.advance().map_err(|error| self.fail(error)),
        }
    }

    /// Whether the archive's end was reached, though more bytes may follow, which nobody needs.
    /// Archives of version 1 end where their bytes end: of them this is never said, unless they
    /// are padded.
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// Says whether the archive is whole. To be asked when there are no more bytes to push, and
    /// no section is left to be taken.
    pub fn finish(&self) -> Result<(), CarError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let end = self.pieces.at + self.pieces.len as u64;
        let (part, at, need) = match (&self.state, &self.data) {
            (State::End, _) => return Ok(()),
            (State::Section, None) if self.pieces.len == 0 => return Ok(()),
            (State::Prelude, _) => (Part::Prelude, self.pieces.at, PRELUDE as u64),
            (State::Body { at, len, .. }, _) => {
                (Part::Section, *at, self.pieces.at - at + *len as u64)
            }
            (_, Some(data)) if self.pieces.len == 0 => {
                (Part::Data, data.start, data.end - data.start)
            }
            (State::Section, _) => (Part::Section, self.pieces.at, self.pieces.need()),
            (State::Header | State::Gap, _) => (Part::Header, self.pieces.at, self.pieces.need()),
        };
        Err(CarError::Truncated { part, at, need, end })
    }

    fn fail(&mut self, error: CarError) -> CarError {
        self.pieces.clear();
        self.failed = Some(error.clone());
        error
    }

    fn advance(&mut self) -> Result<Option<Section<B>>, CarError> {
        loop {
            let moved = match self.state {
                State::Header => self.read_header()?,
                State::Prelude => self.read_prelude()?,
                State::Gap => self.skip_gap(),
                State::Section => self.read_section_head()?,
                State::Body { len, .. } if len > self.pieces.len => false,
                State::Body { .. } => return self.read_body().map(Some),
                State::End => {
                    self.pieces.clear();
                    false
                }
            };
            if !moved {
                return Ok(None);
            }
        }
    }

    fn read_header(&mut self) -> Result<bool, CarError> {
        let at = self.pieces.at;
        self.look(varint::MAX_LEN)?;
        let Some((len, used)) = self.length(Part::Header)? else { return Ok(false) };
        if len > MAX_HEADER as u64 {
            return Err(CarError::TooLarge { part: Part::Header, at, len, most: MAX_HEADER });
        }
        self.check_end(Part::Header, used as u64 + len)?;
        let all = used + len as usize;
        if self.pieces.len < all {
            return Ok(false);
        }
        self.look(all)?;
        let invalid = |source| CarError::Header { at, source };
        let decoded = header::decode(&self.pieces.seen[used..]).map_err(invalid)?;
        self.pieces.skip(all);
        let expected = if self.data.is_some() { "1" } else { "1 or 2" };
        match (decoded.version, decoded.roots) {
            (1, Some(roots)) => {
                let version = if self.data.is_some() { 2 } else { 1 };
                self.header = Some(Header { version, roots, data: self.data.clone() });
                self.state = State::Section;
            }
            (1, None) => return Err(invalid(HeaderError::NoRoots)),
            (2, None) if self.data.is_none() => self.state = State::Prelude,
            (2, Some(_)) if self.data.is_none() => return Err(invalid(HeaderError::Key)),
            (found, _) => return Err(CarError::Version { found, expected }),
        }
        Ok(true)
    }

    fn read_prelude(&mut self) -> Result<bool, CarError> {
        if self.pieces.len < PRELUDE {
            return Ok(false);
        }
        self.look(PRELUDE)?;
        self.data = Some(header::data(&self.pieces.seen, self.options.len)?);
        self.pieces.skip(PRELUDE);
        self.state = State::Gap;
        Ok(true)
    }

    fn skip_gap(&mut self) -> bool {
        let start = self.data.as_ref().map_or(0, |data| data.start);
        let left = (start - self.pieces.at).min(self.pieces.len as u64) as usize;
        self.pieces.skip(left);
        if self.pieces.at < start {
            return false;
        }
        self.state = State::Header;
        true
    }

    fn read_section_head(&mut self) -> Result<bool, CarError> {
        let at = self.pieces.at;
        if at == self.limit() {
            self.state = State::End;
            return Ok(true);
        }
        self.look(MAX_HEAD)?;
        let Some((len, used)) = self.length(Part::Section)? else { return Ok(false) };
        if len == 0 {
            if !self.options.null_padding {
                return Err(CarError::Empty { at });
            }
            self.state = State::End;
            return Ok(true);
        }
        if len > MAX_SECTION as u64 {
            return Err(CarError::TooLarge { part: Part::Section, at, len, most: MAX_SECTION });
        }
        let len = len as usize;
        self.check_end(Part::Section, (used + len) as u64)?;
        let most = len.min(MAX_CID);
        let seen = &self.pieces.seen[used..];
        let (cid, cid_len) = match Cid::read(&seen[..seen.len().min(most)]) {
            // the first byte of a version 0 is another thing without the second
            _ if seen.len() < most.min(2) => return Ok(false),
            Err(error) if is_cut(&error) && seen.len() < most => return Ok(false),
            Err(source) => return Err(CarError::Cid { at, source }),
            Ok(found) => found,
        };
        let body = len - cid_len;
        if body > MAX_BLOCK {
            return Err(CarError::Block { at, source: BlockError::TooLarge(body) });
        }
        self.pieces.skip(used + cid_len);
        self.state = State::Body { at, cid, len: body };
        Ok(true)
    }

    fn read_body(&mut self) -> Result<Section<B>, CarError> {
        let State::Body { at, cid, len } = std::mem::replace(&mut self.state, State::Section)
        else {
            return Err(CarError::NotInMemory);
        };
        let bytes = self.pieces.take(len).ok_or(CarError::NotInMemory)?;
        Ok(Section { cid, bytes, at, end: self.pieces.at })
    }

    /// The length that is looked at, and its own; `None` if more bytes are needed.
    fn length(&mut self, part: Part) -> Result<Option<(u64, usize)>, CarError> {
        match varint::read(&self.pieces.seen) {
            Ok(found) => Ok(Some(found)),
            Err(VarintError::Truncated) => {
                self.check_end(part, self.pieces.len as u64 + 1)?;
                Ok(None)
            }
            Err(source) => Err(CarError::Length { part, at: self.pieces.at, source }),
        }
    }

    /// Refuses what takes more bytes than there are before the end, where that is known.
    fn check_end(&self, part: Part, need: u64) -> Result<(), CarError> {
        let (at, end) = (self.pieces.at, self.limit());
        match need > end.saturating_sub(at) {
            true if self.data.is_some() => Err(CarError::PastEnd { part, at, need, end }),
            true => Err(CarError::Truncated { part, at, need, end }),
            false => Ok(()),
        }
    }

    /// Where the data ends, or the archive, as far as that is known.
    fn limit(&self) -> u64 {
        let known = self.data.as_ref().map(|data| data.end).or(self.options.len);
        known.unwrap_or(u64::MAX)
    }

    /// Makes up to `most` bytes of the data ready to be looked at.
    fn look(&mut self, most: usize) -> Result<(), CarError> {
        let left = self.limit().saturating_sub(self.pieces.at);
        let most = most.min(usize::try_from(left).unwrap_or(usize::MAX));
        self.pieces.look(most).ok_or(CarError::NotInMemory)
    }
}

impl Reader<Bytes> {
    /// The next block, verified; `None` as for [`next_section`](Self::next_section).
    pub fn next_block(&mut self) -> Result<Option<Block>, CarError> {
        let section = self.next_section()?;
        section.map(Section::verify).transpose().map_err(|error| self.fail(error))
    }
}

/// Whether it is nothing but an end that is missing.
fn is_cut(error: &CidError) -> bool {
    use CidError::{Empty, Truncated, Varint};
    matches!(error, Empty | Truncated | Varint(VarintError::Truncated))
}
