//! In which order a peer needs what it asks for at once.
//!
//! Kubo reads a file ten blocks at a time, draws their order and their priorities by lot, and asks for the next ten when
//! it has read six: served as it asked, it has nearly all of the ten by then, and the line lies idle while it asks. The
//! node that it was given before has the links in the order in which they are read.

use std::cmp::Reverse;

use avocet_dag::Cid;

use super::Rank;
use crate::{
    sorted::{Map, Set},
    wire::Entry,
};

/// Links of a peer's nodes that are kept, 16 bytes each (and room for as many that are learnt): two nodes of 1024 links,
/// the most that importers make.
const MAX_LINKS: usize = 2048;

/// Where the links of the nodes stand that a peer was given last.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// By the end of the digest, which is as good as the whole: a mistake only costs some order.
    places: Map<u64, u64>,
    next: u64,
}

impl Order {
    pub(super) const fn new() -> Self {
        Self { places: Map::new(), next: 0 }
    }

    /// The peer was given a node with these links.
    pub(super) fn learn(&mut self, links: impl IntoIterator<Item = Cid>) {
        for cid in links.into_iter().take(MAX_LINKS) {
            self.places.insert(key(&cid), self.next);
            self.next += 1;
        }
        let first = self.next.saturating_sub(MAX_LINKS as u64);
        self.places.retain(|_, place| *place >= first);
    }

    /// Deals the places and priorities that links have in a want list out to them in their nodes' order. Whatever else
    /// is wanted keeps its own, and so does what has several lines: the last of them counts.
    pub(super) fn arrange(&self, entries: &mut [Entry]) {
        if self.places.is_empty() {
            return;
        }
        let place = |entry: &Entry| self.places.get(&key(&entry.cid)).copied();
        let mut lines = Map::<u64, usize>::new();
        for place in entries.iter().filter_map(place) {
            *lines.entry(place).or_default() += 1;
        }
        let (mut links, mut ranks) = (Map::new(), Set::<Rank>::new());
        for (at, entry) in (0..).zip(entries.iter()).filter(|(_, entry)| !entry.cancel) {
            let Some(place) = place(entry).filter(|place| lines.get(place) == Some(&1)) else {
                continue;
            };
            links.insert(place, entry.clone());
            ranks.insert((Reverse(entry.priority), at));
        }
        for ((Reverse(priority), at), entry) in ranks.iter().zip(links.into_values()) {
            let slot = usize::try_from(*at).ok().and_then(|at| entries.get_mut(at));
            slot.into_iter()
                .for_each(|slot| *slot = Entry { priority: *priority, ..entry.clone() });
        }
    }
}

fn key(cid: &Cid) -> u64 {
    let digest = cid.hash().digest();
    digest.iter().rev().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use avocet_dag::{Block, Version, code};
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::wire::WantKind;

    fn cid(number: usize) -> Cid {
        let bytes = Bytes::from(number.to_string());
        Block::hash(Version::V1, code::RAW, code::SHA2_256, bytes).unwrap().into_parts().0
    }

    fn cids(numbers: impl IntoIterator<Item = usize>) -> Vec<Cid> {
        numbers.into_iter().map(cid).collect()
    }

    fn want(cid: Cid, priority: i32) -> Entry {
        let (cancel, kind, send_dont_have) = (false, WantKind::Block, true);
        Entry { cid, priority, cancel, kind, send_dont_have }
    }

    /// In which order these are served.
    fn served(order: &Order, mut entries: Vec<Entry>) -> Vec<Cid> {
        order.arrange(&mut entries);
        entries.sort_by_key(|entry| Reverse(entry.priority));
        entries.into_iter().map(|entry| entry.cid).collect()
    }

    #[test]
    fn links_go_in_the_order_of_their_node() {
        let mut order = Order::new();
        order.learn(cids(0..20));
        let wants = [(13, -1), (10, -5), (12, -2), (11, -4), (14, -3)];
        let entries = wants.map(|(number, priority)| want(cid(number), priority));
        assert_eq!(served(&order, entries.to_vec()), cids(10..15));
        let equal = wants.map(|(number, _)| want(cid(number), 1));
        assert_eq!(served(&order, equal.to_vec()), cids(10..15));
    }

    #[test]
    fn what_is_no_link_keeps_its_place_and_a_cancel_is_left_alone() {
        let mut order = Order::new();
        order.learn(cids(0..3));
        let cancel = Entry::cancel(cid(0));
        let mut entries = vec![want(cid(2), 9), want(cid(7), 8), cancel.clone(), want(cid(1), 7)];
        order.arrange(&mut entries);
        let expected = [want(cid(1), 9), want(cid(7), 8), cancel, want(cid(2), 7)];
        assert_eq!(entries, expected);
    }

    #[test]
    fn of_many_nodes_the_last_are_known() {
        let mut order = Order::new();
        for node in 0..5 {
            order.learn(cids(node * 1000..(node + 1) * 1000));
        }
        assert_eq!(order.places.len(), MAX_LINKS);
        assert_eq!(served(&order, vec![want(cid(4001), 2), want(cid(4000), 1)]), cids(4000..4002));
        assert_eq!(served(&order, vec![want(cid(1), 2), want(cid(0), 1)]), cids([1, 0]));
        order.learn(cids(0..3 * MAX_LINKS));
        assert_eq!(order.places.len(), MAX_LINKS);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_made_up(
            links in proptest::collection::vec(0..30usize, 0..30),
            wants in proptest::collection::vec((0..40usize, -3..3i32, any::<bool>()), 0..40),
        ) {
            let mut order = Order::new();
            order.learn(cids(links));
            let given: Vec<_> = wants
                .into_iter()
                .map(|(number, priority, cancel)| match cancel {
                    true => Entry::cancel(cid(number)),
                    false => want(cid(number), priority),
                })
                .collect();
            let mut arranged = given.clone();
            order.arrange(&mut arranged);
            let what = |entries: &[Entry]| {
                let mut all: Vec<_> =
                    entries.iter().map(|entry| (entry.cid.clone(), entry.cancel)).collect();
                all.sort();
                all
            };
            let priorities =
                |entries: &[Entry]| entries.iter().map(|entry| entry.priority).collect::<Vec<_>>();
            prop_assert_eq!(what(&arranged), what(&given));
            let lines = |entries: &[Entry], cid: &Cid| {
                entries.iter().filter(|entry| entry.cid == *cid).map(|entry| entry.cancel).collect::<Vec<_>>()
            };
            for Entry { cid, .. } in &given {
                prop_assert_eq!(lines(&arranged, cid), lines(&given, cid), "the last line of a CID counts");
            }
            prop_assert_eq!(priorities(&arranged), priorities(&given));
        }
    }
}
