//! One step as a broker is asked for it, and its answer.

use std::time::Duration;

use bytes::Bytes;
use jobq::broker::{
    Action, Adopted, Adoption, Claim, Claimed, Due, Entry, Member, Promoted, Renewed, Requeue,
    Settle, Settled, TakeDead, Wake,
};
use jobq::{JobId, JobState, WorkerId};

use super::calendar::rounded;

#[derive(Debug, Clone)]
pub(crate) enum Request {
    Enqueue(Vec<Entry>),
    Round(Vec<Settle>, Option<Claim>),
    Renew(Member),
    Promote(WorkerId),
    Adopt(Adoption),
    Leave(WorkerId),
    Pause(bool),
    TakeDead(Vec<TakeDead>, u64),
    Purge(JobState),
    RunNow(Bytes, Requeue),
    Cancel(JobId),
    WhichCancelled(Vec<JobId>),
    Wait(WorkerId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Round(Vec<Settled>, Option<Claimed>),
    Renewed(Renewed),
    Promoted(Promoted),
    Adopted(Adopted),
    Left(bool),
    /// How many were taken out.
    Taken(u64),
    Moved(bool),
    Cancelled(Vec<bool>),
    Woken(Wake),
}

impl Request {
    /// The same, as it is sent again.
    pub(crate) fn again(mut self) -> Self {
        if let Self::Round(settles, _) = &mut self {
            settles.iter_mut().for_each(|settle| settle.resent = true);
        }
        self
    }

    /// Whether it puts something at a time that is counted from now.
    pub(crate) fn reads_the_clock(&self) -> bool {
        let retries = |action: &Action| matches!(action, Action::Retry { .. });
        match self {
            Self::Enqueue(entries) => entries.iter().any(|e| matches!(e.due, Due::After(_))),
            Self::Round(settles, _) => {
                let settlements = settles.iter().flat_map(|settle| &settle.settlements);
                settlements.into_iter().any(|one| retries(&one.action))
            }
            _ => false,
        }
    }

    /// The worker that learns a counter from the answer.
    pub(crate) fn member(&self) -> Option<&Member> {
        match self {
            Self::Round(_, claim) => claim.as_ref().map(|claim| &claim.member),
            Self::Renew(member) => Some(member),
            Self::Adopt(adoption) => Some(&adoption.member),
            _ => None,
        }
    }
}

impl Answer {
    /// The same with coarse times.
    pub(crate) fn coarse(mut self) -> Self {
        let coarse = |next: &mut Option<Duration>| *next = next.map(rounded);
        match &mut self {
            Self::Round(_, Some(Claimed::Granted(grant))) => coarse(&mut grant.next_due),
            Self::Promoted(promoted) => coarse(&mut promoted.next_due),
            _ => {}
        }
        self
    }

    /// The worker's counter, if the answer tells it.
    pub(crate) fn counter(&self) -> Option<u64> {
        match self {
            Self::Round(_, Some(Claimed::Granted(grant))) => Some(grant.counter),
            Self::Renewed(Renewed::Alive { counter, .. })
            | Self::Adopted(Adopted::Taken { counter, .. }) => Some(*counter),
            _ => None,
        }
    }
}
