//! What a process uses.

use std::fs;

/// What it uses at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vitals {
    /// Memory that is resident, in KiB.
    pub resident: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
    /// Time on a processor, in ms.
    pub busy: u64,
}

/// What a tick of `/proc` is, in ms, on every Linux.
const TICK: u64 = 10;

impl Vitals {
    /// Of a process that is there; `None` once it has gone.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name, which may hold anything: user and system time are the 12th and 13th.
        let times = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
        let ticks: u64 = times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
        Some(Self {
            resident: field(&status, "VmRSS:")?,
            descriptors: descriptors as u64,
            threads: field(&status, "Threads:")?,
            busy: ticks * TICK,
        })
    }
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something_and_one_that_has_gone_nothing() {
        let own = Vitals::of(std::process::id()).unwrap();
        assert!(own.resident > 0 && own.descriptors > 0 && own.threads > 0);
        assert_eq!(Vitals::of(u32::MAX), None);
    }
}
