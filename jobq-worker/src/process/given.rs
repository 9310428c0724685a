//! What may be set by a flag, an environment variable or a key of the configuration file: one name
//! for all three, and where each was set.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jobq::runtime::{DEFAULT_URL, InUrl};
use jobq::{Client, ClientBuilder};
use tracing_subscriber::filter::Targets;

use super::log::Format;
use super::values::{address, count, duration, filter, truth};
use crate::error::BuildError;
use crate::schedule::QueueWeight;
use crate::settings::Settings;

/// Settings that were made somewhere. Not `Debug`: URL and password.
#[derive(Default, clap::Args)]
pub(super) struct Given {
    /// The broker: redis://[user:password@]host[:port][/database][?namespace=name]
    /// [default: redis://127.0.0.1:6379]
    #[arg(long, env = "JOBQ_URL", help_heading = "Broker")]
    pub(super) url: Option<String>,

    /// What stands before every key [default: jobq]
    #[arg(
        long,
        env = "JOBQ_NAMESPACE",
        value_name = "NAME",
        help_heading = "Broker"
    )]
    pub(super) namespace: Option<String>,

    /// The user to log in as, where the URL names none or another
    #[arg(
        long,
        env = "JOBQ_USERNAME",
        value_name = "NAME",
        help_heading = "Broker"
    )]
    pub(super) username: Option<String>,

    /// Not a flag: other users see the flags of a process.
    #[arg(skip)]
    pub(super) password: Option<String>,

    /// Certificates (PEM) that alone vouch for the server of a rediss:// URL [default: the system's]
    #[arg(long, env = "JOBQ_CA_FILE", value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Broker")]
    pub(super) ca_file: Option<PathBuf>,

    /// Command connections to the broker [default: 1]
    #[arg(long, env = "JOBQ_CONNECTIONS", value_parser = count, value_name = "N", help_heading = "Broker")]
    pub(super) connections: Option<u32>,

    /// Queues, each NAME or NAME:WEIGHT, separated by commas [default: those the jobs name]
    #[arg(
        long,
        env = "JOBQ_QUEUES",
        value_delimiter = ',',
        value_name = "LIST",
        help_heading = "Work"
    )]
    pub(super) queues: Option<Vec<String>>,

    /// Claim from a queue only while those before it are empty [default: false]
    #[arg(long, env = "JOBQ_STRICT", value_parser = truth, value_name = "BOOL",
        num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Work")]
    pub(super) strict: Option<bool>,

    /// How many jobs may run at the same time [default: 64]
    #[arg(long, env = "JOBQ_CONCURRENCY", value_parser = count, value_name = "N", help_heading = "Work")]
    pub(super) concurrency: Option<u32>,

    /// How long running jobs may go on after a stop signal [default: 25s]
    #[arg(long, env = "JOBQ_SHUTDOWN_TIMEOUT", value_parser = duration, value_name = "TIME", help_heading = "Work")]
    pub(super) shutdown_timeout: Option<Duration>,

    /// How long a worker may be silent before others take its jobs over [default: 7s]
    #[arg(long, env = "JOBQ_LEASE", value_parser = duration, value_name = "TIME", help_heading = "Work")]
    pub(super) lease: Option<Duration>,

    /// How often the lease is renewed; less than half of it [default: 2s]
    #[arg(long, env = "JOBQ_RENEW_EVERY", value_parser = duration, value_name = "TIME", help_heading = "Work")]
    pub(super) renew_every: Option<Duration>,

    /// Serve /healthz, /readyz and /metrics over HTTP here: PORT, of this machine alone, or IP:PORT
    /// [default: nowhere]
    #[arg(long, env = "JOBQ_HTTP", value_parser = address, value_name = "ADDRESS", help_heading = "Monitoring")]
    pub(super) http: Option<SocketAddr>,

    /// What is logged: a level (error, warn, info, debug, trace), or target=level pairs
    /// [default: info]
    #[arg(long, env = "JOBQ_LOG", value_parser = filter, value_name = "FILTER", help_heading = "Logs")]
    pub(super) log: Option<Targets>,

    /// How: lines for people, or a JSON object a line [default: text]
    #[arg(
        long,
        env = "JOBQ_LOG_FORMAT",
        value_name = "FORMAT",
        help_heading = "Logs"
    )]
    pub(super) log_format: Option<Format>,

    #[arg(skip)]
    pub(super) origins: Origins,

    /// What may be a mistake and sets nothing, a sentence each.
    #[arg(skip)]
    pub(super) doubts: Vec<String>,
}

