//! Maps and sets in one sorted piece of memory each.
//!
//! They stand in for the standard library's B-trees, of which each kind adds some ten kilobytes to what a page
//! loads. Here a kind costs a tenth of that. Inserting moves what comes after; all of them are bounded by a few
//! thousand entries (wants, peers, sessions), and those that grow in order are only appended to.

use std::{
    borrow::Borrow,
    ops::{Bound, RangeBounds},
};

/// Where the key is, or would have to go.
fn locate<K, V, Q>(rows: &[(K, V)], key: &Q) -> Result<usize, usize>
where
    K: Borrow<Q>,
    Q: Ord + ?Sized,
{
    // What grows in order grows at the end.
    match rows.last() {
        Some((last, _)) if last.borrow() < key => Err(rows.len()),
        _ => rows.binary_search_by(|(held, _)| held.borrow().cmp(key)),
    }
}

/// A map in the order of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<K, V> {
    rows: Vec<(K, V)>,
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<K: Ord, V> Map<K, V> {
    pub const fn new() -> Self {
        Self { rows: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn clear(&mut self) {
        self.rows.clear();
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = locate(&self.rows, key).ok()?;
        self.rows.get(at).map(|(_, value)| value)
    }

    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = locate(&self.rows, key).ok()?;
        self.rows.get_mut(at).map(|(_, value)| value)
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        locate(&self.rows, key).is_ok()
    }

    /// Gives what the key had before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match locate(&self.rows, &key) {
            Ok(at) => self.rows.get_mut(at).map(|(_, held)| std::mem::replace(held, value)),
            Err(at) => {
                self.rows.insert(at, (key, value));
                None
            }
        }
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = locate(&self.rows, key).ok()?;
        Some(self.rows.remove(at).1)
    }

    /// The key's place, to be filled where it is empty.
    pub fn entry(&mut self, key: K) -> Place<'_, K, V> {
        Place { map: self, key }
    }

    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.rows.into_iter().map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + ExactSizeIterator {
        self.rows.iter().map(|(key, value)| (key, value))
    }

    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> {
        self.rows.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.rows.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.iter().map(|(_, value)| value)
    }

    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.rows.iter_mut().map(|(_, value)| value)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.rows.retain_mut(|(key, value)| keep(key, value));
    }

    /// The entries whose keys lie in `range`.
    pub fn range(&self, range: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let from = match range.start_bound() {
            Bound::Included(key) => self.rows.partition_point(|(held, _)| held < key),
            Bound::Excluded(key) => self.rows.partition_point(|(held, _)| held <= key),
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(key) => self.rows.partition_point(|(held, _)| held <= key),
            Bound::Excluded(key) => self.rows.partition_point(|(held, _)| held < key),
            Bound::Unbounded => self.rows.len(),
        };
        self.rows[from..to.max(from)].iter().map(|(key, value)| (key, value))
    }

    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.rows.first().map(|(key, value)| (key, value))
    }

    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.rows.last().map(|(key, value)| (key, value))
    }

    pub fn pop_first(&mut self) -> Option<(K, V)> {
        (!self.rows.is_empty()).then(|| self.rows.remove(0))
    }

    pub fn pop_last(&mut self) -> Option<(K, V)> {
        self.rows.pop()
    }
}

/// A key's place in a map.
pub struct Place<'a, K, V> {
    map: &'a mut Map<K, V>,
    key: K,
}

impl<'a, K: Ord, V> Place<'a, K, V> {
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        let rows = &mut self.map.rows;
        let at = match locate(rows, &self.key) {
            Ok(at) => at,
            Err(at) => {
                rows.insert(at, (self.key, make()));
                at
            }
        };
        &mut rows[at].1
    }

    pub fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a Map<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, (K, V)>, fn(&'a (K, V)) -> (&'a K, &'a V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter().map(|(key, value)| (key, value))
    }
}

impl<'a, K, V> IntoIterator for &'a mut Map<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter =
        std::iter::Map<std::slice::IterMut<'a, (K, V)>, fn(&'a mut (K, V)) -> (&'a K, &'a mut V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter_mut().map(|(key, value)| (&*key, value))
    }
}

/// A set in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<K> {
    map: Map<K, ()>,
}

