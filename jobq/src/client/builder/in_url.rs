//! What a URL says beside the server.

use url::Url;

/// The settings that stand in a URL: it takes their place where they were made further away than it. One
/// with a password says the user too, if only by leaving it out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InUrl {
    /// What stands before every key.
    pub namespace: bool,
    /// The user to log in as.
    pub username: bool,
    /// The password to log in with.
    pub password: bool,
}

impl InUrl {
    /// Of a URL; of what is none, nothing.
    #[must_use]
    pub fn of(url: &str) -> Self {
        let parsed = Url::parse(url).ok();
        let password = parsed.as_ref().is_some_and(|url| url.password().is_some());
        let user = parsed.is_some_and(|url| !url.username().is_empty());
        Self {
            namespace: url.contains("?namespace="),
            username: user || password,
            password,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_says_the_user_too() {
        for (url, namespace, username, password) in [
            ("redis://h", false, false, false),
            ("redis://h:1/2?namespace=a", true, false, false),
            ("redis://ann@h", false, true, false),
            ("redis://:secret@h", false, true, true),
            ("rediss://ann:se%40cret@h/1?namespace=a", true, true, true),
            ("memory://?namespace=a", true, false, false),
            ("ann:secret@h", false, false, false),
            ("", false, false, false),
        ] {
            let expected = InUrl {
                namespace,
                username,
                password,
            };
            assert_eq!(InUrl::of(url), expected, "{url}");
        }
    }
}
