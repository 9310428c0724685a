//! Whether a worker is alive, and whether it is ready, from what is known of it.

use std::time::Duration;

use crate::shutdown::Phase;

/// The runtime of the jobs stands still if it has done nothing for so long.
const STALLED: Duration = Duration::from_millis(2500);

/// A worker that stands still for longer than this is not alive: long handlers that block it are over.
const DEAD: Duration = Duration::from_secs(30);

/// For so long counts that a job could have been taken.
const FRESH: Duration = Duration::from_secs(4);

/// What is known of a worker. Times are how long ago it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) phase: Phase,
    /// A loop of the worker has panicked.
    pub(super) is_broken: bool,
    /// Every slot is kept by a blocking job that goes on after its timeout.
    pub(super) is_leaked: bool,
    /// The runtime of the jobs did something.
    pub(super) ticked: Duration,
    /// A heartbeat was answered.
    pub(super) answered: Duration,
    /// After so long without one others take the jobs over.
    pub(super) lease: Duration,
    /// It was tried whether a job could be taken, and it could, or why not; `None` before the first try.
    pub(super) tried: Option<(Duration, Result<(), String>)>,
}

/// Why it is not alive, if it is not.
pub(super) fn health(facts: &Facts) -> Result<(), String> {
    if facts.is_broken {
        return Err("a part of the worker has panicked".to_owned());
    }
    if facts.ticked > DEAD {
        let seconds = facts.ticked.as_secs();
        return Err(format!(
            "the runtime has stood still for {seconds} s: a handler blocks its threads"
        ));
    }
    // Shorter ones would be over before anybody who waits for an answer knows more.
    if facts.answered > facts.lease.max(FRESH) {
        let seconds = facts.answered.as_secs();
        return Err(format!("no heartbeat was answered for {seconds} s"));
    }
    Ok(())
}

/// Why it could take no job now, if it could not.
pub(super) fn readiness(facts: &Facts) -> Result<(), String> {
    let why = match facts {
        Facts {
            phase: Phase::Quiet,
            ..
        } => "it was ordered to be quiet",
        Facts { phase, .. } if *phase != Phase::Running => "it shuts down",
        Facts {
            is_broken: true, ..
        } => "a part of the worker has panicked",
        Facts {
            is_leaked: true, ..
        } => "every slot is kept by a blocking job that goes on after its timeout",
        Facts { ticked, .. } if *ticked > STALLED => {
            "the runtime stands still: a handler blocks its threads"
        }
        Facts { tried: None, .. } => "it has not tried to take a job yet",
        Facts {
            tried: Some((_, Err(why))),
            ..
        } => why,
        Facts {
            tried: Some((ago, Ok(()))),
            ..
        } if *ago > FRESH => "whether it could take a job is not known any more",
        _ => return Ok(()),
    };
    Err(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn well() -> Facts {
        Facts {
            phase: Phase::Running,
            is_broken: false,
            is_leaked: false,
            ticked: MS(1000),
            answered: MS(2000),
            lease: MS(7000),
            tried: Some((MS(1000), Ok(()))),
        }
    }

    /// What is wrong, and whether it is alive and ready then.
    fn check(what: &str, change: impl Fn(&mut Facts), alive: bool, ready: bool) {
        let mut facts = well();
        change(&mut facts);
        assert_eq!(health(&facts).is_ok(), alive, "alive: {what}");
        assert_eq!(readiness(&facts).is_ok(), ready, "ready: {what}");
    }

    #[test]
    fn what_is_wrong_is_told_by_who_must_know() {
        check("nothing", |_| {}, true, true);
        check("quiet", |f| f.phase = Phase::Quiet, true, false);
        for phase in [Phase::Draining, Phase::Aborting, Phase::Stopped] {
            check("shutdown", |f| f.phase = phase, true, false);
        }
        check("panicked", |f| f.is_broken = true, false, false);
        check("leaked", |f| f.is_leaked = true, true, false);
        for (ms, alive, ready) in [
            (2500, true, true),
            (2501, true, false),
            (30_001, false, false),
        ] {
            check("stalled", |f| f.ticked = MS(ms), alive, ready);
        }
        for (ms, alive) in [(7000, true), (7001, false)] {
            check("silent", |f| f.answered = MS(ms), alive, true);
        }
        let short = |f: &mut Facts| (f.lease, f.answered) = (MS(100), MS(4000));
        check("silent for a short lease", short, true, true);
        check("not tried", |f| f.tried = None, true, false);
        let failed = |f: &mut Facts| f.tried = Some((MS(0), Err("no".to_owned())));
        check("tried in vain", failed, true, false);
        for (ms, ready) in [(4000, true), (4001, false)] {
            let tried = |f: &mut Facts| f.tried = Some((MS(ms), Ok(())));
            check("tried long ago", tried, true, ready);
        }
    }
}
