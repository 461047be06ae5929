//! The layout in which the first leaves lie near the root and later ones deeper.
//!
//! A node holds as many leaves as it may have, then subtrees: four of depth 1 (leaves alone), four
//! of depth 2, and so on; in a subtree of depth n, up to depth n - 1. Only the root has no bound.

use super::{ImportError, Leaf, Nodes};

/// How many subtrees of one depth follow one another (boxo's `depthRepeat`).
const REPEAT: usize = 4;

#[derive(Debug, Clone, Default)]
pub(super) struct Trickle {
    /// Unfinished nodes, the root first, each inside the one before.
    open: Vec<Open>,
}

#[derive(Debug, Clone)]
struct Open {
    /// Leaves, then subtrees.
    links: Vec<Leaf>,
    /// `None`: the root.
    depth: Option<usize>,
}

impl Open {
    /// The depth of the subtree that the next leaf begins; `None` where there is room for the
    /// leaf itself.
    const fn next(&self, max_links: usize) -> Option<usize> {
        match self.links.len().checked_sub(max_links) {
            None => None,
            Some(subtrees) => Some(1 + subtrees / REPEAT),
        }
    }
}

impl Trickle {
    pub(super) fn push(&mut self, leaf: Leaf, nodes: &mut Nodes) -> Result<(), ImportError> {
        if self.open.is_empty() {
            self.open.push(Open { links: Vec::new(), depth: None });
        }
        while let Some(node) = self.open.last_mut() {
            match node.next(nodes.options.max_links) {
                None => {
                    node.links.push(leaf);
                    break;
                }
                Some(depth) if node.depth.is_none_or(|own| depth < own) => {
                    self.open.push(Open { links: Vec::new(), depth: Some(depth) });
                }
                Some(_) => self.close(nodes)?,
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self, nodes: &mut Nodes) -> Result<Leaf, ImportError> {
        while self.open.len() > 1 {
            self.close(nodes)?;
        }
        let links = self.open.pop().map(|root| root.links);
        nodes.root(&links.unwrap_or_default())
    }

    /// Makes the innermost node, which is not the root.
    fn close(&mut self, nodes: &mut Nodes) -> Result<(), ImportError> {
        let Some(node) = self.open.pop() else { return Ok(()) };
        let link = nodes.inner(&node.links)?;
        if let Some(parent) = self.open.last_mut() {
            parent.links.push(link);
        }
        Ok(())
    }
}
