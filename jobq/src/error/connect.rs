//! Why there is no client.

use super::BoxError;

/// [`crate::connect`] and [`crate::ClientBuilder::connect`] failed.
///
/// ```
/// use jobq::ConnectError;
///
/// async fn connect(url: &str) {
///     match jobq::connect(url).await {
///         Err(error @ ConnectError::Unavailable { .. }) => println!("later, perhaps: {error}"),
///         Err(error) => println!("somebody has to mend this: {error}"),
///         Ok(_) => println!("connected"),
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() { connect("memory://").await }
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be used. The message never holds the password.
    #[error("invalid URL: {reason}")]
    InvalidUrl {
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// A namespace that is not 1 to 64 characters of `[A-Za-z0-9_.:-]`.
    #[error("namespace {value} is not 1 to 64 characters of [A-Za-z0-9_.:-]")]
    InvalidNamespace {
        /// The value, quoted.
        value: String,
    },
    /// A setting out of its range.
    #[error("{field} is {value}; expected {expected}")]
    InvalidSetting {
        /// The name of the setting.
        field: &'static str,
        /// What it was.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// Nobody answers at the address, or not in time.
    #[error("no Redis answers at {address}")]
    Unavailable {
        /// Where it was looked for.
        address: String,
        /// What went wrong on the way.
        source: BoxError,
    },
    /// The file of certificate authorities cannot be used.
    #[error("CA file {path} cannot be used: {reason}; expected certificates in PEM")]
    InvalidCaFile {
        /// The path, quoted.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The system has no certificate authorities that TLS could trust, and no CA file was given.
    #[error(
        "no certificate authority of this system can be read; install ca-certificates, or give a \
         ca_file (JOBQ_CA_FILE)"
    )]
    NoAuthorities {
        /// What was in the way, if anything.
        source: Option<BoxError>,
    },
    /// Someone answers, who cannot be trusted or does not speak TLS as jobq does.
    #[error("TLS with {address} failed: {reason}")]
    Tls {
        /// The server.
        address: String,
        /// What is wrong, and what would mend it.
        reason: String,
        /// What the TLS library said.
        source: BoxError,
    },
    /// The server refused the user or the password.
    #[error("{address} refused user {user} {}", how_to_log_in(user, *with_password))]
    Unauthorized {
        /// The server.
        address: String,
        /// The user name, quoted (`"default"` if there was none); or, where it may be a password in
        /// the wrong place, that it is not shown.
        user: String,
        /// Whether a password was given.
        with_password: bool,
        /// What the server said.
        source: BoxError,
    },
    /// The server is older than 7.0.
    #[error("{address} runs Redis {found}; jobq needs 7.0 or newer (script flags)")]
    TooOld {
        /// The server.
        address: String,
        /// Its version.
        found: String,
    },
    /// Someone answers, and not as a Redis does.
    #[error("what answers at {address} is no Redis; is the port that of another server?")]
    NotRedis {
        /// Where it was looked for.
        address: String,
        /// What the answer was taken for.
        source: BoxError,
    },
    /// The server answered, and refused what jobq needs to start.
    #[error("{address} cannot be used: {reason}")]
    Refused {
        /// The server.
        address: String,
        /// What is in the way, and what would help.
        reason: String,
        /// What the server said.
        source: BoxError,
    },
    /// Connections to a server need a tokio runtime, and there is none.
    #[error(
        "no tokio runtime runs here; connect below `#[tokio::main]`, or inside of \
         `Runtime::block_on`"
    )]
    NoRuntime,
}

fn how_to_log_in(user: &str, with_password: bool) -> &'static str {
    match (with_password, user) {
        (true, _) => "with this password; check both, in the URL or where they are set beside it",
        (false, "\"default\"") => {
            "without a password; write it into the URL (redis://:password@host), or set it beside \
             the URL (JOBQ_PASSWORD)"
        }
        (false, _) => {
            "without a password; write it into the URL (redis://user:password@host), or set it \
             beside the URL (JOBQ_PASSWORD)"
        }
    }
}
