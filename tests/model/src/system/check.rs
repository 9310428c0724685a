//! What is true of every state.

use super::System;

impl System {
    /// What is wrong with this state, if anything is.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        self.wrong.or_else(|| {
            let places = self.queue.places().chain(&self.queue.ended);
            let mut jobs: Vec<u8> = places.map(|job| job.id()).collect();
            jobs.sort_unstable();
            match jobs.iter().copied().eq(0..self.jobs) {
                true => None,
                false => Some("a job is in no place, or in two"),
            }
        })
    }
}
