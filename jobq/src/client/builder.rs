//! Connecting.

mod environment;
mod in_url;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::environment::DEFAULT_URL;
use self::environment::Usual;
pub use self::in_url::InUrl;
use super::Client;
use crate::broker::memory::MemoryBroker;
use crate::broker::redis::{RedisBroker, RedisConfig, check_ca_file, check_timeout};
use crate::broker::{Broker, MAX_BATCH_BYTES};
use crate::error::ConnectError;

/// The default of [`ClientBuilder::max_payload`]: 1 MiB.
pub(super) const DEFAULT_MAX_PAYLOAD: usize = 1 << 20;

/// What a [`ClientBuilder::max_payload`] may be at the most: what one claim carries.
const LARGEST_MAX_PAYLOAD: usize = MAX_BATCH_BYTES;

/// Connects with the defaults: a [`Client::builder`] that sets nothing.
///
/// `redis://[user:password@]host[:port][/database][?namespace=name]`, `rediss://` for the same
/// through TLS (feature `tls`), or `memory://` for a new broker inside this process, shared by the
/// clones of the client.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = jobq::connect("memory://").await?;
/// # drop(client);
/// let error = jobq::connect("redsi://localhost").await.unwrap_err();
/// assert!(error.to_string().starts_with("invalid URL"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ConnectError`], within five seconds.
pub async fn connect(url: impl AsRef<str>) -> Result<Client, ConnectError> {
    Client::builder(url.as_ref()).connect().await
}

/// Settings of a [`Client`]. What is set here wins over the same in the URL.
///
/// `Debug` shows neither the URL nor user and password.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use jobq::Client;
///
/// let client = Client::builder("memory://") // or "redis://127.0.0.1/"
///     .namespace("shop")
///     .max_payload(64 * 1024)
///     .timeout(Duration::from_secs(2))
///     .connect()
///     .await?;
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is connected until `.connect().await`"]
pub struct ClientBuilder {
    url: String,
    username: Option<String>,
    password: Option<String>,
    ca_file: Option<PathBuf>,
    /// Variables of the environment that could not be read; told when connecting.
    unreadable: Vec<&'static str>,
    namespace: Option<String>,
    usual: Usual,
    max_payload: usize,
    timeout: Duration,
}

impl ClientBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            username: None,
            password: None,
            ca_file: None,
            unreadable: Vec::new(),
            namespace: None,
            usual: Usual::default(),
            max_payload: DEFAULT_MAX_PAYLOAD,
            timeout: Duration::from_secs(5),
        }
    }

    /// Where to connect to, in place of what the builder was made with: as in [`connect`]. A
    /// namespace in it takes the place of one that the environment gave
    /// ([`ClientBuilder::from_env`]), not of one that is set; so does a user, and a password takes that of
    /// both halves of the login.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self.forgive(environment::URL);
        let said = InUrl::of(&self.url);
        if said.namespace {
            self.usual.namespace = None;
            self.forgive(environment::NAMESPACE);
        }
        if said.username {
            self.usual.username = None;
            self.forgive(environment::USERNAME);
        }
        if said.password {
            self.usual.password = None;
            self.forgive(environment::PASSWORD);
        }
        self
    }

    /// A variable that something else takes the place of does not matter any more.
    fn forgive(&mut self, variable: &str) {
        self.unreadable.retain(|name| *name != variable);
    }

    /// The user to log in as, plainly: not percent-encoded. The server's `default` unless set here
    /// or in the URL; an empty one is as good as none.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into()).filter(|name| !name.is_empty());
        self.forgive(environment::USERNAME);
        self
    }

    /// The password to log in with, plainly: not percent-encoded. None unless set here or in the
    /// URL.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self.forgive(environment::PASSWORD);
        self
    }

    /// The only certificate authorities that may vouch for the server of a `rediss://` URL: a file
    /// of one or more certificates in PEM. Those of the system unless set. Either are read once, when
    /// the client connects; connections that are lost and opened again trust the same.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// What stands before every key: `jobq` unless set here or in the URL, where this one wins.
    /// 1 to 64 characters of `[A-Za-z0-9_.:-]`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self.forgive(environment::NAMESPACE);
        self
    }

    /// The largest envelope that is enqueued, in bytes: 1 MiB unless set; 1 KiB to 8 MiB.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// How long connecting, and any one call, may take: 5 s unless set; 10 ms to 1 h.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], within the timeout; no message holds the password.
    pub async fn connect(self) -> Result<Client, ConnectError> {
        self.check()?;
        let namespace = self.namespace.or(self.usual.namespace);
        let username = self.username.or(self.usual.username);
        let password = self.password.or(self.usual.password);
        let broker: Arc<dyn Broker> = match self.url.split_once("://") {
            // A namespace changes nothing: nobody else is there. It is read as for a server, so that
            // what passes here passes there.
            Some(("memory", rest)) if rest.is_empty() || rest.starts_with("?namespace=") => {
                RedisConfig::parse(&format!("redis://{rest}"), namespace.as_deref())?;
                check_timeout(self.timeout)?;
                check_ca_file(self.ca_file.as_deref(), false)?;
                Arc::new(MemoryBroker::new())
            }
            Some(("memory", _)) => {
                let reason = "memory:// takes no host, path or options; expected memory:// alone";
                let reason = reason.to_owned();
                return Err(ConnectError::InvalidUrl { reason });
            }
            _ => {
                let config = RedisConfig::parse(&self.url, namespace.as_deref())?
                    .with_login(username, password)
                    .with_ca_file(self.ca_file);
                Arc::new(RedisBroker::connect(config, self.timeout).await?)
            }
        };
        Ok(Client::new(broker, self.max_payload))
    }

    fn check(&self) -> Result<(), ConnectError> {
        if let Some(variable) = self.unreadable.first() {
            let value = "not UTF-8".to_owned();
            return Err(invalid_setting(variable, value, "a text in UTF-8"));
        }
        if !(1024..=LARGEST_MAX_PAYLOAD).contains(&self.max_payload) {
            let value = format!("{} bytes", self.max_payload);
            return Err(invalid_setting("max_payload", value, "1 KiB to 8 MiB"));
        }
        Ok(())
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespace = self.namespace.as_ref().or(self.usual.namespace.as_ref());
        // Not the URL: it may hold a password.
        f.debug_struct("ClientBuilder")
            .field("ca_file", &self.ca_file)
            .field("namespace", &namespace)
            .field("max_payload", &self.max_payload)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn invalid_setting(field: &'static str, value: String, expected: &'static str) -> ConnectError {
    ConnectError::InvalidSetting {
        field,
        value,
        expected,
    }
}
