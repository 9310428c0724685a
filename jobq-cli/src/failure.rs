//! Why a command ends with a failure, in words and as an exit code. The codes are those of a
//! worker process (`sysexits.h`), and one for each thing that a script may want to tell apart.

use std::error::Error;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use jobq::runtime::text::{chain, escaped};
use jobq::{
    BrokerError, BrokerErrorKind, ConnectError, EnqueueError, InspectError, InvalidQueueName,
};

use crate::session::Origins;

/// The command worked, and not all that was asked for could be done: a job that is not there, a
/// deadline that passed, an interruption, a question answered with no.
pub(crate) const EXIT_JOB: u8 = 1;

/// The command line cannot be read, or lacks what it needs.
pub(crate) const EXIT_USAGE: u8 = 2;

/// `doctor` or `health` found something that may do harm, and nothing worse.
pub(crate) const EXIT_WARNING: u8 = 3;

/// `doctor` or `health` found something that does harm.
pub(crate) const EXIT_ERROR: u8 = 4;

/// Redis is not there, or cannot do this now: `EX_UNAVAILABLE` of `sysexits.h`.
pub(crate) const EXIT_UNAVAILABLE: u8 = 69;

/// What should not be: damaged data, output that cannot be written, a mistake in this program:
/// `EX_SOFTWARE`.
pub(crate) const EXIT_INTERNAL: u8 = 70;

/// The login is refused or lacks a right, or `--read-only` forbids it: `EX_NOPERM`.
pub(crate) const EXIT_DENIED: u8 = 77;

/// Something is set wrongly: `EX_CONFIG`.
pub(crate) const EXIT_CONFIGURATION: u8 = 78;

/// The longest reason that is told, in characters.
const LONGEST_REASON: usize = 2000;

/// Why a command ends here, and the code to exit with.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    /// `None` if all was said that there is to say.
    reason: Option<String>,
}

impl Failure {
    fn new(code: u8, reason: impl Into<String>) -> Self {
        let reason = Some(reason.into());
        Self { code, reason }
    }

    /// Ends with a code and no further word: the output has told why.
    pub(crate) fn quiet(code: u8) -> Self {
        Self { code, reason: None }
    }

    /// Something that was asked for could not be done.
    pub(crate) fn job(reason: impl Into<String>) -> Self {
        Self::new(EXIT_JOB, reason)
    }

    /// It was asked to end; [`Failure::after`] says how far it came.
    pub(crate) fn interrupted() -> Self {
        Self::job("interrupted")
    }

    /// The command line lacks something, or says two things at once.
    pub(crate) fn usage(reason: impl Into<String>) -> Self {
        Self::new(EXIT_USAGE, reason)
    }

    /// It may not be done.
    pub(crate) fn denied(reason: impl Into<String>) -> Self {
        Self::new(EXIT_DENIED, reason)
    }

    /// Redis is not there, or not as it is needed.
    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::new(EXIT_UNAVAILABLE, reason)
    }

    /// Something is set wrongly.
    pub(crate) fn configuration(reason: impl Into<String>) -> Self {
        Self::new(EXIT_CONFIGURATION, reason)
    }

    /// What should not be.
    pub(crate) fn internal(reason: impl Into<String>) -> Self {
        Self::new(EXIT_INTERNAL, reason)
    }

    /// There is not even a runtime.
    pub(crate) fn runtime(error: &std::io::Error) -> Self {
        Self::new(
            EXIT_UNAVAILABLE,
            format!("could not start the runtime: {error}"),
        )
    }

    /// The hook has told what.
    pub(crate) fn panicked() -> Self {
        Self::quiet(EXIT_INTERNAL)
    }

    /// Standard output could not be written.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        Self::internal(format!("could not write the output: {error}"))
    }

    /// No way to the broker.
    pub(crate) fn connect(error: &ConnectError, origins: Origins) -> Self {
        let (code, origin) = match error {
            ConnectError::InvalidUrl { .. } => {
                return Self::configuration(format!("{error}{}", origins.url()));
            }
            ConnectError::InvalidNamespace { .. } => {
                return Self::configuration(format!("{error}{}", origins.namespace()));
            }
            ConnectError::InvalidSetting { .. } => return Self::configuration(error.to_string()),
            ConnectError::Unavailable { .. } => (EXIT_UNAVAILABLE, origins.url_or_hint()),
            ConnectError::Unauthorized { .. } => (EXIT_DENIED, ""),
            _ => (EXIT_CONFIGURATION, origins.url()),
        };
        Self::new(code, format!("could not connect: {}{origin}", chain(error)))
    }

    fn broker(error: &BrokerError, told: &(dyn Error + 'static)) -> Self {
        let code = match error.kind() {
            BrokerErrorKind::Forbidden => EXIT_DENIED,
            BrokerErrorKind::Corrupt => EXIT_INTERNAL,
            // Refused too: Redis is full, or a replica, and may be neither later.
            _ => EXIT_UNAVAILABLE,
        };
        Self::new(code, chain(told))
    }

    /// The same, and of what.
    pub(crate) fn before(self, of: &str) -> Self {
        let reason = self.reason.map(|reason| format!("{of}{reason}"));
        Self { reason, ..self }
    }

    /// The same, after so much was done.
    pub(crate) fn after(self, done: &str) -> Self {
        let reason = self
            .reason
            .map(|reason| format!("{reason}; before it {done}"));
        Self { reason, ..self }
    }

    /// The same, where so much was done all the same.
    pub(crate) fn besides(self, done: &str) -> Self {
        let reason = self
            .reason
            .map(|reason| format!("{reason}; apart from it {done}"));
        Self { reason, ..self }
    }

    /// The reason, if there is more to say than the code.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Whether the broker is away, or cannot do this now.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.code == EXIT_UNAVAILABLE
    }

    /// Whether data is damaged.
    pub(crate) fn is_damage(&self) -> bool {
        self.code == EXIT_INTERNAL
    }

    /// Whether a right is missing.
    pub(crate) fn is_denied(&self) -> bool {
        self.code == EXIT_DENIED
    }

    /// The code to exit with.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// Says the reason on standard error.
    pub(crate) fn tell(self) -> ExitCode {
        if let Some(reason) = self.reason {
            say(&escaped(&reason, LONGEST_REASON));
        }
        ExitCode::from(self.code)
    }
}

/// An error on standard error. If that is closed the exit code tells still.
pub(crate) fn say(reason: &str) {
    let _ = writeln!(std::io::stderr(), "error: {reason}");
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason().unwrap_or_default())
    }
}

impl From<InvalidQueueName> for Failure {
    fn from(error: InvalidQueueName) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        Self::broker(&error, &error)
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        match &error {
            InspectError::Broker(source) | InspectError::HalfMoved { source } => {
                Self::broker(source, &error)
            }
            _ => Self::usage(error.to_string()),
        }
    }
}

impl From<EnqueueError> for Failure {
    fn from(error: EnqueueError) -> Self {
        match &error {
            EnqueueError::Broker(source) | EnqueueError::OutcomeUnknown { source, .. } => {
                Self::broker(source, &error)
            }
            EnqueueError::Partial { source, .. } => Self {
                code: Self::enqueue_code(source),
                reason: Some(chain(&error)),
            },
            _ => Self::usage(chain(&error)),
        }
    }
}

impl Failure {
    fn enqueue_code(error: &EnqueueError) -> u8 {
        match error {
            EnqueueError::Broker(source) | EnqueueError::OutcomeUnknown { source, .. } => {
                Self::broker(source, source).code
            }
            _ => EXIT_USAGE,
        }
    }
}
