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
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be used. The message never holds the password.
    #[error(
        "invalid URL: {reason}; expected redis://[user:password@]host[:port][/database][?namespace=name], rediss:// for TLS, or memory://"
    )]
    InvalidUrl {
        /// What is wrong with it.
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
    #[error("{address} refused the credentials of user {user}; check user and password")]
    Unauthorized {
        /// The server.
        address: String,
        /// The user name, quoted (`"default"` if there was none).
        user: String,
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
    /// The server answered, and refused what jobq needs to start.
    #[error("{address} refused to serve: {reason}")]
    Refused {
        /// The server.
        address: String,
        /// What it said.
        reason: String,
        /// The error itself.
        source: BoxError,
    },
}
