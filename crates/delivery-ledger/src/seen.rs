//! Which attempts a response has shown so far.

use alloc::collections::{BTreeSet, VecDeque};

use crate::id::AttemptId;

/// The ids of a response's attempts. Most logs are in order, whichever: of these it is little more than the ids. Of any
/// other it is a set.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// In order. What comes after all of them, or before, is added at that end.
    run: VecDeque<AttemptId>,
    /// Those that came between.
    others: BTreeSet<AttemptId>,
}

impl Seen {
    /// Takes in an id, and says whether it is new.
    pub(crate) fn insert(&mut self, id: AttemptId) -> bool {
        match (self.run.front(), self.run.back()) {
            (Some(first), _) if id < *first => self.run.push_front(id),
            (_, Some(last)) if id <= *last => {
                return self.run.binary_search(&id).is_err() && self.others.insert(id);
            }
            _ => self.run.push_back(id),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::id::ObjectId;

    proptest! {
        #[test]
        fn an_id_is_new_once(numbers in vec(0_u8..40, 0..120)) {
            let (mut seen, mut model) = (Seen::default(), BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(seen.insert(AttemptId(ObjectId::from_bytes([number; 12]))), model.insert(number));
            }
        }
    }
}
