//! The parts of a URL, and what is wrong with one. What may hold a password is not quoted.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::{ParseError, Url};

use crate::error::{ConnectError, quoted};
use crate::id::is_name;

/// How a URL is written.
const FORM: &str = "expected redis://[user:password@]host[:port][/database][?namespace=name], \
                    rediss:// for TLS, or memory://";

const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 6379;

fn invalid(reason: impl Into<String>) -> ConnectError {
    ConnectError::InvalidUrl {
        reason: reason.into(),
    }
}

/// What is wrong with a URL that is none. It is not quoted: it may hold a password.
pub(super) fn unreadable(url: &str, error: ParseError) -> ConnectError {
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
pub(super) fn is_tls(url: &Url, built_in: bool) -> Result<bool, ConnectError> {
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

pub(super) fn check_fragment(fragment: Option<&str>) -> Result<(), ConnectError> {
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

pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.unwrap_or(DEFAULT_HOST);
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned()
}

pub(super) fn port_of(url: &Url) -> Result<u16, ConnectError> {
    match url.port() {
        Some(0) => Err(invalid("port is 0; expected 1 to 65535")),
        Some(port) => Ok(port),
        None => Ok(DEFAULT_PORT),
    }
}

pub(super) fn database_of(url: &Url, may_quote: bool) -> Result<u32, ConnectError> {
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

pub(super) fn namespace_of(url: &Url, may_quote: bool) -> Result<Option<String>, ConnectError> {
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

pub(super) fn check_namespace(namespace: &str, may_quote: bool) -> Result<&str, ConnectError> {
    if is_name(namespace, 64) {
        return Ok(namespace);
    }
    let value = match may_quote {
        true => quoted(namespace),
        false => "(not shown: it has an @, and so perhaps a password)".to_owned(),
    };
    Err(ConnectError::InvalidNamespace { value })
}

/// Percent-decodes a part of the URL, which is not quoted if it is wrong.
pub(super) fn decode(text: &str, part: &str) -> Result<String, ConnectError> {
    let wrong = || {
        let reason = format!("the {part} is not percent-encoded UTF-8; write % as %25");
        invalid(reason)
    };
    let is_encoded = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    // The library leaves a lone % as it is, which may be a password that was not encoded.
    if !text.split('%').skip(1).all(is_encoded) {
        return Err(wrong());
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| wrong())
}
