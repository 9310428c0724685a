//! I12: nothing is claimed after a pause was answered.

use crate::history::History;
use crate::ledger::Event;

/// Claims that were asked for and answered while their queue was paused, and got a job. One that was
/// on its way when the pause ended may have been carried out after that.
pub(super) fn violations(history: &History) -> Vec<String> {
    let mut found = Vec::new();
    for (queue, from, to) in pauses(history) {
        for entry in history.entries() {
            match &entry.event {
                Event::Claimed {
                    queue: of,
                    id,
                    asked,
                    ..
                } if *of == queue && *asked > from && entry.at < to => {
                    let late = asked - from;
                    found.push(format!(
                        "I12: job {id} was claimed {late} ms after {queue} was paused"
                    ));
                }
                _ => {}
            }
        }
    }
    found
}

/// Queue, when its pause was answered, when its end was asked for.
fn pauses(history: &History) -> Vec<(String, u64, u64)> {
    let mut pauses: Vec<(String, u64, u64)> = Vec::new();
    for entry in history.entries() {
        let Event::Paused { queue, on } = &entry.event else {
            continue;
        };
        let last = pauses.iter_mut().rfind(|(of, ..)| of == queue);
        match (on, last) {
            (true, _) => pauses.push((queue.clone(), entry.at, u64::MAX)),
            (false, Some((.., to))) => *to = entry.at,
            (false, None) => {}
        }
    }
    pauses
}
