//! The systems, each at its best settings.
//!
//! What a program sets by itself, and what is set here, is named in `settings`, which the tables show.

use kit::Pool;

/// A system that is measured.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) name: &'static str,
    /// The package and the binary of its program.
    pub(crate) program: &'static str,
    /// The crate whose version counts.
    library: &'static str,
    /// The workers that are drained with; the best first.
    pub(crate) pools: &'static [Pool],
    /// What its worker is set to besides.
    settings: &'static str,
    /// What its producer is set to, if anything.
    pub(crate) producer: &'static str,
    /// Whether one call can enqueue many jobs.
    pub(crate) has_bulk: bool,
    /// Whether a worker that is killed loses nothing.
    pub(crate) is_crash_safe: bool,
    /// Jobs that keep it busy for about a second or more.
    pub(crate) jobs: u64,
}

/// The one that the others are compared with.
const JOBQ: System = System {
    name: "jobq",
    program: "peer-jobq",
    library: "jobq",
    pools: &[
        Pool {
            concurrency: 1000,
            connections: 4,
        },
        Pool {
            concurrency: 1000,
            connections: 1,
        },
    ],
    settings: "",
    producer: "one connection",
    has_bulk: true,
    is_crash_safe: true,
    jobs: 1_000_000,
};

const APALIS: System = System {
    name: "apalis",
    program: "peer-apalis",
    library: "apalis-redis",
    pools: &[pool(200)],
    settings: ", batches of 200, poll every 5 ms, heartbeat every 1 s, no locks, no events",
    producer: "one connection",
    has_bulk: true,
    is_crash_safe: true,
    jobs: 100_000,
};

const OXANA: System = System {
    name: "oxana",
    program: "peer-oxana",
    library: "oxana",
    pools: &[pool(100)],
    settings: ", dequeue timeout 1 ms, schedule poll 5 ms",
    producer: "50 connections",
    has_bulk: true,
    is_crash_safe: true,
    jobs: 100_000,
};

const BULLMQ_OFFICIAL: System = System {
    name: "bullmq-official",
    program: "peer-bullmq-official",
    library: "bullmq-official",
    pools: &[pool(100)],
    settings: ", completed jobs removed",
    producer: "one connection",
    has_bulk: true,
    is_crash_safe: true,
    jobs: 100_000,
};

const RUSTY_SIDEKIQ: System = System {
    name: "rusty-sidekiq",
    program: "peer-rusty-sidekiq",
    library: "rusty-sidekiq",
    pools: &[pool(32)],
    settings: ", 36 connections, queues not balanced",
    producer: "a connection for each call",
    has_bulk: false,
    is_crash_safe: false,
    jobs: 100_000,
};

static ALL: [System; 5] = [JOBQ, APALIS, OXANA, BULLMQ_OFFICIAL, RUSTY_SIDEKIQ];

/// The names of all systems.
pub(crate) const NAMES: [&str; 5] = [
    JOBQ.name,
    APALIS.name,
    OXANA.name,
    BULLMQ_OFFICIAL.name,
    RUSTY_SIDEKIQ.name,
];

/// The versions that are built.
const LOCK_FILE: &str = include_str!("../../Cargo.lock");

const fn pool(concurrency: u32) -> Pool {
    Pool {
        concurrency,
        connections: 1,
    }
}

/// The system of this name.
pub(crate) fn named(name: &str) -> Result<&'static System, String> {
    ALL.iter()
        .find(|system| system.name == name)
        .ok_or_else(|| format!("one of {}", NAMES.join(", ")))
}

impl System {
    /// Whether it is the one that the others are compared with.
    pub(crate) fn is_reference(&self) -> bool {
        self.name == JOBQ.name
    }

    /// The worker that is best.
    pub(crate) fn best_pool(&self) -> Pool {
        self.pools[0]
    }

    /// What a worker is set to, in words.
    pub(crate) fn worker_settings(&self, pool: Pool) -> String {
        let connections = match (self.is_reference(), pool.connections) {
            (false, _) => String::new(),
            (true, 1) => ", 1 connection".to_owned(),
            (true, many) => format!(", {many} connections"),
        };
        let Pool { concurrency, .. } = pool;
        format!("concurrency {concurrency}{connections}{}", self.settings)
    }

    /// The crate and its version.
    pub(crate) fn library(&self) -> String {
        let version = version_of(self.library).expect("its program depends on it");
        format!("{} {version}", self.library)
    }
}

fn version_of(library: &str) -> Option<&'static str> {
    let (_, after) = LOCK_FILE.split_once(&format!("name = \"{library}\"\nversion = \""))?;
    after.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_a_version_and_a_name_to_find_it_by() {
        for (system, name) in ALL.iter().zip(NAMES) {
            assert_eq!(named(name).unwrap().program, system.program);
            let library = system.library();
            assert!(library.ends_with(|c: char| c.is_ascii_digit()), "{library}");
        }
        assert!(named("jobs").is_err());
    }
}
