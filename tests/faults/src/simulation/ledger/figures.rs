//! What simulations did, in numbers.

/// What happened how often.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) enqueued: u64,
    pub(crate) starts: u64,
    pub(crate) outcomes: u64,
    pub(crate) stale: u64,
    pub(crate) adoptions: u64,
    pub(crate) steps: u64,
    pub(crate) kills: u64,
    pub(crate) lost: u64,
}

impl Figures {
    /// Those of two simulations.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            enqueued: self.enqueued + other.enqueued,
            starts: self.starts + other.starts,
            outcomes: self.outcomes + other.outcomes,
            stale: self.stale + other.stale,
            adoptions: self.adoptions + other.adoptions,
            steps: self.steps + other.steps,
            kills: self.kills + other.kills,
            lost: self.lost + other.lost,
        }
    }
}
