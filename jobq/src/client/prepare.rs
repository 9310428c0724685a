//! From a job to what is sent.

use std::mem;
use std::time::Duration;

use super::Client;
use crate::broker::{Due, Entry};
use crate::envelope::{Envelope, MAX_NAME_LEN, Options, encode_args};
use crate::error::{EnqueueError, plain, quoted};
use crate::id::{JobId, QueueName};
use crate::job::{Job, JobBuilder, NamedJob, When};
use crate::retry::{Backoff, Jitter, LONGEST};
use crate::timestamp::At;

/// Makes jobs of one call ready to be sent: the clock is read once for all of them, and memory used
/// again. Everything that can be wrong with a job is found here, before anything is sent.
pub(super) struct Preparer<'a, F> {
    client: &'a Client,
    now: At,
    /// The id of a job that was given none.
    next_id: F,
    args: Vec<u8>,
    envelope: Vec<u8>,
}

impl<'a, F: FnMut() -> JobId> Preparer<'a, F> {
    pub(super) fn new(client: &'a Client, next_id: F) -> Self {
        Self {
            client,
            now: client.now(),
            next_id,
            args: Vec::new(),
            envelope: Vec::new(),
        }
    }

    pub(super) fn prepare<J: Job>(
        &mut self,
        builder: JobBuilder<J>,
    ) -> Result<(QueueName, JobId, Entry), EnqueueError> {
        let JobBuilder {
            job,
            id,
            when,
            queue,
            mut options,
        } = builder;
        let queue = self.queue_name(queue.as_deref().unwrap_or(J::DEFAULTS.queue))?;
        check(J::NAME, &options)?;
        options.drop_defaults(&J::DEFAULTS);
        let mut args = mem::take(&mut self.args);
        encode_args(&job, &mut args).map_err(|source| EnqueueError::Unserialisable {
            job: J::NAME.to_owned(),
            source,
        })?;
        let sealed = self.seal(queue, J::NAME, id, when, options, &args);
        self.args = args;
        sealed
    }

    /// The same for a job whose type is not known.
    pub(super) fn prepare_named(
        &mut self,
        job: &NamedJob,
    ) -> Result<(QueueName, JobId, Entry), EnqueueError> {
        let queue = self.queue_name(&job.queue)?;
        check(&job.name, &job.options)?;
        let options = job.options.clone();
        self.seal(queue, &job.name, job.id, job.when, options, &job.args)
    }

    fn queue_name(&self, name: &str) -> Result<QueueName, EnqueueError> {
        match name {
            "default" => Ok(self.client.default_queue().clone()),
            name => Ok(QueueName::new(name)?),
        }
    }

    fn seal(
        &mut self,
        queue: QueueName,
        name: &str,
        id: Option<JobId>,
        when: When,
        mut options: Options,
        args: &[u8],
    ) -> Result<(QueueName, JobId, Entry), EnqueueError> {
        let due = due(when);
        options.due = match due {
            Due::Now => None,
            Due::After(delay) => Some(self.now.after(delay)),
            Due::At(at) => Some(at),
        };
        let id = id.unwrap_or_else(&mut self.next_id);
        let scratch = &mut self.envelope;
        let envelope = Envelope::encode_in(scratch, id, name, args, self.now, &options);
        let (size, limit) = (envelope.len(), self.client.0.max_payload);
        if size > limit {
            let job = name.to_owned();
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
fn check(job: &str, options: &Options) -> Result<(), EnqueueError> {
    let Some((field, value, expected)) = wrong_name(job)
        .or_else(|| wrong_timeout(options))
        .or_else(|| wrong_backoff(options.backoff?))
    else {
        return Ok(());
    };
    Err(EnqueueError::InvalidOption {
        job: crate::error::escaped(job, 100),
        field,
        value,
        expected,
    })
}

/// What is wrong: the field, its value, and what would be right.
type Wrong = (&'static str, String, &'static str);

fn wrong_name(name: &str) -> Option<Wrong> {
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
