//! Why a worker process ends with a failure, in words and as an exit code.

use std::error::Error;
use std::process::ExitCode;

use jobq::runtime::text::chain;
use jobq::{BoxError, BrokerError, ConnectError};

use super::given::Origins;
use super::{EXIT_CONFIGURATION, EXIT_UNAVAILABLE, log};
use crate::error::{BuildError, RunError};

/// An exit code other than 0, and its reasons, a sentence each.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    reasons: Vec<String>,
}

impl Failure {
    fn new(code: u8, reason: String) -> Self {
        let reasons = vec![reason];
        Self { code, reasons }
    }

    /// The mistakes in a configuration file.
    pub(super) fn file(mistakes: Vec<String>) -> Self {
        Self {
            code: EXIT_CONFIGURATION,
            reasons: mistakes,
        }
    }

    /// A setting that can be read and is not right.
    pub(super) fn setting(error: &BuildError, origins: &Origins) -> Self {
        let keys: &[_] = match error {
            BuildError::InvalidSetting { field: "lease", .. } => &["lease", "renew_every"],
            BuildError::InvalidSetting { field, .. } => &[field],
            _ => &["queues"],
        };
        Self::new(EXIT_CONFIGURATION, format!("{error}{}", origins.of(keys)))
    }

    /// No way to the broker.
    pub(super) fn connect(error: &ConnectError, origins: &Origins) -> Self {
        let setting = |keys| Self::new(EXIT_CONFIGURATION, format!("{error}{}", origins.of(keys)));
        match error {
            ConnectError::InvalidNamespace { .. } if origins.know("namespace") => {
                setting(&["namespace"])
            }
            ConnectError::InvalidSetting { field, .. } => setting(&[field]),
            ConnectError::InvalidUrl { .. } | ConnectError::InvalidNamespace { .. } => {
                setting(&["url"])
            }
            ConnectError::Unauthorized { .. } => {
                let origin = origins.of(&["username", "password", "url"]);
                Self::unconnected(EXIT_CONFIGURATION, error, &origin)
            }
            ConnectError::Unavailable { .. } => match origins.of(&["url"]) {
                origin if origin.is_empty() => {
                    let hint = " (--url or JOBQ_URL says where Redis is)";
                    Self::unconnected(EXIT_UNAVAILABLE, error, hint)
                }
                origin => Self::unconnected(EXIT_UNAVAILABLE, error, &origin),
            },
            ConnectError::InvalidCaFile { .. } => {
                Self::unconnected(EXIT_CONFIGURATION, error, &origins.of(&["ca_file"]))
            }
            ConnectError::Tls { .. } => {
                Self::unconnected(EXIT_CONFIGURATION, error, &origins.of(&["url", "ca_file"]))
            }
            _ => Self::unconnected(EXIT_CONFIGURATION, error, &origins.of(&["url"])),
        }
    }

    fn unconnected(code: u8, error: &ConnectError, hint: &str) -> Self {
        Self::new(code, format!("could not connect: {}{hint}", chain(error)))
    }

    /// What the program does itself before it works.
    pub(super) fn set_up(error: &BoxError) -> Self {
        Self::of(EXIT_CONFIGURATION, "could not set the worker up", &**error)
    }

    /// No worker can be built.
    pub(super) fn build(error: &BuildError) -> Self {
        Self::of(EXIT_CONFIGURATION, "could not build the worker", error)
    }

    /// A worker would be refused what it has to do.
    pub(super) fn rights(error: &BrokerError) -> Self {
        let code = match error.is_retryable() {
            true => EXIT_UNAVAILABLE,
            false => EXIT_CONFIGURATION,
        };
        Self::of(code, "a worker could not work here", error)
    }

    /// The worker could not run.
    pub(super) fn run(error: &RunError) -> Self {
        Self::of(EXIT_UNAVAILABLE, "the worker failed", error)
    }

    /// There is not even a runtime.
    pub(super) fn runtime(error: &std::io::Error) -> Self {
        Self::of(EXIT_UNAVAILABLE, "could not start the runtime", error)
    }

    fn of(code: u8, what: &str, error: &(dyn Error + 'static)) -> Self {
        Self::new(code, format!("{what}: {}", chain(error)))
    }

    /// Logs the reasons; where errors are not logged it says them all the same: nobody should have
    /// to guess from a number.
    pub(super) fn tell(self) -> ExitCode {
        for reason in self.reasons {
            match log::shows_errors() {
                true => tracing::error!(target: "jobq_worker", "{reason}"),
                false => eprintln!("error: {reason}"),
            }
        }
        ExitCode::from(self.code)
    }
}