impl Given {
    /// Both, and where both say something, this one.
    pub(super) fn over(self, mut below: Self) -> Self {
        below.forget(self.in_url());
        below.origins.0.extend(self.origins.0);
        Self {
            url: self.url.or(below.url),
            namespace: self.namespace.or(below.namespace),
            username: self.username.or(below.username),
            password: self.password.or(below.password),
            ca_file: self.ca_file.or(below.ca_file),
            connections: self.connections.or(below.connections),
            queues: self.queues.or(below.queues),
            strict: self.strict.or(below.strict),
            concurrency: self.concurrency.or(below.concurrency),
            shutdown_timeout: self.shutdown_timeout.or(below.shutdown_timeout),
            lease: self.lease.or(below.lease),
            renew_every: self.renew_every.or(below.renew_every),
            http: self.http.or(below.http),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
            origins: below.origins,
            doubts: [self.doubts, below.doubts].concat(),
        }
    }

    /// What stands in the URL. It wins over what was set where the URL would have won over another
    /// URL: `--url` over the variables, `JOBQ_URL` over the file.
    pub(super) fn in_url(&self) -> InUrl {
        self.url.as_deref().map(InUrl::of).unwrap_or_default()
    }

    /// Unsets what stands in a URL that is closer.
    pub(super) fn forget(&mut self, said: InUrl) {
        for (is_said, setting, key) in [
            (said.namespace, &mut self.namespace, "namespace"),
            (said.username, &mut self.username, "username"),
            (said.password, &mut self.password, "password"),
        ] {
            if is_said {
                *setting = None;
                self.origins.0.remove(key);
            }
        }
    }

    /// The settings of the client.
    pub(super) fn client(&self) -> ClientBuilder {
        let mut client = Client::builder(self.url());
        if let Some(namespace) = &self.namespace {
            client = client.namespace(namespace);
        }
        if let Some(username) = &self.username {
            client = client.username(username);
        }
        if let Some(password) = &self.password {
            client = client.password(password);
        }
        if let Some(ca_file) = &self.ca_file {
            client = client.ca_file(ca_file);
        }
        client
    }

    /// Where the broker is.
    pub(super) fn url(&self) -> &str {
        self.url.as_deref().unwrap_or(DEFAULT_URL)
    }

    /// The settings of the worker, checked before anything is connected to.
    pub(super) fn settings(&self) -> Result<Settings, BuildError> {
        let unset = Settings::default();
        let queues = self.queues.iter().flatten().map(|queue| queue.trim());
        let settings = Settings {
            queues: queues.map(QueueWeight::parse).collect::<Result<_, _>>()?,
            strict: self.strict.unwrap_or(unset.strict),
            concurrency: self.concurrency.unwrap_or(unset.concurrency),
            connections: self.connections.unwrap_or(unset.connections),
            shutdown_timeout: self.shutdown_timeout.unwrap_or(unset.shutdown_timeout),
            lease: self.lease.unwrap_or(unset.lease),
            renew_every: self.renew_every.unwrap_or(unset.renew_every),
            http: self.http.or(unset.http),
        };
        settings.check()?;
        Ok(settings)
    }
}

/// Where each setting was made: `--queues`, `JOBQ_QUEUES`, `jobq.toml, line 3`.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins(BTreeMap<String, String>);

impl Origins {
    pub(super) fn note(&mut self, key: &str, origin: String) {
        self.0.insert(key.to_owned(), origin);
    }

    /// Whether it was set at all.
    pub(super) fn know(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// ` (from …)`, or nothing if none of them was set.
    pub(super) fn of(&self, keys: &[&str]) -> String {
        let origins = keys.iter().filter_map(|key| self.0.get(*key));
        let origins: Vec<_> = origins.map(String::as_str).collect();
        match origins.is_empty() {
            true => String::new(),
            false => format!(" (from {})", origins.join(" and ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};
    use jobq::runtime::text::plain;

    use super::*;

    #[test]
    fn help_tells_the_defaults_that_are_used() {
        let command = Given::augment_args(Command::new("test"));
        let default = Settings::default();
        for (id, value) in [
            ("url", DEFAULT_URL.to_owned()),
            ("strict", default.strict.to_string()),
            ("concurrency", default.concurrency.to_string()),
            ("connections", default.connections.to_string()),
            ("shutdown_timeout", plain(default.shutdown_timeout)),
            ("lease", plain(default.lease)),
            ("renew_every", plain(default.renew_every)),
        ] {
            let flag = command.get_arguments().find(|flag| flag.get_id() == id);
            let help = flag.and_then(clap::Arg::get_help).unwrap().to_string();
            assert!(help.ends_with(&format!("[default: {value}]")), "{help}");
        }
    }
}
