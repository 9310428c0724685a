//! What may happen next, drawn at random: a shape, which a run fills in from what there is.

use jobq::JobState;
use jobq::broker::{DeadCaps, ReleaseTo};
use proptest::collection::vec;
use proptest::prelude::any as arbitrary;
use proptest::prelude::{Just, Strategy, prop, prop_oneof};

/// How many workers there are at a time.
pub(crate) const SLOTS: usize = 3;

/// How many ids of jobs there are.
pub(crate) const IDS: u8 = 4;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Enqueue {
        count: usize,
        when: When,
        equal: bool,
    },
    Round {
        slot: usize,
        settles: Vec<Settles>,
        claim: Option<Claims>,
    },
    Renew {
        slot: usize,
        knows: Knows,
        lost: bool,
    },
    Promote {
        slot: usize,
    },
    Adopt {
        slot: usize,
        target: usize,
        seen: Seen,
        max: u32,
        knows: Knows,
        lost: bool,
    },
    Leave {
        slot: usize,
    },
    Pause(bool),
    TakeDead {
        /// With the id of the job that is put back, if it is.
        places: Vec<(usize, Option<u8>)>,
        near: u64,
    },
    Purge(JobState),
    /// With the bytes it has, or others.
    RunNow {
        place: usize,
        id: u8,
        rewrite: bool,
    },
    /// The job of an id that is one of few.
    Cancel {
        id: u8,
    },
    /// Asks for all of them.
    WhichCancelled,
    /// Only when ready has a job: nothing else would end it.
    Wait {
        slot: usize,
    },
    /// The process in a slot is replaced by a new one; the old one may still be adopted.
    Reborn {
        slot: usize,
    },
    /// A request from before, sent again as it was.
    Again {
        back: usize,
        lost: bool,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    Now,
    /// Ms since the epoch.
    Past(u64),
    /// 0 is now, through delayed.
    Hours(u32),
}

/// What a worker gives as the highest counter it knows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Knows {
    WhatItWasTold,
    Nothing,
    MoreThanItShould,
}

/// What an adopter has seen of the target's counter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen {
    AsItIs,
    Before,
    Never,
}

/// A request for jobs.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    pub(crate) max: u32,
    pub(crate) suspect: bool,
    pub(crate) knows: Knows,
    /// The worker never sees the answer.
    pub(crate) lost: bool,
}

/// A batch of outcomes.
#[derive(Debug, Clone)]
pub(crate) struct Settles {
    pub(crate) outcomes: Vec<(Pick, Outcome)>,
    pub(crate) caps: DeadCaps,
}

/// Which token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pick {
    /// One the worker owns.
    Owned(usize),
    /// One it was given at any time.
    Given(usize),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Ack,
    RetryInHours(u32),
    Bury,
    Release { to: ReleaseTo, rewrite: bool },
}

pub(crate) fn any() -> impl Strategy<Value = Step> {
    let slot = || 0..SLOTS;
    let lost = || prop::bool::weighted(0.15);
    prop_oneof![
        12 => (1..6_usize, when(), prop::bool::weighted(0.1))
            .prop_map(|(count, when, equal)| Step::Enqueue { count, when, equal }),
        1 => Just(Step::Enqueue { count: 110, when: When::Past(7), equal: false }),
        24 => (slot(), vec(settles(), 0..3), prop::option::weighted(0.7, claims()))
            .prop_map(|(slot, settles, claim)| Step::Round { slot, settles, claim }),
        4 => (slot(), knows(), lost())
            .prop_map(|(slot, knows, lost)| Step::Renew { slot, knows, lost }),
        4 => slot().prop_map(|slot| Step::Promote { slot }),
        8 => (slot(), 0..8_usize, seen(), 1..5_u32, knows(), lost())
            .prop_map(|(slot, target, seen, max, knows, lost)| {
                Step::Adopt { slot, target, seen, max, knows, lost }
            }),
        4 => slot().prop_map(|slot| Step::Leave { slot }),
        2 => prop::bool::weighted(0.4).prop_map(Step::Pause),
        3 => (vec((0..5_usize, prop::option::of(0..IDS)), 0..4), 0..6_u64)
            .prop_map(|(places, near)| Step::TakeDead { places, near }),
        1 => state().prop_map(Step::Purge),
        3 => (0..6_usize, 0..IDS, arbitrary::<bool>())
            .prop_map(|(place, id, rewrite)| Step::RunNow { place, id, rewrite }),
        3 => (0..IDS).prop_map(|id| Step::Cancel { id }),
        1 => Just(Step::WhichCancelled),
        8 => slot().prop_map(|slot| Step::Wait { slot }),
        2 => slot().prop_map(|slot| Step::Reborn { slot }),
        12 => (0..12_usize, lost()).prop_map(|(back, lost)| Step::Again { back, lost }),
    ]
}

fn state() -> impl Strategy<Value = JobState> {
    prop_oneof![
        1 => Just(JobState::Ready),
        1 => Just(JobState::Suspect),
        2 => Just(JobState::Delayed),
        1 => Just(JobState::InFlight),
        2 => Just(JobState::Dead),
    ]
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        6 => Just(When::Now),
        2 => (1..5_u64).prop_map(When::Past),
        2 => (0..4_u32).prop_map(When::Hours),
    ]
}

fn knows() -> impl Strategy<Value = Knows> {
    prop_oneof![
        18 => Just(Knows::WhatItWasTold),
        1 => Just(Knows::Nothing),
        1 => Just(Knows::MoreThanItShould),
    ]
}

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![6 => Just(Seen::AsItIs), 1 => Just(Seen::Before), 1 => Just(Seen::Never)]
}

fn claims() -> impl Strategy<Value = Claims> {
    let (suspect, lost) = (prop::bool::weighted(0.2), prop::bool::weighted(0.15));
    (0..7_u32, suspect, knows(), lost).prop_map(|(max, suspect, knows, lost)| Claims {
        max,
        suspect,
        knows,
        lost,
    })
}

fn settles() -> impl Strategy<Value = Settles> {
    let caps = prop_oneof![
        4 => Just(DeadCaps::default()),
        1 => Just(DeadCaps { count: 3, ..DeadCaps::default() }),
        1 => Just(DeadCaps { bytes: 20, ..DeadCaps::default() }),
    ];
    let outcomes = vec((pick(), outcome()), 0..6);
    (outcomes, caps).prop_map(|(outcomes, caps)| Settles { outcomes, caps })
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        4 => (0..6_usize).prop_map(Pick::Owned),
        1 => (0..40_usize).prop_map(Pick::Given),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let to = prop_oneof![3 => Just(ReleaseTo::Front), 2 => Just(ReleaseTo::Suspects)];
    prop_oneof![
        3 => Just(Outcome::Ack),
        3 => (0..3_u32).prop_map(Outcome::RetryInHours),
        2 => Just(Outcome::Bury),
        4 => (to, arbitrary::<bool>()).prop_map(|(to, rewrite)| Outcome::Release { to, rewrite }),
    ]
}