impl<K> Default for Set<K> {
    fn default() -> Self {
        Self { map: Map::default() }
    }
}

impl<K: Ord> Set<K> {
    pub const fn new() -> Self {
        Self { map: Map::new() }
    }

    pub fn len(&self) -> usize {
        self.map.len()
    }

    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub fn contains(&self, key: &K) -> bool {
        self.map.contains_key(key)
    }

    /// Whether it was not there.
    pub fn insert(&mut self, key: K) -> bool {
        self.map.insert(key, ()).is_none()
    }

    /// Whether it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        self.map.remove(key).is_some()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.map.keys()
    }

    pub fn range(&self, range: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = &K> {
        self.map.range(range).map(|(key, ())| key)
    }

    pub fn first(&self) -> Option<&K> {
        self.map.first_key_value().map(|(key, ())| key)
    }

    pub fn pop_first(&mut self) -> Option<K> {
        self.map.pop_first().map(|(key, ())| key)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        self.map.retain(|key, ()| keep(key));
    }
}

impl<K: Ord> Extend<K> for Set<K> {
    fn extend<T: IntoIterator<Item = K>>(&mut self, keys: T) {
        for key in keys {
            self.insert(key);
        }
    }
}

impl<K: Ord> FromIterator<K> for Set<K> {
    fn from_iter<T: IntoIterator<Item = K>>(keys: T) -> Self {
        let mut rows: Vec<(K, ())> = keys.into_iter().map(|key| (key, ())).collect();
        rows.sort_unstable();
        rows.dedup();
        Self { map: Map { rows } }
    }
}

impl<K> IntoIterator for Set<K> {
    type Item = K;
    type IntoIter = std::iter::Map<std::vec::IntoIter<(K, ())>, fn((K, ())) -> K>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.rows.into_iter().map(|(key, ())| key)
    }
}

impl<'a, K> IntoIterator for &'a Set<K> {
    type Item = &'a K;
    type IntoIter = std::iter::Map<std::slice::Iter<'a, (K, ())>, fn(&'a (K, ())) -> &'a K>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.rows.iter().map(|(key, ())| key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u8, u16),
        Remove(u8),
        Add(u8, u16),
        PopFirst,
        Keep(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (any::<u8>(), any::<u16>()).prop_map(|(key, value)| Step::Insert(key, value)),
            any::<u8>().prop_map(Step::Remove),
            (any::<u8>(), any::<u16>()).prop_map(|(key, value)| Step::Add(key, value)),
            Just(Step::PopFirst),
            any::<u8>().prop_map(Step::Keep),
        ]
    }

    proptest! {
        #[test]
        fn a_map_is_what_a_tree_is(steps in prop::collection::vec(step(), 0..200), from: u8, to: u8) {
            let (mut map, mut tree) = (Map::new(), BTreeMap::new());
            for step in steps {
                match step {
                    Step::Insert(key, value) => {
                        prop_assert_eq!(map.insert(key, value), tree.insert(key, value));
                    }
                    Step::Remove(key) => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                    Step::Add(key, value) => {
                        let (ours, theirs) = (map.entry(key).or_insert(0), tree.entry(key).or_insert(0));
                        *ours = ours.wrapping_add(value);
                        *theirs = theirs.wrapping_add(value);
                    }
                    Step::PopFirst => prop_assert_eq!(map.pop_first(), tree.pop_first()),
                    Step::Keep(least) => {
                        map.retain(|key, _| *key >= least);
                        tree.retain(|key, _| *key >= least);
                    }
                }
                prop_assert_eq!(map.len(), tree.len());
                prop_assert_eq!(map.last_key_value(), tree.last_key_value());
            }
            prop_assert!(map.iter().eq(tree.iter()));
            if from <= to {
                prop_assert!(map.range(from..=to).eq(tree.range(from..=to)));
                prop_assert!(map.range(..to).eq(tree.range(..to)));
                prop_assert!(map.range(from..).eq(tree.range(from..)));
            }
            let (set, other): (Set<u8>, BTreeSet<u8>) =
                (map.keys().copied().collect(), tree.keys().copied().collect());
            prop_assert!(set.iter().eq(other.iter()));
            prop_assert_eq!(set.first(), other.first());
            prop_assert_eq!(set.contains(&from), other.contains(&from));
        }
    }
}
