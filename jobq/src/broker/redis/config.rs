//! Where a Redis is and how to log in, read from a URL. No error and no output holds the password.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use redis::{ProtocolVersion, RedisConnectionInfo};
use url::{ParseError, Url};

use crate::error::{ConnectError, quoted};

/// How a URL is written.
const FORM: &str = "expected redis://[user:password@]host[:port][/database][?namespace=name], \
                    rediss:// for TLS, or memory://";

const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 6379;
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
        let namespace = namespace.or(in_url.as_deref()).unwrap_or(DEFAULT_NAMESPACE);
        let user = Some(decode(parsed.username(), "user")?).filter(|user| !user.is_empty());
        let password = parsed.password();
        let password = password.map(|password| decode(password, "password"));
        Ok(Self {
            tls,
            ca_file: None,
            host: host_of(&parsed),
            port: port_of(&parsed)?,
            database: database_of(&parsed, may_quote)?,
            user,
            password: password.transpose()?,
            namespace: check_namespace(namespace)?.into(),
        })
    }

    /// The same with another user or password, where one is given: plainly, not percent-encoded.
    #[must_use]
    pub fn with_login(mut self, user: Option<String>, password: Option<String>) -> Self {
        self.user = user.or(self.user);
        self.password = password.or(self.password);
        self
    }

    /// The same with a file of the only authorities that may vouch for the server, where one is
    /// given: certificates in PEM. It is read when connecting with TLS, and else not at all.
    #[must_use]
    pub fn with_ca_file(mut self, path: Option<PathBuf>) -> Self {
        self.ca_file = path.or(self.ca_file);
        self
    }

    /// Whether connections go through TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    #[cfg(feature = "tls")]
    pub(super) fn ca_file(&self) -> Option<&std::path::Path> {
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
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Host and port, for messages.
    #[must_use]
    pub fn address(&self) -> String {
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

    /// The user as errors quote it.
    pub(super) fn quoted_user(&self) -> String {
        quoted(self.user.as_deref().unwrap_or("default"))
    }

    /// The same where the server does not know it: without a password it may be one itself, in the
    /// wrong place.
    pub(super) fn refused_user(&self) -> String {
        match (&self.user, &self.password) {
            (Some(_), None) => "(not shown, for it has no password)".to_owned(),
            _ => self.quoted_user(),
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

fn invalid(reason: impl Into<String>) -> ConnectError {
    ConnectError::InvalidUrl {
        reason: reason.into(),
    }
}

/// What is wrong with a URL that is none. It is not quoted: it may hold a password.
fn unreadable(url: &str, error: ParseError) -> ConnectError {
    let hint = match url.contains('@') {
        true => " (in user and password, write @ as %40, / as %2F, # as %23)",
        false => "",
    };
    invalid(match error {
        _ if url.is_empty() => format!("it is empty; {FORM}"),
        ParseError::InvalidPort => format!("the port is no number from 1 to 65535{hint}"),
        _ if url.contains("://") => format!("{error}{hint}; {FORM}"),
        _ => format!("it has no scheme such as redis://; {FORM}"),
    })
}

/// Whether the URL asks for TLS, which may or may not be built in.
fn is_tls(url: &Url, built_in: bool) -> Result<bool, ConnectError> {
    let scheme = url.scheme();
    match scheme {
        "redis" | "rediss" if url.cannot_be_a_base() || !url.has_authority() => {
            Err(invalid(format!("{scheme}: is not followed by //")))
        }
        "redis" => Ok(false),
        "rediss" if built_in => Ok(true),
        "rediss" => Err(invalid(
            "rediss:// asks for TLS, which is not built in; switch on the feature `tls` of the \
             crate jobq, in a worker process that of jobq-worker",
        )),
        "unix" | "redis+unix" | "redis-socket" => Err(invalid(
            "Unix sockets are not supported; give the server's host and port",
        )),
        // `localhost:6379`
        _ if url.cannot_be_a_base() => Err(invalid(format!("it has no ://; {FORM}"))),
        other => {
            let scheme = quoted(other);
            Err(invalid(format!("unknown scheme {scheme}; {FORM}")))
        }
    }
}

fn check_fragment(fragment: Option<&str>) -> Result<(), ConnectError> {
    match fragment {
        None => Ok(()),
        Some("insecure") => Err(invalid(
            "#insecure would trust any server; give the certificate of its authority as ca_file \
             (JOBQ_CA_FILE) instead",
        )),
        Some(_) => Err(invalid(
            "it has a #fragment, which means nothing here (in a password, write # as %23)",
        )),
    }
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.unwrap_or(DEFAULT_HOST);
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned()
}

fn port_of(url: &Url) -> Result<u16, ConnectError> {
    match url.port() {
        Some(0) => Err(invalid("port is 0; expected 1 to 65535")),
        Some(port) => Ok(port),
        None => Ok(DEFAULT_PORT),
    }
}

fn database_of(url: &Url, may_quote: bool) -> Result<u32, ConnectError> {
    let path = url.path().trim_start_matches('/');
    if path.is_empty() {
        return Ok(0);
    }
    path.parse().map_err(|_| match may_quote {
        true => invalid(format!(
            "database is {}; expected a number, as in redis://host/1",
            quoted(path)
        )),
        false => invalid("the database is no number (in a password, write / as %2F)"),
    })
}

fn namespace_of(url: &Url, may_quote: bool) -> Result<Option<String>, ConnectError> {
    let mut found = None;
    for (key, value) in url.query_pairs() {
        if key != "namespace" {
            return Err(invalid(match may_quote {
                true => format!("unknown parameter {}; known: namespace", quoted(&key)),
                false => "unknown parameter behind the ?; known: namespace".to_owned(),
            }));
        }
        if found.replace(value.into_owned()).is_some() {
            return Err(invalid("namespace is given twice"));
        }
    }
    Ok(found)
}

fn check_namespace(namespace: &str) -> Result<&str, ConnectError> {
    let legal = |c: u8| c.is_ascii_alphanumeric() || b"_.:-".contains(&c);
    if (1..=64).contains(&namespace.len()) && namespace.bytes().all(legal) {
        return Ok(namespace);
    }
    Err(ConnectError::InvalidNamespace {
        value: quoted(namespace),
    })
}

/// Percent-decodes a part of the URL, which is not quoted if it is wrong.
fn decode(text: &str, part: &str) -> Result<String, ConnectError> {
    let wrong = || {
        let reason = format!("the {part} is not percent-encoded UTF-8; write % as %25");
        invalid(reason)
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = rest.get(..2).ok_or_else(wrong)?;
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
        if !digits.bytes().all(|d| d.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests;
