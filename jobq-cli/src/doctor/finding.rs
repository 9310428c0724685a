//! What was found: how bad it is, what was seen, why it matters, and what to do.

use std::borrow::Cow;

use jobq::broker::Upkeep;

/// How bad a finding is, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// This user is not told, or this server does not say.
    Unknown,
    /// Jobs may be lost, late or refused if something else happens too.
    Warning,
    /// Jobs are lost, stuck or refused, or will be soon.
    Error,
}

impl Level {
    /// As it is printed.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What would mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cure {
    /// A command for the server.
    Redis(Cow<'static, str>),
    /// A command of a shell.
    Shell(Cow<'static, str>),
    /// What only a person can do.
    Advice(Cow<'static, str>),
}

impl Cure {
    pub(crate) fn redis(command: impl Into<Cow<'static, str>>) -> Self {
        Self::Redis(command.into())
    }

    pub(crate) fn shell(command: impl Into<Cow<'static, str>>) -> Self {
        Self::Shell(command.into())
    }

    pub(crate) fn advice(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Advice(text.into())
    }

    /// What to type, or to do; `redis_cli` is how commands are sent to the server.
    pub(crate) fn to_type(&self, redis_cli: &str) -> String {
        match self {
            Self::Redis(command) => format!("{redis_cli} {command}"),
            Self::Shell(text) | Self::Advice(text) => text.clone().into_owned(),
        }
    }
}

/// A word of a shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// What `--fix` may do about it: nothing that could lose a job, or take one from a living worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fix {
    /// Have the server begin something.
    Begin(Upkeep),
    /// Take over what workers left on a queue that nobody knows.
    Sweep,
}

/// What `--fix` may do something about: who asks for it and may not look there is told so.
pub(crate) const FIXABLE: [&str; 3] = ["snapshot", "append-only-file", "orphans"];

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What was looked at: a word of `docs/operations/doctor.md`.
    pub(crate) id: &'static str,
    /// Of which queue, if of one.
    pub(crate) queue: Option<String>,
    /// How bad it is.
    pub(crate) level: Level,
    /// What was seen.
    pub(crate) seen: String,
    /// Why it matters.
    pub(crate) why: &'static str,
    /// What would mend it, unless nothing is wrong.
    pub(crate) cure: Option<Cure>,
    /// What `--fix` does about it.
    pub(crate) fix: Option<Fix>,
}

impl Finding {
    /// Of a thing that is looked at for this reason.
    fn new(id: &'static str, level: Level, seen: impl Into<String>, why: &'static str) -> Self {
        Self {
            id,
            queue: None,
            level,
            seen: seen.into(),
            why,
            cure: None,
            fix: None,
        }
    }

    pub(crate) fn with_cure(mut self, cure: Cure) -> Self {
        self.cure = Some(cure);
        self
    }

    pub(crate) fn with_fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    pub(crate) fn of_queue(mut self, queue: &str) -> Self {
        self.queue = Some(queue.to_owned());
        self
    }
}

/// Something to look at, and why: what it was found to be is said by its methods.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    /// A word of `docs/operations/doctor.md`.
    pub(crate) id: &'static str,
    /// Why it matters.
    pub(crate) why: &'static str,
}

impl Subject {
    pub(crate) fn ok(self, seen: impl Into<String>) -> Finding {
        Finding::new(self.id, Level::Ok, seen, self.why)
    }

    pub(crate) fn unknown(self, what: &str, needs: &'static str) -> Finding {
        let seen = format!("not known: {what}");
        let cure = Cure::advice(needs);
        Finding::new(self.id, Level::Unknown, seen, self.why).with_cure(cure)
    }

    pub(crate) fn warning(self, seen: impl Into<String>, cure: Cure) -> Finding {
        Finding::new(self.id, Level::Warning, seen, self.why).with_cure(cure)
    }

    pub(crate) fn error(self, seen: impl Into<String>, cure: Cure) -> Finding {
        Finding::new(self.id, Level::Error, seen, self.why).with_cure(cure)
    }
}
