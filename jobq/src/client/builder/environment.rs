//! The settings of a client that the environment gives.

use std::ffi::OsString;

use super::ClientBuilder;

/// What is connected to where neither the environment nor anyone else says so.
pub const DEFAULT_URL: &str = "redis://127.0.0.1:6379";

pub(super) const URL: &str = "JOBQ_URL";
pub(super) const NAMESPACE: &str = "JOBQ_NAMESPACE";
pub(super) const USERNAME: &str = "JOBQ_USERNAME";
pub(super) const PASSWORD: &str = "JOBQ_PASSWORD";

/// What the environment says of what may stand in a URL too: one that is set later wins over it.
#[derive(Clone, Default)]
pub(super) struct Usual {
    pub(super) namespace: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

impl ClientBuilder {
    /// Settings from the environment of this process, which further calls override:
    ///
    /// | variable | sets |
    /// | --- | --- |
    /// | `JOBQ_URL` | the URL, as in [`connect`](crate::connect); `redis://127.0.0.1:6379` unless set |
    /// | `JOBQ_NAMESPACE` | [`namespace`](Self::namespace), unless a [`url`](Self::url) that is set later says another |
    /// | `JOBQ_USERNAME` | [`username`](Self::username), unless such a URL holds a user or a password |
    /// | `JOBQ_PASSWORD` | [`password`](Self::password), unless such a URL holds one |
    /// | `JOBQ_CA_FILE` | [`ca_file`](Self::ca_file) |
    ///
    /// An empty variable counts as not set. One that is not UTF-8 is an error when connecting,
    /// which names it; a path may be anything.
    ///
    /// ```no_run
    /// # async fn connect() -> Result<(), jobq::ConnectError> {
    /// let client = jobq::ClientBuilder::from_env().connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }

    fn from_variables(read: impl Fn(&str) -> Option<OsString>) -> Self {
        let given = |name| read(name).filter(|value| !value.is_empty());
        let mut unreadable = Vec::new();
        let mut text = |name| match given(name)?.into_string() {
            Ok(text) => Some(text),
            Err(_) => {
                unreadable.push(name);
                None
            }
        };
        let url = text(URL).unwrap_or_else(|| DEFAULT_URL.to_owned());
        Self {
            usual: Usual {
                namespace: text(NAMESPACE),
                username: text(USERNAME),
                password: text(PASSWORD),
            },
            ca_file: given("JOBQ_CA_FILE").map(Into::into),
            unreadable,
            ..Self::new(url)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> ClientBuilder {
        ClientBuilder::from_variables(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.into())
        })
    }

    #[test]
    fn variables_are_settings() {
        let builder = from(&[
            ("JOBQ_URL", "redis://h"),
            ("JOBQ_NAMESPACE", "shop"),
            ("JOBQ_USERNAME", "ann"),
            ("JOBQ_PASSWORD", "p@ss"),
            ("JOBQ_CA_FILE", "/etc/ca.pem"),
        ]);
        assert_eq!(builder.url, "redis://h");
        assert_eq!(builder.usual.namespace.as_deref(), Some("shop"));
        assert_eq!(builder.usual.username.as_deref(), Some("ann"));
        assert_eq!(builder.usual.password.as_deref(), Some("p@ss"));
        assert_eq!(builder.ca_file.as_deref(), Some("/etc/ca.pem".as_ref()));
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let names = ["URL", "NAMESPACE", "USERNAME", "PASSWORD", "CA_FILE"];
        let names = names.map(|name| format!("JOBQ_{name}"));
        let empty: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
        for builder in [from(&[]), from(&empty)] {
            assert_eq!(builder.url, DEFAULT_URL);
            let usual = &builder.usual;
            let texts = [&usual.namespace, &usual.username, &usual.password];
            assert!(texts.iter().all(|text| text.is_none()), "{builder:?}");
            assert!(builder.ca_file.is_none(), "{builder:?}");
        }
    }

    #[tokio::test]
    async fn a_url_that_is_set_later_wins_with_its_namespace_and_without_leaves_it() {
        // One that may not be, so that what is tried is told.
        let of = |url: &str| {
            let builder = from(&[
                ("JOBQ_URL", "memory://?namespace=a"),
                ("JOBQ_NAMESPACE", "b c"),
            ]);
            match url {
                "" => builder,
                url => builder.url(url),
            }
        };
        for (builder, is_good) in [
            (of(""), false),
            (of("memory://"), false),
            (of("memory://?namespace=d"), true),
            (of("memory://?namespace=d").namespace("e f"), false),
            (of("memory://?namespace=d%20e").namespace("f"), true),
            (of("memory://").namespace("f"), true),
        ] {
            let said = format!("{builder:?}");
            assert_eq!(builder.connect().await.is_ok(), is_good, "{said}");
        }
    }

    /// A password belongs to a user: that of one is not sent for another that the URL names with its own.
    #[test]
    fn a_login_in_a_url_that_is_set_later_wins() {
        let ann = [Some("ann"), Some("secret")];
        for (url, left) in [
            ("redis://h", ann),
            ("redis://h?namespace=a", ann),
            ("redis://bob@h", [None, Some("secret")]),
            ("redis://bob:other@h", [None, None]),
            ("redis://:other@h", [None, None]),
        ] {
            let builder = from(&[("JOBQ_USERNAME", "ann"), ("JOBQ_PASSWORD", "secret")]);
            let Usual {
                username, password, ..
            } = builder.url(url).usual;
            assert_eq!([username.as_deref(), password.as_deref()], left, "{url}");
        }
        let beside = from(&[
            ("JOBQ_URL", "redis://bob:other@h"),
            ("JOBQ_USERNAME", "ann"),
        ]);
        assert_eq!(beside.usual.username.as_deref(), Some("ann"));
        let set = from(&[]).username("ann").url("redis://bob:other@h");
        assert_eq!(set.username.as_deref(), Some("ann"));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_variable_that_is_not_utf_8_is_named_when_connecting() {
        use std::os::unix::ffi::OsStringExt as _;
        for name in [URL, NAMESPACE, USERNAME, PASSWORD] {
            let read =
                |asked: &str| (asked == name).then(|| OsString::from_vec(b"hunter2\xff".into()));
            let builder = ClientBuilder::from_variables(read);
            let error = builder.connect().await.unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(said.contains(name) && said.contains("UTF-8"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_variable_that_is_not_utf_8_does_not_matter_where_something_wins_over_it() {
        use std::os::unix::ffi::OsStringExt as _;
        type Set = fn(ClientBuilder) -> ClientBuilder;
        let over: [(&str, Set); 7] = [
            (URL, |builder| builder.url("memory://")),
            (NAMESPACE, |builder| builder.namespace("shop")),
            (NAMESPACE, |builder| builder.url("memory://?namespace=shop")),
            (USERNAME, |builder| builder.username("ann")),
            (USERNAME, |builder| {
                builder.url("redis://bob@h").url("memory://")
            }),
            (PASSWORD, |builder| {
                builder.url("redis://:other@h").url("memory://")
            }),
            (PASSWORD, |builder| builder.password("secret")),
        ];
        for (name, set) in over {
            let read = |asked: &str| match asked {
                _ if asked == name => Some(OsString::from_vec(b"\xff".into())),
                URL => Some("memory://".into()),
                _ => None,
            };
            let builder = set(ClientBuilder::from_variables(read));
            let connected = builder.connect().await;
            assert!(connected.is_ok(), "{name}: {:?}", connected.err());
        }
    }
}
