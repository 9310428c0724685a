//! What a user lacked the right to, in words. Redis says which command it refused, but for one
//! inside of a script: of that it tells the line only, up to 7.0 without a code of its own.

mod needed;
mod rules;

use redis::{Arg, Cmd, ServerError, Value};

use self::needed::needed;
use super::config::RedisConfig;
use super::connection::Link;
use super::fault::Fault;
use super::keys::QueueKeys;
use super::reply;
use super::scripts;
use super::step::Script;
use crate::broker::Role;
use crate::error::{BrokerError, BrokerErrorKind};
use crate::id::QueueName;

/// Commands that have parts, each of which is a right of its own.
const HAVE_PARTS: [&str; 3] = ["CLIENT", "MEMORY", "OBJECT"];

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

/// A user lacks the right to every key of a queue.
pub(super) fn cannot_touch(config: &RedisConfig, queue: &QueueName) -> BrokerError {
    let (user, namespace) = (config.quoted_user(), config.namespace());
    let message = format!(
        "user {user} may not do what a worker does on queue \"{queue}\" (NOPERM), whose keys are \
         {namespace}:{{{queue}}}:*; docs/operations/security.md has the rights of each role"
    );
    BrokerError::new(BrokerErrorKind::Forbidden, message)
}

/// Whether among what is missing is all that a worker does with the keys of a queue.
pub(super) fn is_all_of(config: &RedisConfig, queue: &QueueName, missing: &[String]) -> bool {
    let namespace = config.namespace();
    let tag = format!("{namespace}:{{{queue}}}:");
    let needed = needed(Role::Worker, namespace, &QueueKeys::new(namespace, queue));
    let shorts = needed.iter().map(|words| in_short(words));
    let mut of_queue = shorts.filter(|short| short.contains(&tag));
    of_queue.all(|short| missing.contains(&short))
}

/// A user may not even ask what it may do.
fn cannot_ask(config: &RedisConfig, fault: Fault) -> BrokerError {
    let user = config.quoted_user();
    fault.in_words(format!(
        "user {user} may not ask what it may do (NOPERM): EVALSHA_RO or EVAL_RO; \
         docs/operations/security.md has the rights of each role"
    ))
}

/// The commands of a role on a queue that the user may not run, each with its key.
pub(super) async fn missing(
    link: &Link,
    role: Role,
    queue: &QueueName,
) -> Result<Vec<String>, BrokerError> {
    let config = link.config();
    let namespace = config.namespace();
    let needed = needed(role, namespace, &QueueKeys::new(namespace, queue));
    match refused_of(link, &needed).await {
        Err(fault) if fault.is_forbidden() => Err(cannot_ask(config, fault)),
        answer => {
            let places = reply::missing_rights(answer?)?.into_iter();
            let named = places.filter_map(|place| needed.get(place));
            Ok(named.map(|words| in_short(words)).collect())
        }
    }
}

/// The rules that would give the user what it lacks of the rights of a role.
pub(super) async fn missing_rules(
    link: &Link,
    role: Role,
    queue: &QueueName,
) -> Result<Vec<String>, BrokerError> {
    let config = link.config();
    let namespace = config.namespace();
    let mut asked = needed(role, namespace, &QueueKeys::new(namespace, queue));
    let needed = asked.len();
    asked.push(rules::with_any_key(namespace));
    let answer = refused_of(link, &asked).await;
    let answer = answer.map_err(|fault| match fault.is_forbidden() {
        true => cannot_ask(config, fault),
        false => fault.into(),
    })?;
    let mut missing = reply::missing_rights(answer)?;
    let has_all_keys = !missing.contains(&needed);
    missing.retain(|place| *place < needed);
    asked.truncate(needed);
    Ok(rules::granting(
        role,
        namespace,
        &asked,
        &missing,
        has_all_keys,
    ))
}

/// Whether the user may run the command; one who may not ask may not.
pub(super) async fn may(link: &Link, words: Vec<String>) -> Result<bool, BrokerError> {
    match refused_of(link, &[words]).await {
        Err(fault) if fault.is_forbidden() => Ok(false),
        answer => Ok(reply::missing_rights(answer?)?.is_empty()),
    }
}

/// Asks which of these commands the user may not run.
async fn refused_of(link: &Link, commands: &[Vec<String>]) -> Result<Value, Fault> {
    link.call_one(scripts::check_rights(commands)).await
}

/// A command and its key.
fn in_short(words: &[String]) -> String {
    match words {
        [command, sub, rest @ ..] if HAVE_PARTS.contains(&command.as_str()) => {
            let key = rest.first().map(String::as_str).unwrap_or_default();
            format!("{command} {sub} {key}").trim_end().to_owned()
        }
        // A script by its name, how many keys it has, and the one that is asked for.
        [command, name, _, key] if name.is_empty() => format!("{command} {key}"),
        [command, key, ..] => format!("{command} {key}").trim_end().to_owned(),
        words => words.concat(),
    }
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
