//! What a user lacked the right to, in words. Redis says which command it refused, but for one
//! inside of a script: of that it tells the line only, up to 7.0 without a code of its own.

use redis::{Arg, Cmd, ServerError};

use super::config::RedisConfig;
use super::fault::Fault;
use super::step::Script;
use crate::error::{BrokerError, BrokerErrorKind};
use crate::id::QueueName;

/// Missing rights that one message names.
const NAMED: usize = 4;

/// What Redis 7.0 says where a later one says NOPERM.
const WITHIN_SCRIPT: &str = "The user executing the script can't";

/// Stands before the number of a line, from 1.
const LINE: &str = "@user_script:";

/// Whether a user lacks a right.
pub(super) fn is_missing(error: &ServerError) -> bool {
    error.code() == "NOPERM" || details(error).starts_with(WITHIN_SCRIPT)
}

/// What was refused: a command, a step, or what a step does.
pub(super) fn refused(error: &ServerError, command: &Cmd, script: Option<&Script>) -> String {
    let Some(script) = script else {
        return name(command);
    };
    let step = script.name;
    match called_at(script.source, details(error)) {
        Some(commands) => format!("{commands} in the step {step}"),
        None => format!("the step {step}"),
    }
}

/// A user lacks rights that the steps of a worker need.
pub(super) fn cannot_work(config: &RedisConfig, missing: &[String]) -> BrokerError {
    let mut named = missing[..missing.len().min(NAMED)].join(", ");
    if missing.len() > NAMED {
        named += &format!(" and {} more", missing.len() - NAMED);
    }
    let user = config.quoted_user();
    let message = format!(
        "user {user} may not do what a worker does (NOPERM): {named}; docs/operations/security.md \
         has the rights of each role"
    );
    BrokerError::new(BrokerErrorKind::Forbidden, message)
}

/// A user may not even be asked about a queue: it lacks the right to keys of it, or to the step.
pub(super) fn cannot_ask(config: &RedisConfig, queue: &QueueName, fault: Fault) -> BrokerError {
    let (user, namespace) = (config.quoted_user(), config.namespace());
    fault.in_words(format!(
        "user {user} may not do what a worker does on queue \"{queue}\" (NOPERM), whose keys are \
         {namespace}:{{{queue}}}:*; docs/operations/security.md has the rights of each role"
    ))
}

fn details(error: &ServerError) -> &str {
    error.details().unwrap_or_default()
}

fn name(command: &Cmd) -> String {
    match command.args_iter().next() {
        Some(Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
        _ => "a command".to_owned(),
    }
}

/// The line of a script that an error names.
pub(super) fn line_of<'a>(source: &'a str, details: &str) -> Option<&'a str> {
    let (_, place) = details.rsplit_once(LINE)?;
    let digits = place.find(|c: char| !c.is_ascii_digit());
    let number: usize = place[..digits.unwrap_or(place.len())].parse().ok()?;
    source.lines().nth(number.checked_sub(1)?)
}

/// What the line calls that an error names.
fn called_at(source: &str, details: &str) -> Option<String> {
    let line = line_of(source, details)?;
    let calls = line.split("call('").skip(1);
    let names: Vec<&str> = calls.filter_map(|call| call.split('\'').next()).collect();
    (!names.is_empty()).then(|| names.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_script_says_what_it_calls() {
        let source = "#!lua\nlocal n = redis.call('LLEN', a)\nx(redis.pcall('GET', a), \
                      redis.call('SET', b))\nreturn n\n";
        for (said, called) in [
            ("can't run script: f00, on @user_script:2.", Some("LLEN")),
            (
                "User a has no … script: f00, on @user_script:3.",
                Some("GET or SET"),
            ),
            ("on @user_script:4.", None),
            ("on @user_script:0.", None),
            ("on @user_script:99999999999999999999.", None),
            ("on @user_script:", None),
            ("no line", None),
        ] {
            assert_eq!(called_at(source, said).as_deref(), called, "{said}");
        }
    }
}
