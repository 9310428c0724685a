//! What every command is given: the client, the output, consent, and whether it is to end.

use std::time::Duration;

use jobq::runtime::InUrl;
use jobq::{Client, ClientBuilder, Queue};

use crate::consent::Consent;
use crate::failure::Failure;
use crate::flags::Global;
use crate::interrupt::Interrupt;
use crate::output::Output;

/// How long connecting, and any one call, may take: a probe is to have its answer within 5 s.
const TIMEOUT: Duration = Duration::from_secs(4);

/// One run of a command.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) out: Output,
    pub(crate) consent: Consent,
    pub(crate) interrupt: Interrupt,
}

impl Session {
    /// Connects as the command line and the environment say.
    pub(crate) async fn open(global: &Global) -> Result<Self, Failure> {
        let interrupt = Interrupt::listen().map_err(|error| Failure::runtime(&error))?;
        let (builder, origins) = settings(global)?;
        let Some(client) = interrupt.before(builder.connect()).await else {
            return Err(Failure::job("interrupted before it was connected"));
        };
        let client = client.map_err(|error| Failure::connect(&error, origins))?;
        if client.broker().is_in_process() {
            let reason = "memory:// is a broker inside one process, where no other can look";
            return Err(Failure::configuration(format!("{reason}{}", origins.url())));
        }
        Ok(Self {
            consent: Consent::new(global, &client.broker().describe()),
            client,
            out: Output::new(global.json),
            interrupt,
        })
    }

    /// A queue that exists: to change one that is misspelt would do nothing, and say nothing.
    pub(crate) async fn known_queue(&self, name: &str) -> Result<Queue, Failure> {
        let queue = self.client.queue(name)?;
        let known = self.client.queues().await?;
        match known.contains(queue.name()) {
            true => Ok(queue),
            false => Err(Failure::job(format!(
                "no queue \"{name}\"; `jobq queues list` lists all"
            ))),
        }
    }

    /// The queues of these names, which exist; all there are where none is named.
    pub(crate) async fn queues(&self, names: &[String]) -> Result<Vec<Queue>, Failure> {
        let mut queues = Vec::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            // One that is named twice is meant once.
            if !names[..place].contains(name) {
                queues.push(self.known_queue(name).await?);
            }
        }
        if names.is_empty() {
            for name in self.client.queues().await? {
                queues.push(self.client.queue(name)?);
            }
        }
        Ok(queues)
    }
}

fn settings(global: &Global) -> Result<(ClientBuilder, Origins), Failure> {
    let mut builder = ClientBuilder::from_env().timeout(TIMEOUT);
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut origins = Origins {
        url: is_set("JOBQ_URL").then_some(" (from JOBQ_URL)"),
        namespace: is_set("JOBQ_NAMESPACE").then_some(" (from JOBQ_NAMESPACE)"),
    };
    if let Some(url) = &global.url {
        builder = builder.url(url);
        origins.url = Some(" (from --url)");
        // One that stands there wins over the variable.
        origins.namespace = origins.namespace.filter(|_| !InUrl::of(url).namespace);
    }
    if let Some(namespace) = &global.namespace {
        builder = builder.namespace(namespace);
        origins.namespace = Some(" (from --namespace)");
    }
    Ok((builder, origins))
}

/// Where settings were made, for messages; empty where nobody did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Origins {
    url: Option<&'static str>,
    namespace: Option<&'static str>,
}

impl Origins {
    pub(crate) fn url(self) -> &'static str {
        self.url.unwrap_or_default()
    }

    /// One that is not set beside the URL stands in it.
    pub(crate) fn namespace(self) -> &'static str {
        self.namespace.or(self.url).unwrap_or_default()
    }

    pub(crate) fn url_or_hint(self) -> &'static str {
        const HINT: &str = " (--url or JOBQ_URL says where Redis is)";
        self.url.unwrap_or(HINT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_silent_is_given_up_within_5_s() {
        let global = Global {
            url: Some("redis://127.0.0.1:1".to_owned()),
            namespace: None,
            json: false,
            read_only: false,
            yes: false,
        };
        let Ok((builder, _)) = settings(&global) else {
            panic!("the settings are sound");
        };
        assert!(TIMEOUT < Duration::from_secs(5));
        let shown = format!("{builder:?}");
        assert!(shown.contains(&format!("timeout: {TIMEOUT:?}")), "{shown}");
    }
}
