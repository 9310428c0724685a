//! What faults are called: what a server's answer means and what would help, for people.

use std::error::Error;
use std::fmt;

use redis::RedisError;

use crate::broker::redis::config::RedisConfig;
use crate::error::BrokerErrorKind;

/// What is said of a server's error: what it means, its code, and what would help.
pub(super) fn told(code: &str) -> (BrokerErrorKind, String) {
    let (kind, what) = meaning(code);
    let message = match what.split_once(';') {
        Some((what, cure)) => format!("Redis {what} ({code});{cure}"),
        None => format!("Redis {what} ({code})"),
    };
    (kind, message)
}

/// What the code means in words that follow "Redis"; behind a semicolon, what would help.
fn meaning(code: &str) -> (BrokerErrorKind, &'static str) {
    use BrokerErrorKind::{Corrupt, Refused, Unavailable};
    match code {
        "LOADING" => (Unavailable, "still loads its data"),
        "BUSY" => (Unavailable, "is held up by a script that does not end"),
        "MASTERDOWN" => (Unavailable, "is a replica that has lost its primary"),
        "CLUSTERDOWN" | "TRYAGAIN" => (Unavailable, "cannot serve now"),
        "OOM" => (
            Refused,
            "is full; raise its maxmemory, or let workers empty its queues",
        ),
        "READONLY" => (Refused, "is a replica; connect to its primary"),
        "MISCONF" => (Refused, "cannot write its data to disk; see its log"),
        "NOREPLICAS" => (Refused, "has fewer replicas than it is set to need"),
        "NOAUTH" => (Refused, "refuses the login"),
        _ => (Corrupt, "could not do the step"),
    }
}

/// The client library's error as a link of a chain. Its text is that of its own cause, so that a
/// chain that went on to the cause would say everything twice.
#[derive(Debug)]
pub(super) struct Cause(pub(super) RedisError);

impl fmt::Display for Cause {
    /// What the server said where it is an answer; else the library's own words, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.0.code(), self.0.detail()) {
            (Some(code), said) => format!("{code} {}", said.unwrap_or_default()),
            (None, _) => self.0.to_string(),
        };
        let words: Vec<_> = text.split_whitespace().collect();
        f.write_str(words.join(" ").trim_end_matches('.'))
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let text = self.0.to_string();
        let causes = std::iter::successors(self.0.source(), |&cause| cause.source());
        let mut causes = causes.skip_while(|cause| text.contains(&cause.to_string()));
        causes.next()
    }
}

/// What keeps jobq from using a server that answers.
pub(super) fn obstacle(config: &RedisConfig, error: &RedisError) -> String {
    let said = error.detail().unwrap_or_default();
    match error.code() {
        // The client library gives the refusal of SELECT a code of its own.
        code if code == Some("NOPERM") || said.contains("no permissions to run") => format!(
            "user {} may not run {} (NOPERM); docs/operations/security.md has the rights of each role",
            config.quoted_user(),
            said.split('\'').nth(1).unwrap_or("what is needed")
        ),
        _ if said.starts_with("DB index") => format!(
            "it has no database {}; expected one below its setting `databases`, which is 16 unless \
             set",
            config.database()
        ),
        _ => "it refused the first commands".to_owned(),
    }
}
