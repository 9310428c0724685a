//! What a process of this machine used, from `/proc`.

use std::fs;

/// The kernel's clock ticks a second in `/proc/*/stat`: fixed for programs on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// µs of processor time so far of this process, to 10 ms.
pub(crate) fn cpu_us() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in brackets, may hold anything.
    let fields: Vec<&str> = match stat.rsplit_once(')') {
        Some((_, fields)) => fields.split_whitespace().collect(),
        None => Vec::new(),
    };
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok());
    let used = ticks(11).unwrap_or_default() + ticks(12).unwrap_or_default();
    used / TICKS_PER_SECOND * 1e6
}

/// The most memory this process had at a time, in MiB.
pub(crate) fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    peak.unwrap_or(f64::NAN) / 1024.0
}
