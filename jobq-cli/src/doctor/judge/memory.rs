//! Memory: what happens when it is full, and how near that is.

use jobq::broker::MemoryFacts;

use super::TELL;
use super::amount::{bytes, number, percent};
use crate::doctor::finding::{Cure, Finding, Subject};

const EVICTION: Subject = Subject {
    id: "eviction",
    why: "a Redis that evicts throws jobs away when its memory is full, without telling anyone; \
          with noeviction enqueues are refused, and workers go on",
};

const MEMORY: Subject = Subject {
    id: "memory",
    why: "when maxmemory is reached enqueues are refused; without maxmemory the kernel kills Redis \
          when the machine has no more",
};

const FRAGMENTATION: Subject = Subject {
    id: "fragmentation",
    why: "memory that is held and not used is missing to the machine, and maxmemory does not count \
          it; memory that was swapped out makes every step slow",
};

/// Shares of `maxmemory` from which on it is near, and too near.
const NEAR: f64 = 0.80;
const TOO_NEAR: f64 = 0.95;

/// Held and not used memory is worth a word from this share of what is used, and this many bytes.
const FRAGMENTED: f64 = 1.5;
const FRAGMENTED_BYTES: u64 = 256 << 20;

pub(super) fn judge(memory: &MemoryFacts) -> [Finding; 3] {
    [eviction(memory), headroom(memory), fragmentation(memory)]
}

fn eviction(memory: &MemoryFacts) -> Finding {
    let Some(policy) = &memory.policy else {
        return EVICTION.unknown("maxmemory-policy", TELL);
    };
    let cure = Cure::redis("CONFIG SET maxmemory-policy noeviction");
    let evicted = memory.evicted.unwrap_or(0);
    match (policy.as_str(), memory.limit) {
        ("noeviction", _) if evicted == 0 => EVICTION.ok("maxmemory-policy is noeviction"),
        ("noeviction", _) => EVICTION.warning(
            format!(
                "maxmemory-policy is noeviction, but {} keys were evicted since the server \
                 started, under another one",
                number(evicted)
            ),
            Cure::advice("compare what producers sent with what was done, and enqueue anew"),
        ),
        (policy, Some(0)) => EVICTION.warning(
            format!("maxmemory-policy is {policy}, without a maxmemory that would call for it"),
            cure,
        ),
        (policy, _) => EVICTION.error(
            format!(
                "maxmemory-policy is {policy}; {} keys were evicted since the server started",
                number(evicted)
            ),
            cure,
        ),
    }
}

fn headroom(memory: &MemoryFacts) -> Finding {
    let (Some(used), Some(limit)) = (memory.used, memory.limit) else {
        return MEMORY.unknown("the memory used and maxmemory", TELL);
    };
    if limit == 0 {
        let of = memory.machine.map_or(String::new(), |machine| {
            format!(", on a machine of {}", bytes(machine))
        });
        // Three quarters leave room for the copy that a save or a rewrite makes.
        let cure = match memory.machine {
            Some(machine) => format!("CONFIG SET maxmemory {}mb", (machine / 4 * 3) >> 20),
            None => "CONFIG SET maxmemory 1gb".to_owned(),
        };
        let seen = format!("no maxmemory; {} are used{of}", bytes(used));
        return MEMORY.warning(seen, Cure::redis(cure));
    }
    let share = used as f64 / limit as f64;
    let seen = format!(
        "{} of {} are used ({})",
        bytes(used),
        bytes(limit),
        percent(share)
    );
    let cure = Cure::redis(format!(
        "CONFIG SET maxmemory {}mb",
        (limit >> 20).max(1) * 2
    ));
    match share {
        share if share >= TOO_NEAR => MEMORY.error(seen, cure),
        share if share >= NEAR => MEMORY.warning(seen, cure),
        _ => MEMORY.ok(seen),
    }
}

fn fragmentation(memory: &MemoryFacts) -> Finding {
    let (Some(used), Some(resident)) = (memory.used, memory.resident) else {
        return FRAGMENTATION.unknown("the memory that the process has", TELL);
    };
    let seen = format!("{} are held for {} used", bytes(resident), bytes(used));
    let held = resident as f64 / used.max(1) as f64;
    if held >= FRAGMENTED && resident - used >= FRAGMENTED_BYTES {
        return FRAGMENTATION.warning(seen, Cure::redis("CONFIG SET activedefrag yes"));
    }
    if held < 0.8 && used >= FRAGMENTED_BYTES {
        let seen = format!("{seen}: the rest is swapped out");
        let cure = Cure::advice("give the machine more memory, or Redis a smaller maxmemory");
        return FRAGMENTATION.warning(seen, cure);
    }
    FRAGMENTATION.ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level::{Error, Ok, Unknown, Warning};

    const MIB: u64 = 1 << 20;

    #[test]
    fn eviction_is_an_error_where_it_can_happen() {
        let cases = [
            (None, None, None, Unknown),
            (Some("noeviction"), Some(0), Some(0), Ok),
            (Some("noeviction"), Some(9), None, Ok),
            (Some("noeviction"), Some(9), Some(1), Warning),
            (Some("allkeys-lru"), Some(0), Some(0), Warning),
            (Some("allkeys-lru"), Some(9), Some(0), Error),
            (Some("volatile-ttl"), None, None, Error),
        ];
        for (policy, limit, evicted, level) in cases {
            let facts = MemoryFacts {
                policy: policy.map(str::to_owned),
                limit,
                evicted,
                ..MemoryFacts::default()
            };
            assert_eq!(eviction(&facts).level, level, "{facts:?}");
        }
    }

    #[test]
    fn headroom_goes_by_the_share_that_is_used() {
        for (used, limit, level) in [
            (None, Some(1), Unknown),
            (Some(1), None, Unknown),
            (Some(MIB), Some(0), Warning),
            (Some(79 * MIB), Some(100 * MIB), Ok),
            (Some(80 * MIB), Some(100 * MIB), Warning),
            (Some(95 * MIB), Some(100 * MIB), Error),
            (Some(u64::MAX), Some(1), Error),
        ] {
            let facts = MemoryFacts {
                used,
                limit,
                ..MemoryFacts::default()
            };
            assert_eq!(headroom(&facts).level, level, "{facts:?}");
        }
    }

    #[test]
    fn fragmentation_counts_where_it_is_much() {
        for (used, resident, level) in [
            (None, Some(1), Unknown),
            (Some(MIB), Some(100 * MIB), Ok),
            (Some(600 * MIB), Some(800 * MIB), Ok),
            (Some(512 * MIB), Some(768 * MIB), Warning),
            (Some(512 * MIB), Some(100 * MIB), Warning),
            (Some(MIB), Some(0), Ok),
            (Some(0), Some(0), Ok),
        ] {
            let facts = MemoryFacts {
                used,
                resident,
                ..MemoryFacts::default()
            };
            assert_eq!(fragmentation(&facts).level, level, "{facts:?}");
        }
    }
}
