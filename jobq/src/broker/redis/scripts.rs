//! The atomic steps as commands: the only place that knows the order of KEYS and ARGV. What each
//! script takes and answers is in the header of its file in `lua/`.

mod operate;

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use redis::Cmd;

pub(super) use self::operate::{deregister, order, register, report, totals};
use super::keys::QueueKeys;
use super::step::{Script, Step};
use crate::broker::{
    Action, Adoption, CANCELLED_FOR, Claim, Due, Entry, JobState, LATEST_CANCELLED,
    MAX_BATCH_BYTES, MAX_CANCELLED, MAX_PROMOTE, Member, ReleaseTo, Requeue, Settle, Settlement,
    TIMEKEEPER_TTL, TakeDead,
};
use crate::id::{JobId, TokenText, WorkerId};

macro_rules! scripts {
    ($($name:ident)*) => {
        $(
            pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
                Script::new(
                    stringify!($name),
                    include_str!(concat!("lua/", stringify!($name), ".lua")),
                )
            });
        )*
        pub(super) static ALL: &[&LazyLock<Script>] = &[$(&$name),*];
        #[cfg(test)]
        pub(super) const SOURCES: &[(&str, &str)] = &[
            $((stringify!($name), include_str!(concat!("lua/", stringify!($name), ".lua")))),*
        ];
    };
}

mod loaded {
    #![expect(non_upper_case_globals, reason = "a script is named like its file")]
    use super::{LazyLock, Script};
    scripts! {
        adopt cancel check_rights claim count delay leave order pause promote purge register renew
        report run_now settle take_dead withdraw
    }
}

/// The step that a server knows by this name.
pub(super) fn name_of(sha: &str) -> Option<&'static str> {
    let script = loaded::ALL.iter().find(|script| script.sha() == sha)?;
    Some(script.name)
}

#[cfg(test)]
pub(super) fn sha_of(name: &str) -> Option<&'static str> {
    let script = loaded::ALL.iter().find(|script| script.name == name)?;
    Some(script.sha())
}

pub(super) fn claim(keys: &QueueKeys, claim: &Claim) -> Step {
    let Member { worker, known, .. } = &claim.member;
    let keys = [
        keys.ready(),
        keys.delayed(),
        keys.in_flight(worker),
        keys.handoff(worker),
        keys.workers(),
        keys.suspects(),
        keys.meta(),
        keys.cancelled(),
    ];
    Step::script(&loaded::claim, &keys)
        .arg(worker.as_str())
        .arg(known)
        .arg(claim.max)
        .arg(u8::from(claim.suspect))
        .arg(MAX_BATCH_BYTES)
        .arg(MAX_PROMOTE)
}

/// The step, and for each settlement as it is sent its place in `settle.settlements`: the acks
/// come first.
pub(super) fn settle(keys: &QueueKeys, settle: &Settle) -> (Step, Vec<usize>) {
    let channel = keys.due();
    let keys = [
        keys.ready(),
        keys.delayed(),
        keys.in_flight(&settle.worker),
        keys.workers(),
        keys.suspects(),
        keys.dead(),
        keys.meta(),
    ];
    let is_ack = |&place: &usize| settle.settlements[place].action == Action::Ack;
    let (mut places, others): (Vec<usize>, Vec<usize>) =
        (0..settle.settlements.len()).partition(is_ack);
    let mut step = Step::script(&loaded::settle, &keys)
        .arg(settle.worker.as_str())
        .arg(u8::from(settle.resent))
        .arg(settle.caps.count)
        .arg(settle.caps.bytes)
        .arg(ceil_ms(settle.caps.age))
        .arg(channel)
        .arg(places.len());
    let mut token = TokenText::default();
    for &place in places.iter().chain(&others) {
        settlement(&mut step.command, &settle.settlements[place], &mut token);
    }
    places.extend(others);
    (step, places)
}

