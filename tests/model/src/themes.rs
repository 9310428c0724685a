//! Where searches begin. Everything at once is too much to go deep: each theme allows what belongs
//! together as often as it takes to meet, and nothing else.

use crate::system::{Budget, Limit, Mutant, System};
use Limit::{
    Adopt, Bury, Cancel, Claim, Crash, GiveUp, Leave, Pause, Promote, Purge, Reconcile, Release,
    Renew, Retry, RunNow, SendAgain, Suspect, TakeDead, Wait,
};

/// A start, by name.
#[derive(Debug, Clone)]
pub struct Theme {
    /// What it is about.
    pub name: &'static str,
    /// Where it begins.
    pub start: System,
}

type Limits = &'static [(Limit, u8)];

const LOST_ANSWERS: Limits = &[
    (Claim, 2),
    (GiveUp, 2),
    (Reconcile, 1),
    (Renew, 1),
    (SendAgain, 1),
];
const JOINING: Limits = &[
    (Claim, 3),
    (GiveUp, 2),
    (Adopt, 2),
    (Leave, 1),
    (SendAgain, 1),
];
const ADOPTION: Limits = &[(Claim, 2), (Adopt, 3), (Crash, 1), (Renew, 1), (GiveUp, 1)];
const TAKEN_BACK: Limits = &[
    (Claim, 2),
    (Adopt, 2),
    (Reconcile, 1),
    (Release, 1),
    (SendAgain, 1),
];
const CRASHES: Limits = &[(Claim, 2), (Suspect, 1), (Adopt, 2), (Crash, 1)];
const WAITS: Limits = &[
    (Claim, 2),
    (Wait, 2),
    (Adopt, 1),
    (GiveUp, 1),
    (Leave, 1),
    (Pause, 1),
];
const CANCELS: Limits = &[
    (Claim, 1),
    (Suspect, 1),
    (Cancel, 1),
    (GiveUp, 1),
    (Reconcile, 1),
];
const PEOPLE: Limits = &[
    (Claim, 2),
    (Bury, 1),
    (Retry, 1),
    (Promote, 1),
    (Pause, 1),
    (TakeDead, 1),
    (RunNow, 1),
    (Purge, 1),
];

/// All of them: three jobs and two processes each.
#[must_use]
pub fn all() -> Vec<Theme> {
    let new = |jobs, limits| System::new(jobs, 2, Budget::of(limits));
    let theme = |name, start| Theme { name, start };
    vec![
        theme("everything once", System::new(3, 2, Budget::all(1))),
        theme("joining", new(3, JOINING)),
        theme("lost answers", new(3, LOST_ANSWERS).joined()),
        theme("adoption", new(3, ADOPTION).joined()),
        theme("jobs taken back", new(3, TAKEN_BACK).joined()),
        theme(
            "crashes",
            new(1, CRASHES).joined().with_crashed(1).with_crashed(2),
        ),
        theme("waits", new(3, WAITS).joined()),
        theme("cancelled jobs", new(2, CANCELS).joined().with_crashed(2)),
        theme("people", new(3, PEOPLE).joined()),
    ]
}

/// Each rule that can be left out, and where that shows.
#[must_use]
pub fn mutants() -> Vec<(Mutant, System)> {
    let new = |jobs, limits: &[(Limit, u8)]| System::new(jobs, 2, Budget::of(limits));
    let joined = |jobs, limits: &[(Limit, u8)]| new(jobs, limits).joined();
    vec![
        (
            Mutant::TokensAreJobs,
            joined(1, &[(Claim, 2), (Release, 1), (SendAgain, 1)]),
        ),
        (
            Mutant::SettleGoesByJob,
            joined(1, &[(Claim, 2), (Release, 1), (SendAgain, 1)]),
        ),
        (
            Mutant::GoneIsForgotten,
            new(1, &[(Claim, 3), (GiveUp, 2), (Adopt, 1)]),
        ),
        (
            Mutant::ClaimUnguarded,
            joined(1, &[(Claim, 1), (Suspect, 1), (Adopt, 1)]).with_crashed(2),
        ),
        (Mutant::AdoptUnguarded, joined(1, &[(Claim, 1), (Adopt, 2)])),
        (
            Mutant::AdoptWhoeverLives,
            joined(1, &[(Claim, 1), (Adopt, 1)]),
        ),
        (Mutant::AdoptNoHandoff, joined(1, &[(Wait, 1), (Crash, 1)])),
        (Mutant::PauseIgnored, joined(1, &[(Claim, 1), (Pause, 1)])),
        (
            Mutant::ReconcileWithoutLimit,
            joined(1, &[(Claim, 1), (Reconcile, 1)]),
        ),
        (
            Mutant::ClaimIsClosedBeforeItAsks,
            joined(1, &[(Claim, 1), (Cancel, 1), (Reconcile, 1)]),
        ),
        (
            Mutant::StartsWithoutAsking,
            joined(1, &[(Claim, 1), (Cancel, 1)]),
        ),
        (Mutant::NoReconcile, joined(1, &[(Claim, 1), (GiveUp, 1)])),
        (
            Mutant::RenewTellsNothing,
            joined(1, &[(Claim, 1), (GiveUp, 1)]),
        ),
        (Mutant::NoAdoption, joined(1, &[(Claim, 1), (Crash, 1)])),
        (
            Mutant::NoSweep,
            joined(1, &[(Wait, 1), (GiveUp, 1), (Leave, 1)]),
        ),
        (Mutant::ReapedKeepsItsId, joined(1, &[(Adopt, 1)])),
    ]
}
