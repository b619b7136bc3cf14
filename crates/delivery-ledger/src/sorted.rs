//! Rows in the order of their keys, side by side in memory: a map for many small values.

use alloc::vec::Vec;

/// Something that is found by a part of itself.
pub(crate) trait Row: Copy {
    /// What it is found by.
    type Key: Ord;

    /// Its key.
    fn key(&self) -> Self::Key;
}

/// Rows in the order of their keys, each key once. A B-tree keeps a third or half of its room free; this keeps no more
/// than a quarter. The price is that whatever comes or goes moves what stands behind it, so that rows come many at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sorted<R>(Vec<R>);

impl<R: Row> Sorted<R> {
    /// All of them, in the order of their keys.
    pub(crate) fn iter(&self) -> core::slice::Iter<'_, R> {
        self.0.iter()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn find(&self, key: &R::Key) -> Result<usize, usize> {
        self.0.binary_search_by(|row| row.key().cmp(key))
    }

    /// The row with this key.
    pub(crate) fn get(&self, key: &R::Key) -> Option<&R> {
        self.0.get(self.find(key).ok()?)
    }

    /// The row with this key, to be changed in all but that.
    pub(crate) fn get_mut(&mut self, key: &R::Key) -> Option<&mut R> {
        let index = self.find(key).ok()?;
        self.0.get_mut(index)
    }

    /// Adds those of `rows`, in any order, whose keys are not there. Of those with one key, one.
    pub(crate) fn add(&mut self, mut rows: Vec<R>) {
        rows.sort_unstable_by_key(Row::key);
        rows.dedup_by(|one, other| one.key() == other.key());
        if self.0.is_empty() {
            rows.shrink_to_fit();
            self.0 = rows;
            return;
        }
        if self.0.last().is_some_and(|last| rows.first().is_some_and(|first| first.key() <= last.key())) {
            rows.retain(|row| self.find(&row.key()).is_err());
        }
        self.0.reserve_exact(rows.len());
        // From the end, so that each row moves once: what is old, up by as many as there are new ones before it.
        let mut old = self.0.len();
        self.0.extend_from_slice(&rows);
        let mut end = self.0.len();
        while let (Some(new), Some(last)) = (rows.last(), old.checked_sub(1)) {
            end -= 1;
            if self.0[last].key() > new.key() {
                self.0[end] = self.0[last];
                old = last;
            } else {
                self.0[end] = *new;
                rows.pop();
            }
        }
        // What is left of them is before all others.
        self.0[..rows.len()].copy_from_slice(&rows);
    }

    /// Removes the rows that are not to be kept.
    pub(crate) fn retain(&mut self, is_kept: impl FnMut(&R) -> bool) {
        self.0.retain(is_kept);
        if self.0.capacity() - self.0.len() > self.0.len() / 4 {
            self.0.shrink_to_fit();
        }
    }
}

impl<R> Default for Sorted<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R: Row> FromIterator<R> for Sorted<R> {
    fn from_iter<Rows: IntoIterator<Item = R>>(rows: Rows) -> Self {
        let mut sorted = Self::default();
        sorted.add(rows.into_iter().collect());
        sorted
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    impl Row for (u8, u8) {
        type Key = u8;

        fn key(&self) -> u8 {
            self.0
        }
    }

    proptest! {
        #[test]
        fn rows_are_those_of_a_map_whatever_comes_and_goes(
            steps in vec((vec(any::<(u8, u8)>(), 0..40), any::<u8>()), 0..12),
        ) {
            let (mut sorted, mut map) = (Sorted::default(), BTreeMap::new());
            for (rows, limit) in steps {
                // Which of those with one key is added is not said.
                let rows: Vec<(u8, u8)> = rows.into_iter().map(|(key, _)| (key, key ^ limit)).collect();
                rows.iter().for_each(|(key, value)| _ = map.entry(*key).or_insert(*value));
                sorted.add(rows);
                prop_assert!(sorted.iter().copied().eq(map.clone()));
                map.retain(|key, _| *key < limit);
                sorted.retain(|(key, _)| *key < limit);
                prop_assert!(sorted.iter().copied().eq(map.clone()));
                prop_assert!(sorted.0.capacity() - sorted.len() <= sorted.len() / 4);
                for key in 0..=u8::MAX {
                    prop_assert_eq!(sorted.get(&key).map(|row| row.1), map.get(&key).copied());
                }
            }
        }
    }
}
