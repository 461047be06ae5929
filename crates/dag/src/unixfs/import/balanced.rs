//! The layout in which all leaves lie equally deep.

use super::{ImportError, Leaf, Nodes};

/// Nodes are filled from the left, and made when the next link finds no place in them: only then
/// is it known that they are not the root.
#[derive(Debug, Clone, Default)]
pub(super) struct Balanced {
    /// Unfinished nodes, the leaves' parent first. Invariant: none is empty, or has more than
    /// `max_links` links.
    levels: Vec<Vec<Leaf>>,
}

impl Balanced {
    pub(super) fn push(&mut self, leaf: Leaf, nodes: &mut Nodes) -> Result<(), ImportError> {
        self.add(0, leaf, nodes)
    }

    pub(super) fn finish(mut self, nodes: &mut Nodes) -> Result<Leaf, ImportError> {
        let mut level = 0;
        while level < self.levels.len() {
            let links = std::mem::take(&mut self.levels[level]);
            level += 1;
            if level < self.levels.len() {
                let node = nodes.inner(&links)?;
                self.add(level, node, nodes)?;
                continue;
            }
            return match <[Leaf; 1]>::try_from(links) {
                Ok(_) if !nodes.meta.is_empty() => Err(ImportError::Single),
                Ok([leaf]) => Ok(leaf),
                Err(links) => nodes.root(&links),
            };
        }
        nodes.empty()
    }

    /// Adds a link to a level, and what has no place there to the levels above.
    fn add(
        &mut self,
        mut level: usize,
        mut link: Leaf,
        nodes: &mut Nodes,
    ) -> Result<(), ImportError> {
        loop {
            let Some(links) = self.levels.get_mut(level) else {
                self.levels.push(vec![link]);
                return Ok(());
            };
            if links.len() < nodes.options.max_links {
                links.push(link);
                return Ok(());
            }
            let full = std::mem::replace(links, vec![link]);
            link = nodes.inner(&full)?;
            level += 1;
        }
    }
}
