//! What is around the server: who copies it, who is connected, and how far away it is.

use std::time::Duration;

use jobq::broker::{ClientFacts, ClockFacts, ReplicationFacts, ServerFacts, Settings};

use super::TELL;
use super::amount::{ms, number, percent};
use crate::doctor::finding::{Cure, Finding, Subject};
use crate::output::age;

const VERSION: Subject = Subject {
    id: "version",
    why: "jobq needs the scripts of Redis 7.0 or newer",
};

const REPLICATION: Subject = Subject {
    id: "replication",
    why: "a replica takes no jobs; a primary with fewer replicas than it is set to need refuses \
          enqueues",
};

const CLIENTS: Subject = Subject {
    id: "clients",
    why: "when maxclients is reached workers and producers are refused; a worker has 3 connections, \
          and one more for each queue",
};

const IDLE: Subject = Subject {
    id: "idle-connections",
    why: "a Redis that cuts idle connections makes each enqueue after a pause connect anew; one \
          without keepalive keeps those of machines that are gone",
};

const CLOCK: Subject = Subject {
    id: "clock",
    why: "times that are given by programs (Job::at, jobq enqueue --at) are read by the clock of \
          Redis: where the clocks differ, jobs start as much early or late",
};

const ROUND_TRIP: Subject = Subject {
    id: "round-trip",
    why: "every claim and every enqueue takes one round trip at least",
};

const SLOW: Subject = Subject {
    id: "slow-calls",
    why: "Redis does one thing after the other: while it runs a slow call every worker waits",
};

/// Shares of `maxclients` from which on it is near, and too near.
const NEAR: f64 = 0.80;
const TOO_NEAR: f64 = 0.95;

/// Clocks may differ by this, and by this before it is an error.
const CLOCK_DIFFERS: u64 = 1000;
const CLOCK_IS_WRONG: u64 = 60_000;

/// A round trip over this is far.
const FAR: Duration = Duration::from_millis(10);

/// Slow calls that matter now: of so long ago, and over this.
const LATELY: Duration = Duration::from_secs(3600);
const SLOW_CALL: Duration = Duration::from_millis(10);

pub(super) fn judge(server: &ServerFacts) -> [Finding; 7] {
    [
        version(server.version.as_deref()),
        replication(&server.replication, server.settings.as_ref()),
        clients(&server.clients),
        idle(server.settings.as_ref()),
        clock(server.clock),
        round_trip(server.round_trip),
        slow(server),
    ]
}

fn version(version: Option<&str>) -> Finding {
    // An older one lets nobody connect.
    match version {
        Some(version) => VERSION.ok(format!("Redis {version}")),
        None => VERSION.unknown("the version", TELL),
    }
}

fn replication(replication: &ReplicationFacts, settings: Option<&Settings>) -> Finding {
    let Some(is_replica) = replication.is_replica else {
        return REPLICATION.unknown("whether it is a replica", TELL);
    };
    if is_replica {
        let to_primary = "let --url or JOBQ_URL name the primary, which INFO replication tells";
        let seen = match (replication.link_up, replication.silent) {
            (Some(false), Some(silent)) => format!(
                "this is a replica that has lost its primary, for {}",
                age(silent)
            ),
            (Some(false), None) => "this is a replica that has lost its primary".to_owned(),
            _ => "this is a replica: it refuses every job".to_owned(),
        };
        return REPLICATION.error(seen, Cure::advice(to_primary));
    }
    let replicas = replication.replicas.unwrap_or(0);
    let needed = settings.and_then(|settings| settings.min_replicas);
    // It says how many are good only where it is set to need some.
    match (replication.good_replicas, needed) {
        (Some(good), Some(needed)) if good < needed => REPLICATION.error(
            format!("{good} of {needed} replicas that it needs follow it: enqueues are refused"),
            Cure::redis("INFO replication"),
        ),
        (Some(0), None) => REPLICATION.error(
            "none of the replicas that it needs follows it: enqueues are refused",
            Cure::redis("INFO replication"),
        ),
        (Some(good), None) => REPLICATION.unknown(
            &format!("how many replicas it needs (min-replicas-to-write); {good} follow it"),
            super::TELL_CONFIG,
        ),
        _ if replicas == 0 => REPLICATION.ok("a primary without replicas"),
        _ => REPLICATION.ok(format!("a primary; replicas: {replicas}")),
    }
}