fn settlement(command: &mut Cmd, settlement: &Settlement, token: &mut TokenText) {
    settlement.token.write(token);
    let token = token.as_bytes();
    match &settlement.action {
        Action::Ack => command.arg(token),
        Action::Retry { delay, envelope } => command
            .arg("retry")
            .arg(token)
            .arg(ceil_ms(*delay))
            .arg(&envelope[..]),
        Action::Bury { record } => command.arg("bury").arg(token).arg(&record[..]),
        Action::Release { to, envelope } => match (to, envelope) {
            (ReleaseTo::Front, Some(bytes)) => command.arg("front").arg(token).arg(&bytes[..]),
            (ReleaseTo::Front, None) => command.arg("keep-front").arg(token),
            (ReleaseTo::Suspects, Some(bytes)) => {
                command.arg("suspects").arg(token).arg(&bytes[..])
            }
            (ReleaseTo::Suspects, None) => command.arg("keep-suspects").arg(token),
        },
    };
}

pub(super) fn renew(keys: &QueueKeys, member: &Member) -> Step {
    let keys = [
        keys.workers(),
        keys.in_flight(&member.worker),
        keys.handoff(&member.worker),
        keys.suspects(),
        keys.meta(),
    ];
    Step::script(&loaded::renew, &keys)
        .arg(member.worker.as_str())
        .arg(member.known)
}

pub(super) fn promote(keys: &QueueKeys, worker: &WorkerId) -> Step {
    let keys = [keys.timekeeper(), keys.delayed(), keys.ready()];
    Step::script(&loaded::promote, &keys)
        .arg(worker.as_str())
        .arg(ceil_ms(TIMEKEEPER_TTL))
        .arg(MAX_PROMOTE)
}

pub(super) fn adopt(keys: &QueueKeys, adoption: &Adoption) -> Step {
    let Member { worker, known, .. } = &adoption.member;
    let keys = [
        keys.workers(),
        keys.in_flight(worker),
        keys.in_flight(&adoption.target),
        keys.handoff(&adoption.target),
        keys.ready(),
        keys.meta(),
        keys.reports(),
    ];
    Step::script(&loaded::adopt, &keys)
        .arg(worker.as_str())
        .arg(known)
        .arg(adoption.target.as_str())
        .arg(adoption.seen.map_or(String::new(), |seen| seen.to_string()))
        .arg(adoption.max)
        .arg(MAX_BATCH_BYTES)
}

pub(super) fn leave(keys: &QueueKeys, worker: &WorkerId) -> Step {
    let keys = [
        keys.workers(),
        keys.in_flight(worker),
        keys.handoff(worker),
        keys.timekeeper(),
        keys.meta(),
        keys.reports(),
    ];
    Step::script(&loaded::leave, &keys).arg(worker.as_str())
}

/// Enqueues the entries that have a due time, if there are any.
pub(super) fn delay(keys: &QueueKeys, entries: &[Entry]) -> Option<Step> {
    let mut step = Step::script(&loaded::delay, &[keys.delayed()]).arg(keys.due());
    let mut any = false;
    for entry in entries {
        match entry.due {
            Due::Now => continue,
            Due::After(delay) => step.command.arg(format!("+{}", ceil_ms(delay))),
            Due::At(at) => step.command.arg(at.as_ms()),
        };
        step.command.arg(&entry.envelope[..]);
        any = true;
    }
    any.then_some(step)
}

/// Enqueues the entries that are due now, if there are any: no script, so that the simplest of
/// all steps costs the least.
pub(super) fn push(keys: &QueueKeys, entries: &[Entry]) -> Option<Step> {
    let now = entries.iter().filter(|entry| entry.due == Due::Now);
    let (jobs, bytes) = now.clone().fold((0, 0), |(jobs, bytes), entry| {
        (jobs + 1, bytes + entry.envelope.len())
    });
    let key = keys.ready();
    let mut step = Step::command_of("LPUSH", jobs + 1, key.len() + bytes).arg(key);
    now.for_each(|entry| {
        step.command.arg(&entry.envelope[..]);
    });
    (jobs > 0).then_some(step)
}

pub(super) fn pause(keys: &QueueKeys) -> Step {
    Step::script(&loaded::pause, &[keys.meta()])
}

pub(super) fn resume(keys: &QueueKeys) -> Step {
    Step::command("HDEL").arg(keys.meta()).arg("paused")
}

