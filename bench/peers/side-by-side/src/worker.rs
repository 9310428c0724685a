//! A worker process: what it reports, and what it costs.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use kit::{Pool, Progress};

use crate::Error;

/// How long a worker may handle nothing.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// Clock ticks of `/proc` in a second: `USER_HZ`, which Linux has kept at 100 on all but old machines.
const TICKS_PER_SECOND: f64 = 100.0;

/// A worker process, which is killed when this is dropped and ends with this process in any case.
#[derive(Debug)]
pub(crate) struct Worker {
    process: Child,
    reports: Receiver<Progress>,
}

/// What a process has used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_rss_mib: f64,
}

impl Worker {
    /// Starts a program as a worker.
    pub(crate) fn start(mut command: Command, pool: Pool) -> Result<Self, Error> {
        let mut process = command
            .arg("worker")
            .args([pool.concurrency, pool.connections].map(|n| n.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().expect("it was made a pipe");
        let (send, reports) = mpsc::channel();
        thread::spawn(move || read(stdout, &send));
        Ok(Self { process, reports })
    }

    /// Waits until it has handled `jobs` jobs; answers its last report.
    pub(crate) fn finish(&self, jobs: u64) -> Result<Progress, Error> {
        let mut last = Progress::default();
        while last.count < jobs {
            let stopped = match self.reports.recv_timeout(STALLED_AFTER) {
                Ok(progress) => {
                    last = progress;
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => "stalled",
                Err(RecvTimeoutError::Disconnected) => "ended",
            };
            return Err(format!("it {stopped} at {} of {jobs} jobs", last.count).into());
        }
        Ok(last)
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> Result<Usage, Error> {
        let folder = format!("/proc/{}", self.process.id());
        let stat = fs::read_to_string(format!("{folder}/stat"))?;
        let status = fs::read_to_string(format!("{folder}/status"))?;
        Ok(Usage {
            cpu_seconds: cpu_ticks(&stat).ok_or("no CPU time in /proc")? / TICKS_PER_SECOND,
            peak_rss_mib: peak_rss_kib(&status).ok_or("no VmHWM in /proc")? / 1024.0,
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(stdout: ChildStdout, send: &mpsc::Sender<Progress>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        // What a library prints is no report.
        let Ok(progress) = line.parse() else { continue };
        if send.send(progress).is_err() {
            return;
        }
    }
}

/// In user and in system mode: fields 14 and 15 of proc_pid_stat(5). The name, field 2, may hold blanks.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(14 - 3);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// `VmHWM` of proc_pid_status(5).
fn peak_rss_kib(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0";
        assert_eq!(cpu_ticks(stat), Some(300.0));
    }

    #[test]
    fn the_peak_of_memory_is_found() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1000 kB\n";
        assert_eq!(peak_rss_kib(status), Some(2048.0));
    }
}
