//! The names of what may happen, and of what is limited.

use std::fmt;

macro_rules! names {
    ($(#[$doc:meta])* $kind:ident, $all:ident: $($name:ident)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum $kind {
            $($name,)*
        }

        /// All of them.
        pub const $all: &[$kind] = &[$($kind::$name,)*];
    };
}

names! {
    /// What happened. A step may be several of these.
    Rule, RULES:
    ClaimSent Claimed ClaimFoundNothing ClaimReaped ClaimRanLate ClaimWhilePaused
    TookHandoff Promoting Joined JoinedAboveTheGone FoundCancelled
    SuspectSent SuspectClaimed
    Asked Started Dropped
    AckSent RetrySent BurySent ReleaseSent
    Acked Retried Buried Released MadeSuspect CrashCounted Stale SettledLate SettledForAFormerId
    RenewSent Renewed RenewReaped
    PromoteSent Promoted
    AdoptSent SweepSent OwnRemainsSent
    AdoptedWhole AdoptedHalf AdoptedTheRest AdoptFoundItAlive AdoptReaped AdoptRanLate Swept
    Judged JudgedHalf
    LeaveSent Left LeaveRefused
    WaitSent Handed HandedLate WaitTimedOut
    ReconcileSent Listed ReconcileReleases ReconcileFindsNothing
    Answered TookANewId
    GaveUp GaveUpAsking SentAgain
    Crashed
    Paused Resumed Cancelled DeadTaken RanNow Purged
}

names! {
    /// What may happen only so often.
    Limit, LIMITS:
    Claim Suspect Retry Bury Release Renew Promote Adopt Leave Wait Reconcile
    GiveUp SendAgain Crash Pause Cancel TakeDead RunNow Purge
}

/// How often each may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget([u8; LIMITS.len()]);

impl Budget {
    /// Nothing limited may happen but for these.
    #[must_use]
    pub fn of(limits: &[(Limit, u8)]) -> Self {
        let mut budget = [0; LIMITS.len()];
        for (limit, times) in limits {
            budget[*limit as usize] = *times;
        }
        Self(budget)
    }

    /// Everything may happen so often.
    #[must_use]
    pub fn all(times: u8) -> Self {
        Self([times; LIMITS.len()])
    }

    /// The same with another limit.
    #[must_use]
    pub fn with(mut self, limit: Limit, times: u8) -> Self {
        self.0[limit as usize] = times;
        self
    }

    /// One time less; `None` if it may not happen any more.
    #[must_use]
    pub(super) fn spend(mut self, limit: Limit) -> Option<Self> {
        let left = &mut self.0[limit as usize];
        *left = left.checked_sub(1)?;
        Some(self)
    }
}

/// A set of rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks(u128);

impl Marks {
    /// Adds one if it is so.
    pub fn put_if(&mut self, is_so: bool, rule: Rule) {
        self.0 |= u128::from(is_so) << rule as u32;
    }

    /// Adds those of another.
    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether one is among them.
    #[must_use]
    pub fn has(self, rule: Rule) -> bool {
        self.0 & 1 << rule as u32 != 0
    }

    /// The rules that are not among them.
    pub fn missing(self) -> impl Iterator<Item = Rule> {
        RULES.iter().copied().filter(move |rule| !self.has(*rule))
    }
}

impl From<Rule> for Marks {
    fn from(rule: Rule) -> Self {
        Self(1 << rule as u32)
    }
}

impl fmt::Display for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in RULES.iter().filter(|rule| self.has(**rule)) {
            write!(f, "{rule:?} ")?;
        }
        Ok(())
    }
}
