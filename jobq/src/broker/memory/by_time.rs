//! Elements by time, as a sorted set keeps them: each once, equal times by the elements' order.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use crate::timestamp::At;

#[derive(Debug)]
pub(super) struct ByTime<T> {
    order: BTreeSet<(At, T)>,
    times: HashMap<T, At>,
}

impl<T> Default for ByTime<T> {
    fn default() -> Self {
        Self {
            order: BTreeSet::new(),
            times: HashMap::new(),
        }
    }
}

impl<T: Clone + Ord + Hash> ByTime<T> {
    /// Adds an element; one that is there already gets the new time.
    pub(super) fn insert(&mut self, element: T, time: At) {
        if let Some(old) = self.times.insert(element.clone(), time) {
            self.order.remove(&(old, element.clone()));
        }
        self.order.insert((time, element));
    }

    /// Takes the first, if its time has come.
    pub(super) fn pop_due(&mut self, now: At) -> Option<T> {
        if self.first()? > now {
            return None;
        }
        self.pop_first()
    }

    pub(super) fn pop_first(&mut self) -> Option<T> {
        let (_, element) = self.order.pop_first()?;
        self.times.remove(&element);
        Some(element)
    }

    /// Removes an element; answers whether it was there.
    pub(super) fn remove(&mut self, element: &T) -> bool {
        let time = self.times.remove(element);
        time.is_some_and(|time| self.order.remove(&(time, element.clone())))
    }

    pub(super) fn get(&self, element: &T) -> Option<At> {
        self.times.get(element).copied()
    }

    pub(super) fn first(&self) -> Option<At> {
        self.order.first().map(|&(time, _)| time)
    }

    pub(super) fn last(&self) -> Option<At> {
        self.order.last().map(|&(time, _)| time)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(At, T)> {
        self.order.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_elements_stand_once_at_the_time_given_last() {
        let mut set = ByTime::default();
        for time in [5, 9, 7] {
            set.insert("a", At::from_ms(time));
        }
        assert_eq!(set.len(), 1);
        assert_eq!((set.first(), set.last()), (set.get(&"a"), set.get(&"a")));
        assert_eq!(set.first(), Some(At::from_ms(7)));
        assert_eq!(set.pop_due(At::from_ms(6)), None);
        assert!(set.pop_due(At::from_ms(7)).is_some());
        assert_eq!(set.pop_due(At::from_ms(99)), None);
        assert_eq!(set.get(&"a"), None);
    }

    #[test]
    fn equal_times_go_by_the_elements() {
        let mut set = ByTime::default();
        for name in ["b", "c", "a"] {
            set.insert(name, At::from_ms(1));
        }
        let out = std::iter::from_fn(|| set.pop_due(At::from_ms(1))).collect::<Vec<_>>();
        assert_eq!(out, ["a", "b", "c"]);
    }
}
