//! Facts to findings. Pure: what is asked stands in `facts.rs`.

pub(crate) mod amount;
mod disk;
mod links;
mod lists;
mod memory;
mod queues;
mod rights;

use jobq::broker::ServerFacts;

use super::facts::Store;
use super::finding::Finding;

/// What has to be done that more is known of a server.
const TELL: &str = "give the user +info, or ask who runs this Redis";

/// The same of what only an administrator may read.
const TELL_CONFIG: &str = "connect as an administrator, or ask who runs this Redis";

/// What is to be said of a store, in the order in which it is told.
pub(crate) fn judge(store: &Store) -> Vec<Finding> {
    let server = &store.server;
    let rights = store.rights.iter();
    let mut findings = judge_server(server);
    findings.extend(rights.map(|rights| rights::judge(&server.user, rights)));
    findings.extend(queues::judge(store));
    findings
}

/// The same of what the server says of itself.
pub(crate) fn judge_server(server: &ServerFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(links::judge(server));
    findings.extend(memory::judge(&server.memory));
    findings.extend(disk::judge(server));
    findings.push(lists::judge(server.settings.as_ref()));
    findings
}
