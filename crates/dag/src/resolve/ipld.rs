//! The part of a path that runs through one block of DAG-CBOR or DAG-JSON: keys of maps and
//! indices of lists, as far as the next link.

use super::ResolveError;
use crate::{
    Block, Cid, Payload,
    codec::{self, CodecError, Token, index},
    path::shorten,
    unixfs::NodeError,
};

/// How far a block leads.
pub(super) struct Followed {
    /// The link that was come to; `None` where the path ends inside the block.
    pub link: Option<Cid>,
    /// How many names led there.
    pub names: usize,
}

/// Follows `names`, of which there is at least one, as far as the block goes. The whole block is
/// checked, and no value is built.
pub(super) fn follow<B: Payload>(
    block: &Block<B>,
    names: &[String],
) -> Result<Followed, ResolveError> {
    let cid = block.cid();
    let of_node = |error: CodecError| ResolveError::Node(NodeError::Codec(error));
    let bytes = codec::bytes(block).map_err(of_node)?;
    let mut tokens = codec::tokens(cid, bytes).map_err(of_node)?;
    let mut search = Search { names, found: 0, depth: 0, here: Here::Root, end: None };
    let broken = |error| of_node(CodecError::of(cid, error));
    while let Some(token) = tokens.next_token().map_err(broken)? {
        search.take(token);
    }
    let found = search.found;
    let place = || shorten(&names[..found].join("/"));
    let name = |at: usize| names.get(at).map(|name| shorten(name)).unwrap_or_default();
    match search.end {
        Some(End::Here) => Ok(Followed { link: None, names: found }),
        Some(End::Link(link)) => match link.check() {
            Ok(()) => Ok(Followed { link: Some(link), names: found }),
            Err(source) => {
                let segment = name(found - 1);
                Err(ResolveError::Link { directory: cid.clone(), segment, source })
            }
        },
        Some(End::Scalar) => {
            Err(ResolveError::Scalar { cid: cid.clone(), place: place(), segment: name(found) })
        }
        _ => Err(ResolveError::Missing { cid: cid.clone(), place: place(), segment: name(found) }),
    }
}

/// Where the search ended.
enum End {
    /// All names were found.
    Here,
    /// At a link.
    Link(Cid),
    /// At a value that has no names, with names left.
    Scalar,
    /// In a list or map that does not have the name.
    Missing,
}

/// The search for names in the parts of a block.
struct Search<'n> {
    names: &'n [String],
    /// How many have been found.
    found: usize,
    /// How many lists and maps are open. The next name is looked up in the one at `found + 1`.
    depth: usize,
    here: Here,
    end: Option<End>,
}

/// What the next name is looked up in.
enum Here {
    /// Nothing yet: the block's value is next.
    Root,
    /// A list of which this many items have passed, with the index that is looked for.
    List(usize, Option<usize>),
    /// A map; whether its last key was the name.
    Map(bool),
}

impl Search<'_> {
    fn take(&mut self, token: Token<'_>) {
        let opens = matches!(token, Token::List | Token::Map);
        if token == Token::End {
            self.depth -= 1;
            if self.end.is_none() && self.depth == self.found {
                self.end = Some(End::Missing);
            }
        } else if self.end.is_none() && self.is_it(&token) {
            self.here = match token {
                Token::Link(cid) if self.found > 0 => return self.end = Some(End::Link(cid)),
                _ if self.found == self.names.len() => return self.reach(opens),
                Token::List => Here::List(0, index(&self.names[self.found])),
                Token::Map => Here::Map(false),
                _ => return self.end = Some(End::Scalar),
            };
        }
        self.depth += usize::from(opens);
    }

    fn reach(&mut self, opens: bool) {
        self.end = Some(End::Here);
        self.depth += usize::from(opens);
    }

    /// Whether this is the value that has to be looked into: the block's own, or that of the name
    /// which is looked for; then the name has been found.
    fn is_it(&mut self, token: &Token<'_>) -> bool {
        let directly = self.depth == self.found + 1;
        let found = match (&mut self.here, token) {
            (Here::Root, _) => return true,
            (Here::Map(is_next), Token::Key(key)) if directly => {
                *is_next = key.as_ref() == self.names[self.found];
                false
            }
            (Here::Map(is_next), _) if directly => std::mem::take(is_next),
            (Here::List(passed, index), _) if directly => {
                *passed += 1;
                *index == Some(*passed - 1)
            }
            _ => false,
        };
        self.found += usize::from(found);
        found
    }
}