pub(super) fn cancel(keys: &QueueKeys, id: JobId) -> Step {
    Step::script(&loaded::cancel, &[keys.cancelled(), keys.delayed()])
        .arg(&id.as_bytes()[..])
        .arg(ceil_ms(CANCELLED_FOR))
        .arg(LATEST_CANCELLED.as_ms())
        .arg(MAX_CANCELLED)
}

/// Until when each of the ids counts as cancelled: no script, for it only reads.
pub(super) fn cancelled(keys: &QueueKeys, ids: &[JobId]) -> Step {
    let mut step = Step::command("ZMSCORE").arg(keys.cancelled());
    for id in ids {
        step.command.arg(&id.as_bytes()[..]);
    }
    step
}

pub(super) fn take_dead(keys: &QueueKeys, takes: &[TakeDead], near: u64) -> Step {
    let keys = [keys.dead(), keys.ready(), keys.meta(), keys.cancelled()];
    let mut step = Step::script(&loaded::take_dead, &keys).arg(near);
    for TakeDead { record, requeue } in takes {
        let command = &mut step.command;
        match requeue {
            None => command.arg("remove").arg(&record[..]),
            Some(job) => {
                let command = command.arg("requeue").arg(&record[..]);
                command.arg(&job.envelope[..]).arg(&job.id.as_bytes()[..])
            }
        };
    }
    step
}

/// `None`: what is in flight is not purged.
pub(super) fn purge(keys: &QueueKeys, state: JobState) -> Option<Step> {
    let state = match state {
        JobState::Ready => "ready",
        JobState::Suspect => "suspects",
        JobState::Delayed => "delayed",
        JobState::Dead => "dead",
        JobState::InFlight => return None,
    };
    let keys = [
        keys.ready(),
        keys.suspects(),
        keys.delayed(),
        keys.dead(),
        keys.meta(),
    ];
    Some(Step::script(&loaded::purge, &keys).arg(state))
}

pub(super) fn run_now(keys: &QueueKeys, delayed: &Bytes, job: &Requeue) -> Step {
    let keys = [keys.delayed(), keys.ready(), keys.cancelled()];
    Step::script(&loaded::run_now, &keys)
        .arg(&delayed[..])
        .arg(&job.envelope[..])
        .arg(&job.id.as_bytes()[..])
}

/// `None`: only what waits can be withdrawn.
pub(super) fn withdraw(
    keys: &QueueKeys,
    state: JobState,
    element: &Bytes,
    place: u64,
) -> Option<Step> {
    let state = match state {
        JobState::Ready => "ready",
        JobState::Suspect => "suspects",
        JobState::Delayed => "delayed",
        JobState::InFlight | JobState::Dead => return None,
    };
    let keys = [keys.ready(), keys.delayed(), keys.suspects()];
    let step = Step::script(&loaded::withdraw, &keys);
    // More than a list holds; the script would no longer count exactly.
    let place = place.min(u32::MAX.into());
    Some(step.arg(state).arg(&element[..]).arg(place))
}

/// The figures of a queue; what `members` own is counted as in flight.
pub(super) fn count(keys: &QueueKeys, members: &[WorkerId]) -> Step {
    let fixed = [
        keys.ready(),
        keys.delayed(),
        keys.suspects(),
        keys.dead(),
        keys.meta(),
        keys.workers(),
    ];
    let owned = members.iter();
    let owned = owned.flat_map(|worker| [keys.in_flight(worker), keys.handoff(worker)]);
    let keys: Vec<String> = fixed.into_iter().chain(owned).collect();
    Step::script(&loaded::count, &keys)
}

/// Whether the user may run each of these commands.
pub(super) fn check_rights(commands: &[Vec<String>]) -> Step {
    let mut step = Step::script(&loaded::check_rights, &[]);
    for words in commands {
        step.command.arg(words.len()).arg(words);
    }
    step
}

/// Whole milliseconds, up: nothing is due early. At most what Lua's numbers hold exactly.
fn ceil_ms(duration: Duration) -> u64 {
    const MOST: u128 = 1 << 52;
    let ms = duration.as_nanos().div_ceil(1_000_000).min(MOST);
    u64::try_from(ms).expect("at most 2^52")
}

#[cfg(test)]
mod tests;
