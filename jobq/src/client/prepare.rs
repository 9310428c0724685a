//! From a job value to what is sent.

use std::time::Duration;

use super::Client;
use crate::broker::{Due, Entry};
use crate::envelope::{Envelope, MAX_NAME_LEN, Options, encode_args};
use crate::error::{EnqueueError, plain, quoted};
use crate::id::{JobId, QueueName};
use crate::job::{Job, JobBuilder, When};
use crate::retry::{Backoff, Jitter, LONGEST};
use crate::timestamp::At;

/// Makes jobs of one call ready to be sent: the clock is read once for all of them, and memory used
/// again.
pub(super) struct Preparer<'a> {
    client: &'a Client,
    now: At,
    args: Vec<u8>,
    envelope: Vec<u8>,
}

impl<'a> Preparer<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self {
            client,
            now: client.now(),
            args: Vec::new(),
            envelope: Vec::new(),
        }
    }

    /// Everything that can be wrong with a job is found here, before anything is sent. A job that was
    /// given no id gets the next.
    pub(super) fn prepare<J: Job>(
        &mut self,
        builder: JobBuilder<J>,
        next_id: impl FnOnce() -> JobId,
    ) -> Result<(QueueName, JobId, Entry), EnqueueError> {
        let JobBuilder {
            job,
            id,
            when,
            queue,
            mut options,
        } = builder;
        let queue = match queue.as_deref().unwrap_or(J::DEFAULTS.queue) {
            "default" => self.client.default_queue().clone(),
            name => QueueName::new(name)?,
        };
        check::<J>(&options)?;
        let due = due(when);
        options.due = match due {
            Due::Now => None,
            Due::After(delay) => Some(self.now.after(delay)),
            Due::At(at) => Some(at),
        };
        options.drop_defaults(&J::DEFAULTS);
        let (args, scratch) = (&mut self.args, &mut self.envelope);
        encode_args(&job, args).map_err(|source| EnqueueError::Unserialisable {
            job: J::NAME,
            source,
        })?;
        let id = id.unwrap_or_else(next_id);
        let envelope = Envelope::encode_in(scratch, id, J::NAME, args, self.now, &options);
        let (size, limit) = (envelope.len(), self.client.0.max_payload);
        if size > limit {
            let job = J::NAME;
            return Err(EnqueueError::PayloadTooLarge { job, size, limit });
        }
        Ok((queue, id, Entry { envelope, due }))
    }
}

/// A time so far away that a store could not tell it from the next ms is brought nearer.
fn due(when: When) -> Due {
    match when {
        When::Now => Due::Now,
        When::After(delay) => Due::After(delay.min(LONGEST)),
        When::At(at) => Due::At(at.min(At::LATEST_DUE)),
    }
}

/// What the macros cannot see: names of jobs written by hand, which a worker must be able to read, and
/// the values of a call.
fn check<J: Job>(options: &Options) -> Result<(), EnqueueError> {
    let Some((field, value, expected)) = wrong_name(J::NAME)
        .or_else(|| wrong_timeout(options))
        .or_else(|| wrong_backoff(options.backoff?))
    else {
        return Ok(());
    };
    let job = J::NAME;
    Err(EnqueueError::InvalidOption {
        job,
        field,
        value,
        expected,
    })
}

/// What is wrong: the field, its value, and what would be right.
type Wrong = (&'static str, String, &'static str);

fn wrong_name(name: &'static str) -> Option<Wrong> {
    let legal = (1..=MAX_NAME_LEN).contains(&name.len());
    (!legal).then(|| ("name", quoted(name), "1 to 512 bytes"))
}

fn wrong_timeout(options: &Options) -> Option<Wrong> {
    let expected = "more than zero, or `None` for no limit";
    (options.timeout == Some(Some(Duration::ZERO)))
        .then(|| ("timeout", plain(Duration::ZERO), expected))
}

fn wrong_backoff(backoff: Backoff) -> Option<Wrong> {
    let Backoff {
        base, max, factor, ..
    } = backoff;
    if base > max {
        return Some(("base_delay", plain(base), "at most max_delay"));
    }
    if !factor.is_finite() || factor <= 0.0 {
        return Some(("factor", factor.to_string(), "a number above 0"));
    }
    match backoff.jitter {
        Jitter::Fraction(j) if !(0.0..=1.0).contains(&j) => {
            Some(("jitter", j.to_string(), "a fraction from 0 to 1"))
        }
        _ => None,
    }
}
