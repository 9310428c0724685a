//! One measurement: the workloads, each on a Redis server of its own.

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use kit::{Pool, Way};

use crate::Error;
use crate::options::Sizes;
use crate::plan::{Case, Task};
use crate::programs::{Programs, Scene};
use crate::results::Figure;
use crate::server::RedisServer;

/// From the last handler's end until its job is settled in Redis.
const SETTLED_AFTER: Duration = Duration::from_millis(100);

/// What one measurement gives.
pub(crate) type Measured = Vec<(Figure, f64)>;

/// What all measurements share.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) programs: Programs,
    pub(crate) sizes: Sizes,
}

impl Bench {
    pub(crate) fn measure(&self, case: &Case) -> Result<Measured, Error> {
        let server = RedisServer::start()?;
        let scene = |signal_to| Scene {
            system: case.system,
            server: &server,
            signal_to,
        };
        let system = case.system;
        match case.task {
            Task::Drain(pool) => self.drain(&scene(None), pool, self.sizes.many(system)),
            Task::Enqueue(way) => self.enqueue(&scene(None), way),
            Task::Memory => self.memory(&scene(None), self.sizes.pending()),
            Task::Latency => {
                let args = ["latency", &self.sizes.started().to_string()];
                self.waits(&scene(Some(free_address()?)), args)
            }
            Task::Delayed => {
                let args = ["delayed", &self.sizes.delayed().to_string()];
                self.waits(&scene(Some(free_address()?)), args)
            }
        }
    }

    fn drain(&self, scene: &Scene<'_>, pool: Pool, jobs: u64) -> Result<Measured, Error> {
        self.programs.produce(scene, &["fill", &jobs.to_string()])?;
        let redis_before = scene.server.cpu_seconds()?;
        let worker = self.programs.work(scene, pool)?;
        let progress = worker.finish(jobs)?;
        thread::sleep(SETTLED_AFTER);
        let usage = worker.usage()?;
        let redis = scene.server.cpu_seconds()? - redis_before;
        let rate = progress.jobs_per_second();
        let us_per_job = |seconds: f64| seconds * 1e6 / jobs as f64;
        Ok(vec![
            (Figure::JOBS, rate.ok_or("too few jobs for a rate")?),
            (Figure::WORKER_CPU, us_per_job(usage.cpu_seconds)),
            (Figure::REDIS_CPU, us_per_job(redis)),
            (Figure::PEAK_RSS, usage.peak_rss_mib),
        ])
    }

    fn enqueue(&self, scene: &Scene<'_>, way: Way) -> Result<Measured, Error> {
        let many = self.sizes.many(scene.system);
        let (figure, jobs, width) = match way {
            Way::Sequential => (Figure::ONE_BY_ONE, self.sizes.one_by_one(), 1),
            Way::AtOnce(width) => (Figure::AT_ONCE, many, width),
            Way::Bulk(width) => (Figure::BULK, many, width),
        };
        let words = [way.to_string(), jobs.to_string(), width.to_string()];
        let [way, jobs, width] = &words;
        let printed = self
            .programs
            .produce(scene, &["enqueue", way, jobs, width])?;
        Ok(vec![(figure, printed.trim().parse()?)])
    }

    /// Latency and lateness: what a producer prints of the starts of its jobs.
    fn waits(&self, scene: &Scene<'_>, args: [&str; 2]) -> Result<Measured, Error> {
        let _worker = self.programs.work(scene, scene.system.best_pool())?;
        let printed = self.programs.produce(scene, &args)?;
        let mut us: Vec<i64> = printed.lines().map(str::parse).collect::<Result<_, _>>()?;
        us.sort_unstable();
        let ms = |percent| percentile(&us, percent).map(|us| us as f64 / 1000.0);
        Ok(vec![
            (Figure::P50, ms(50).ok_or("no job started")?),
            (Figure::P99, ms(99).ok_or("no job started")?),
        ])
    }

    fn memory(&self, scene: &Scene<'_>, jobs: u64) -> Result<Measured, Error> {
        let before = scene.server.memory()?;
        let count = jobs.to_string();
        self.programs
            .produce(scene, &["enqueue", "conc", &count, "64"])?;
        let bytes = (scene.server.memory()? - before) / jobs as f64;
        Ok(vec![(Figure::BYTES, bytes)])
    }
}

/// The smallest of the sorted values that `percent` of them do not exceed.
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// An address of loopback that takes no datagrams yet.
fn free_address() -> Result<SocketAddr, Error> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<i64> = (1..=200).collect();
        for (percent, expected) in [(50, 100), (99, 198), (100, 200)] {
            assert_eq!(percentile(&values, percent), Some(expected));
        }
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }
}