fn clients(clients: &ClientFacts) -> Finding {
    let (Some(connected), Some(limit)) = (clients.connected, clients.limit) else {
        return CLIENTS.unknown("how many are connected", TELL);
    };
    let share = connected as f64 / limit.max(1) as f64;
    let seen = format!(
        "{} of {} ({}); {} wait for jobs",
        number(connected),
        number(limit),
        percent(share),
        number(clients.blocked.unwrap_or(0))
    );
    let cure = Cure::redis(format!(
        "CONFIG SET maxclients {}",
        limit.max(1).saturating_mul(2)
    ));
    let rejected = clients.rejected.unwrap_or(0);
    match share {
        share if share >= TOO_NEAR => CLIENTS.error(seen, cure),
        share if share >= NEAR => CLIENTS.warning(seen, cure),
        _ if rejected > 0 => {
            let rejected = number(rejected);
            let seen = format!("{seen}; {rejected} were refused since the server started");
            CLIENTS.warning(seen, cure)
        }
        _ => CLIENTS.ok(seen),
    }
}

fn idle(settings: Option<&Settings>) -> Finding {
    let Some((timeout, keepalive)) = settings.and_then(|s| Some((s.timeout?, s.keepalive?))) else {
        return IDLE.unknown("timeout and tcp-keepalive", super::TELL_CONFIG);
    };
    match (timeout, keepalive) {
        (0, 0) => IDLE.warning(
            "connections are never looked after: tcp-keepalive is 0",
            Cure::redis("CONFIG SET tcp-keepalive 300"),
        ),
        (0, keepalive) => IDLE.ok(format!(
            "none is cut; those of machines that are gone end after some {keepalive} s"
        )),
        (timeout, _) => IDLE.warning(
            format!("connections that are idle for {timeout} s are cut"),
            Cure::redis("CONFIG SET timeout 0"),
        ),
    }
}

fn clock(clock: ClockFacts) -> Finding {
    let ms = clock.ahead_ms;
    let off = ms.unsigned_abs().saturating_sub(clock.error_ms);
    let seen = match ms {
        _ if off == 0 => "the same here and at Redis".to_owned(),
        1.. => format!("Redis is ahead of this machine by {}", of_clock(off)),
        _ => format!("Redis is behind this machine by {}", of_clock(off)),
    };
    let cure = Cure::shell("timedatectl show-timesync; date; on both machines");
    match off {
        off if off >= CLOCK_IS_WRONG => CLOCK.error(seen, cure),
        off if off >= CLOCK_DIFFERS => CLOCK.warning(seen, cure),
        _ => CLOCK.ok(seen),
    }
}

fn of_clock(ms: u64) -> String {
    age(Duration::from_millis(ms))
}

fn round_trip(round_trip: Duration) -> Finding {
    let seen = format!("{} from here", ms(round_trip));
    match round_trip > FAR {
        true => ROUND_TRIP.warning(
            seen,
            Cure::advice(
                "run workers and producers near Redis, and find what holds it up: SLOWLOG GET",
            ),
        ),
        false => ROUND_TRIP.ok(seen),
    }
}

fn slow(server: &ServerFacts) -> Finding {
    let Some(calls) = &server.slow else {
        return SLOW.unknown("the slow log", super::TELL_CONFIG);
    };
    let lately = calls
        .iter()
        .filter(|call| call.age <= LATELY && call.took >= SLOW_CALL);
    let count = lately.clone().count();
    match lately.max_by_key(|call| call.took) {
        None => SLOW.ok(format!("none over {} within the last hour", ms(SLOW_CALL))),
        Some(slowest) => SLOW.warning(
            format!(
                "{count} over {} within the last hour; the slowest took {}: {}",
                ms(SLOW_CALL),
                ms(slowest.took),
                slowest.command
            ),
            Cure::redis("SLOWLOG GET 10"),
        ),
    }
}

#[cfg(test)]
mod tests;
