//! R2: Redis comes back without its latest writes: what that costs is told, and what is left is sound.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::r1::{AGAIN_WITHIN, note, restart};
use crate::check::Check;
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::traffic::{Traffic, count, tokens_given_twice};
use crate::world::{Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "R2",
    fault: "the same with AOF everysec (kill -9; a power cut), with a snapshot, and with nothing kept",
    shows: "what was lost and what ran again is told; no token is given out twice; the rest is sound",
    run: |plan| run(plan).boxed(),
};

/// What the server comes back with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// All that it had handed to the system, once a second flushed to disk.
    EverySecond,
    /// The same without its last moments, which the disk had not seen.
    PowerCut,
    /// A snapshot from before.
    Snapshot,
    Nothing,
}

impl Kept {
    const ALL: [(Self, &'static str); 4] = [
        (Self::EverySecond, "everysec, kill -9"),
        (Self::PowerCut, "everysec, power cut"),
        (Self::Snapshot, "snapshot only"),
        (Self::Nothing, "nothing kept"),
    ];

    fn options(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::EverySecond | Self::PowerCut => {
                &[("appendonly", "yes"), ("appendfsync", "everysec")]
            }
            Self::Snapshot | Self::Nothing => &[],
        }
    }
}

async fn run(plan: Plan) -> Figures {
    let mut schedule = Schedule::new(plan.seed);
    let mut figures = Figures::new();
    for (kept, name) in Kept::ALL {
        schedule.note(name);
        let told = one(&plan, kept, &mut schedule).await;
        figures = figures.with(name, format!("({told})"));
    }
    figures
}

async fn one(plan: &Plan, kept: Kept, schedule: &mut Schedule) -> Figures {
    let mut world = World::start(plan, kept.options()).await;
    let setup = plan.of(Setup::default(), Setup::default().with_default_lease());
    let load = Load {
        rate: plan.of(200.0, 400.0),
        kinds: "work:5-200,work:5-60,fail:1-2".to_owned(),
        ..Load::default()
    };
    let mut traffic = Traffic::start(&world, &load, &setup, 2).await;
    for _ in 0..plan.of(1, 10) {
        schedule.pause(200..=600).await;
        lose(&mut world, kept, schedule).await;
        world.flows(20, AGAIN_WITHIN).await;
    }
    traffic.stop(&world).await;
    world.drain(&traffic.workers, Duration::from_secs(60)).await;
    world.canaries(Duration::from_secs(5)).await;
    world.dismiss(traffic.workers).await;
    costs(&world).await
}

/// Takes from the server what it does not keep, and starts it again.
async fn lose(world: &mut World, kept: Kept, schedule: &mut Schedule) {
    let folder = world.server().folder().to_owned();
    let (log, before) = (folder.join("appendonlydir"), folder.join("before"));
    match kept {
        Kept::EverySecond => {}
        Kept::PowerCut => {
            copy(&log, &before).expect("the log can be read");
            schedule.pause(300..=1_000).await;
        }
        Kept::Snapshot => {
            snapshot(world).await;
            schedule.pause(300..=1_000).await;
        }
        Kept::Nothing => drop(fs::remove_file(folder.join("dump.rdb"))),
    }
    note(world, "redis-loses-data");
    world.server().kill();
    if kept == Kept::PowerCut {
        fs::remove_dir_all(&log).expect("the log is there");
        fs::rename(&before, &log).expect("its copy is there");
    }
    restart(world, Duration::from_millis(schedule.draw(100..=500))).await;
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

async fn snapshot(world: &World) {
    let mut redis = world.redis().await.expect("Redis answers");
    let saved: redis::RedisResult<()> = redis::cmd("SAVE").query_async(&mut redis).await;
    saved.expect("Redis writes a snapshot");
}

/// What is broken only because the server forgot, in numbers; what nothing excuses must not be.
async fn costs(world: &World) -> Figures {
    let check = Check::read(world).await;
    let violations = check.violations();
    let of = |beginning: &str| {
        let found = violations.iter().filter(|one| one.starts_with(beginning));
        found.count()
    };
    let sound = ["I1:", "I2:", "I12:"].map(of) == [0; 3];
    assert!(sound, "{violations:#?}");
    assert_eq!(check.held(), 0, "jobs are left with workers that have gone");
    let history = world.history();
    let twice = tokens_given_twice(&history);
    assert!(twice.is_empty(), "{twice:#?}");
    let acked_again = check.jobs.iter().filter(|(_, job)| job.acks > 1).count();
    let adopted = count(&history, |event| matches!(event, Event::Adopted { .. }));
    let stale = count(
        &history,
        |event| matches!(event, Event::Settled { answer, .. } if answer == "stale"),
    );
    Figures::new()
        .with("accepted", check.jobs.accepted())
        .with("lost", of("I3:"))
        .with("done twice", acked_again)
        .with("attempts counted twice", of("I6:"))
        .with("outcomes refused", stale)
        .with("adopted", adopted)
}
