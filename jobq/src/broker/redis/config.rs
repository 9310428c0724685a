//! Where a Redis is and how to log in, read from a URL. No error and no output holds the password.

mod parts;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redis::{ProtocolVersion, RedisConnectionInfo};
use url::Url;

use self::parts::{
    check_fragment, check_namespace, database_of, decode, host_of, is_tls, namespace_of, port_of,
    unreadable,
};
use crate::error::{ConnectError, plain, quoted};

const DEFAULT_NAMESPACE: &str = "jobq";

/// Where a Redis is, how to log in, and the namespace of the keys. `Debug` hides the password.
#[derive(Clone)]
pub struct RedisConfig {
    tls: bool,
    ca_file: Option<PathBuf>,
    host: String,
    port: u16,
    database: u32,
    user: Option<String>,
    /// Whether the user stands in the URL.
    user_of_url: bool,
    password: Option<String>,
    namespace: Arc<str>,
}

impl RedisConfig {
    /// Reads `redis://[[user]:password@][host][:port][/database][?namespace=name]`; with
    /// `rediss://` and the feature `tls` the same through TLS.
    ///
    /// An empty host is 127.0.0.1, no port is 6379, no database is 0. User and password are
    /// percent-decoded: `@`, `/`, `?`, `#` and `%` in them must be written `%40`, `%2F`, `%3F`,
    /// `%23` and `%25`. A `namespace` given beside the URL wins over the one inside.
    ///
    /// # Errors
    ///
    /// [`ConnectError::InvalidUrl`] and [`ConnectError::InvalidNamespace`].
    pub fn parse(url: &str, namespace: Option<&str>) -> Result<Self, ConnectError> {
        let parsed = Url::parse(url).map_err(|error| unreadable(url, error))?;
        let tls = is_tls(&parsed, cfg!(feature = "tls"))?;
        check_fragment(parsed.fragment())?;
        // What stands behind an unescaped / or ? may be the rest of a password: quote it only
        // where there cannot be one.
        let may_quote = !url.contains('@');
        let in_url = namespace_of(&parsed, may_quote)?;
        let namespace = match (namespace, &in_url) {
            (Some(given), _) => check_namespace(given, true)?,
            (None, Some(in_url)) => check_namespace(in_url, !in_url.contains('@'))?,
            (None, None) => DEFAULT_NAMESPACE,
        };
        let user = Some(decode(parsed.username(), "user")?).filter(|user| !user.is_empty());
        let password = parsed.password();
        let password = password.map(|password| decode(password, "password"));
        Ok(Self {
            tls,
            ca_file: None,
            host: host_of(&parsed),
            port: port_of(&parsed)?,
            database: database_of(&parsed, may_quote)?,
            user_of_url: user.is_some(),
            user,
            password: password.transpose()?,
            namespace: namespace.into(),
        })
    }

    /// The same with another user or password, where one is given: plainly, not percent-encoded.
    #[must_use]
    pub fn with_login(mut self, user: Option<String>, password: Option<String>) -> Self {
        self.user_of_url &= user.is_none();
        self.user = user.or(self.user);
        self.password = password.or(self.password);
        self
    }

    /// The same with a file of the only authorities that may vouch for the server, where one is
    /// given: certificates in PEM. It is read when connecting with TLS; without, it is an error.
    #[must_use]
    pub fn with_ca_file(mut self, path: Option<PathBuf>) -> Self {
        self.ca_file = path.or(self.ca_file);
        self
    }

    /// Whether connections go through TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.tls
    }

    pub(super) fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// The host's name or address, without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn database(&self) -> u32 {
        self.database
    }

    /// What stands before every key.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Host and port, for messages.
    pub(super) fn address(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// The URL without user and password.
    #[must_use]
    pub fn describe(&self) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let (address, database, namespace) = (self.address(), self.database, &self.namespace);
        format!("{scheme}://{address}/{database}?namespace={namespace}")
    }

    pub(super) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// The user that the server knows this one as.
    pub(super) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("default")
    }

    /// The user as errors quote it.
    pub(super) fn quoted_user(&self) -> String {
        quoted(self.user())
    }

    /// The same where the server does not know it: in a URL without a password it may be one itself,
    /// in the wrong place.
    pub(super) fn refused_user(&self) -> String {
        match self.user_of_url && self.password.is_none() {
            true => "(not shown: it may be a password, which takes a colon before it)".to_owned(),
            false => self.quoted_user(),
        }
    }

    /// What the server is told at the beginning of a connection.
    pub(super) fn login(&self) -> RedisConnectionInfo {
        let mut login = RedisConnectionInfo::default()
            // A RESP3 connection notices at once when the server closes it.
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("jobq", env!("CARGO_PKG_VERSION"))
            .set_db(self.database.into());
        if let Some(user) = &self.user {
            // One that needs no password is named to the server only beside an empty one.
            login = login.set_username(user).set_password("");
        }
        if let Some(password) = &self.password {
            login = login.set_password(password);
        }
        login
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisConfig")
            .field(&self.describe())
            .finish()
    }
}

/// A time limit that is none, or for ever, would end every call, or none.
pub(crate) fn check_timeout(timeout: Duration) -> Result<(), ConnectError> {
    let range = Duration::from_millis(10)..=Duration::from_secs(3600);
    match range.contains(&timeout) {
        true => Ok(()),
        false => Err(ConnectError::InvalidSetting {
            field: "timeout",
            value: plain(timeout),
            expected: "10 ms to 1 h",
        }),
    }
}

/// Ignored, it would let who set it believe that the connection is encrypted.
pub(crate) fn check_ca_file(path: Option<&Path>, tls: bool) -> Result<(), ConnectError> {
    match path {
        Some(path) if !tls => Err(ConnectError::InvalidSetting {
            field: "ca_file",
            value: quoted(&path.to_string_lossy()),
            expected: "none, for the URL does not begin with rediss://",
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
