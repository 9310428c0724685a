//! The users of `docs/operations/users.acl`, one for each role: they are on every server that
//! tests start, with the documented rights and no others.

const DOCUMENTED: &str = include_str!("../../docs/operations/users.acl");

/// What stands before the keys there.
const NAMESPACE: &str = "jobq:";

/// The password of every role on a server of a test.
const PASSWORD: &str = "password-of-a-role";

/// What a program does with a Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Enqueues.
    Producer,
    /// Runs jobs, and enqueues.
    Worker,
    /// Looks in and intervenes.
    Operator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Producer, Self::Worker, Self::Operator];

    /// The name of its user.
    #[must_use]
    pub fn user(self) -> &'static str {
        match self {
            Self::Producer => "jobq-producer",
            Self::Worker => "jobq-worker",
            Self::Operator => "jobq-operator",
        }
    }

    /// The URL of a server with this role's user and password. A broker in this process knows no
    /// rights.
    #[must_use]
    pub fn log_in(self, url: &str) -> String {
        url.replacen("redis://", &self.login(), 1)
    }

    /// The URL without them: nobody in particular, who has every right on a server of a test.
    #[must_use]
    pub fn log_out(self, url: &str) -> String {
        url.replacen(&self.login(), "redis://", 1)
    }

    fn login(self) -> String {
        format!("redis://{}:{PASSWORD}@", self.user())
    }

    /// What the documentation gives it, as words of `ACL SETUSER`, for keys and channels of a
    /// namespace; the password is that of tests.
    ///
    /// # Panics
    ///
    /// When the documentation has no such user.
    #[must_use]
    pub fn rules(self, namespace: &str) -> Vec<String> {
        let line = DOCUMENTED.lines().find_map(|line| {
            let rules = line.strip_prefix("user ")?.strip_prefix(self.user())?;
            rules.strip_prefix(' ')
        });
        let rules = line.expect("the role is documented").split(' ');
        let rules = rules.map(|rule| match rule.strip_prefix('#') {
            Some(_) => format!(">{PASSWORD}"),
            None => in_namespace(rule, namespace),
        });
        rules.collect()
    }
}

fn in_namespace(rule: &str, namespace: &str) -> String {
    match rule.split_once(NAMESPACE) {
        Some((kind, rest)) if kind.ends_with(['~', '&']) => format!("{kind}{namespace}:{rest}"),
        _ => rule.to_owned(),
    }
}
