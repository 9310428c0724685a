//! R9: the wall clock of the workers steps, by an hour, forth and back.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::FutureExt as _;
use support::Folder;
use tokio::time::Instant;

use super::r1::note;
use crate::check::Harm;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::traffic::{BUSY_AND_IDLE, Traffic};
use crate::world::{Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "R9",
    fault: "the wall clock of the workers steps by an hour, forth and back (libfaketime)",
    shows: "false adoptions 0; nothing early or late by Redis' clock; lost 0",
    run: |plan| run(plan).boxed(),
};

/// Where Debian and its kin keep the library that lies about the time.
const LIBRARY: &str = "faketime/libfaketime.so.1";

/// How late a delayed job may start: five times what is promised.
const LATE: u64 = 5_000;

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let folder = Folder::new();
    let clock = folder.write("clock", "+0");
    let setup = Setup {
        environment: lie(&clock),
        // Its lines bear the time that the worker sees.
        log: "debug",
        queues: BUSY_AND_IDLE.to_owned(),
        ..Setup::default().with_default_lease()
    };
    let now = Load {
        rate: 100.0,
        kinds: "work:5-60,fail:1-2".to_owned(),
        ..Load::default()
    };
    let later = Load {
        delay: Duration::from_millis(1_200),
        ..now.clone()
    };
    let mut traffic = Traffic::start(&world, &now, &setup, 3).await;
    let mut producer = world.producer(&later);
    let mut schedule = Schedule::new(plan.seed);
    let (mut steps, began) = (0, Instant::now());
    let length = plan.of(Duration::from_secs(7), Duration::from_secs(120));
    for to in ["+1h", "-1h", "+0", "-1h", "+1h"].iter().cycle() {
        if began.elapsed() > length {
            break;
        }
        schedule.pause(400..=1_800).await;
        schedule.note(format!("the clock is set to {to}"));
        note(&world, "clocks-step");
        set(&clock, to);
        steps += 1;
    }
    set(&clock, "+0");
    world.signal(&producer, "TERM");
    producer.wait(Duration::from_secs(10)).await;
    traffic.stop(&world).await;
    for worker in &traffic.workers {
        let log = worker.log();
        let seen = hours(&log);
        assert!(seen.len() >= 3, "no clock stepped: its hours were {seen:?}");
    }
    let ending = world.finish(traffic.workers, Duration::from_secs(60)).await;
    let harm = Harm::of(&world.history(), &ending.check.jobs);
    harm.assert_explained();
    let starts = ending.check.jobs.iter().filter(|(_, job)| job.due > 0);
    let starts = starts.filter_map(|(_, job)| Some((job.runs.first()?.at, job.due)));
    let (mut early, mut late) = (0, 0);
    for (start, due) in starts {
        early += usize::from(start < due);
        late = late.max(start.saturating_sub(due));
    }
    assert_eq!(early, 0, "jobs were started early");
    assert!((1..LATE).contains(&late), "a job was {late} ms late");
    Figures::new()
        .with("steps", steps)
        .and(ending.figures())
        .with("false adoptions", harm.false_adoptions)
        .with("early", early)
        .with("latest, ms", late)
}

/// What has a process see the time that a file says. Only the wall clock: leases go by the other.
fn lie(clock: &Path) -> Vec<(String, String)> {
    let library = library().unwrap_or_else(|| {
        panic!("no libfaketime: install it with `apt-get install libfaketime`, or set LIBFAKETIME to its path")
    });
    let set = [
        ("LD_PRELOAD", library.as_path()),
        ("FAKETIME_TIMESTAMP_FILE", clock),
        ("FAKETIME_NO_CACHE", Path::new("1")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", Path::new("1")),
        ("DONT_FAKE_MONOTONIC", Path::new("1")),
    ];
    let set = set
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.display().to_string()));
    set.collect()
}

fn library() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("LIBFAKETIME") {
        return Some(path.into());
    }
    let folders = fs::read_dir("/usr/lib").ok()?.flatten();
    let mut places = folders.map(|folder| folder.path().join(LIBRARY));
    places.find(|place| place.exists())
}

/// Replaces the file, so that nobody reads half of it.
fn set(clock: &Path, to: &str) {
    let new = clock.with_extension("new");
    fs::write(&new, to).expect("the folder is writable");
    fs::rename(&new, clock).expect("the folder is writable");
}

/// The hours in the times of a log: `2026-01-01T12:00:00.000000Z  INFO …`.
fn hours(log: &str) -> BTreeSet<&str> {
    let times = log.lines().filter(|line| line.get(10..11) == Some("T"));
    times.filter_map(|line| line.get(11..13)).collect()
}
