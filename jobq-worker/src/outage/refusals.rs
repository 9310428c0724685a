//! What the broker refuses, by its words: when each is to be told, and when it is over.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// The waits between one telling of a refusal that lasts and the next; the last is repeated.
const WAITS: [Duration; 3] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
];

/// Refusals told apart; beyond, they count as one.
const MOST: usize = 100;

/// The refusals that last.
#[derive(Debug)]
pub(super) struct Refusals {
    by_words: HashMap<String, Refusal>,
    patience: Duration,
}

#[derive(Debug)]
struct Refusal {
    times: u64,
    last: Instant,
    /// How often it was told, and when last.
    told: (usize, Instant),
}

impl Refusals {
    pub(super) fn new(patience: Duration) -> Self {
        let by_words = HashMap::new();
        Self { by_words, patience }
    }

    /// Notes a refusal. If it is to be told now, answers how often there was one in these words.
    pub(super) fn note(&mut self, words: &str, now: Instant) -> Option<u64> {
        let full = self.by_words.len() >= MOST && !self.by_words.contains_key(words);
        let words = if full { "further refusals" } else { words };
        let Some(refusal) = self.by_words.get_mut(words) else {
            let (times, last, told) = (1, now, (1, now));
            let refusal = Refusal { times, last, told };
            self.by_words.insert(words.to_owned(), refusal);
            return Some(1);
        };
        refusal.times += 1;
        refusal.last = now;
        let (tellings, at) = refusal.told;
        if now < at + WAITS[tellings.min(WAITS.len()) - 1] {
            return None;
        }
        refusal.told = (tellings + 1, now);
        Some(refusal.times)
    }

    /// Takes those that are over, for they would have come again by now, while the broker answers.
    pub(super) fn over(&mut self, now: Instant) -> Vec<(String, u64)> {
        let over = |refusal: &Refusal| now >= refusal.last + self.patience;
        let over = self.by_words.extract_if(|_, refusal| over(refusal));
        let over = over.map(|(words, refusal)| (words, refusal.times));
        over.collect()
    }

    /// The broker was away: nobody could see whether it still refuses.
    pub(super) fn restart(&mut self, now: Instant) {
        let refusals = self.by_words.values_mut();
        refusals.for_each(|refusal| refusal.last = now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_lasts_is_told_ever_more_rarely_and_its_end_once() {
        let (mut refusals, start) = (Refusals::new(Duration::from_secs(5)), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let told = (0..2000).filter_map(|second| {
            let times = refusals.note("no", at(second));
            assert_eq!(refusals.over(at(second)), []);
            Some((second, times?))
        });
        let told: Vec<_> = told.collect();
        let expected = [
            (0, 1),
            (10, 11),
            (70, 71),
            (670, 671),
            (1270, 1271),
            (1870, 1871),
        ];
        assert_eq!(told, expected);
        assert_eq!(refusals.note("no, differently", at(2000)), Some(1));
        assert_eq!(refusals.over(at(2004)), [("no".to_owned(), 2000)]);
        refusals.restart(at(2004));
        assert_eq!(refusals.over(at(2008)), []);
        assert_eq!(refusals.over(at(2009)).len(), 1);
        assert_eq!(refusals.over(at(3000)), []);
        assert_eq!(refusals.note("no", at(3000)), Some(1));
    }

    #[test]
    fn words_without_end_take_no_memory_without_end() {
        let (mut refusals, now) = (Refusals::new(Duration::from_secs(5)), Instant::now());
        let told = (0..1000).filter_map(|n| refusals.note(&n.to_string(), now));
        assert_eq!(told.count(), MOST + 1);
        assert_eq!(refusals.by_words.len(), MOST + 1);
    }
}
