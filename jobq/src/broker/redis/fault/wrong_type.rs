//! A key that holds something else than jobq keeps there, in words. Redis names no key; the command
//! does, or the line of the script that was refused.

use redis::{Arg, Cmd, ServerError};

use crate::broker::redis::rights::line_of;
use crate::broker::redis::step::Script;

/// Which key it is, as far as that is known, and what would help.
pub(super) fn told(error: &ServerError, command: &Cmd, script: Option<&Script>) -> String {
    let args = command.args_iter().map(|arg| match arg {
        Arg::Simple(bytes) => String::from_utf8_lossy(bytes).escape_debug().to_string(),
        _ => String::new(),
    });
    let args: Vec<String> = args.collect();
    let details = error.details().unwrap_or_default();
    let (first, places) = match script {
        // Its name and the number of its keys stand before them.
        Some(script) => (3, used_at(script.source, details)),
        None => (1, vec![0]),
    };
    let keys = places.iter().filter_map(|place| args.get(first + place));
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    let of = match keys.is_empty() {
        true => "a key".to_owned(),
        false => keys.join(" or "),
    };
    let of = match args.get(first).and_then(|key| queue_of(key)) {
        Some(queue) => format!("{of} of queue \"{queue}\""),
        None if keys.is_empty() => format!("{of} of jobq"),
        None => of,
    };
    format!(
        "Redis holds something else in {of} (WRONGTYPE); another program uses this namespace: \
         `jobq doctor` says how to put the key aside"
    )
}

/// What stands between the braces of a key.
fn queue_of(key: &str) -> Option<&str> {
    let (_, rest) = key.split_once('{')?;
    rest.split_once('}').map(|(queue, _)| queue)
}

/// The places, from 0, of the keys that the line of a script uses: each key has one name in all of
/// it, that of its header.
fn used_at(source: &str, details: &str) -> Vec<usize> {
    let line = line_of(source, details).unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let keys = source.lines().skip_while(|line| *line != "-- KEYS").skip(1);
    let keys = keys.take_while(|line| line.starts_with("--  "));
    let names = keys.filter_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        columns.next()?.parse::<usize>().ok()?;
        columns.next()
    });
    let is_used = |name: &str| line.split(|c| !is_word(c)).any(|word| word == name);
    let used = names.enumerate().filter(|(_, name)| is_used(name));
    used.map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use redis::Value;

    use super::*;

    const SOURCE: &str = "#!lua\n-- Moves.\n--\n-- KEYS\n--   1 ready  LIST  envelopes\n--                  \
        in order\n--   2 meta   HASH  totals\n-- ARGV\n--   (none)\nlocal n = redis.call('LLEN', \
        ready)\nredis.call('HGET', meta, 'ready'); redis.call('LMOVE', ready, list)\nfor x in list do \
        end\n";

    static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new("x", SOURCE));

    fn said(details: &str, command: &Cmd, script: Option<&Script>) -> String {
        let wire = format!("-WRONGTYPE {details}\r\n");
        let Ok(Value::ServerError(error)) = redis::parse_redis_value(wire.as_bytes()) else {
            panic!("an error")
        };
        told(&error, command, script)
    }

    #[test]
    fn the_key_of_a_command_or_of_a_line_is_named() {
        let mut call = redis::cmd("EVALSHA");
        call.arg("sha")
            .arg(2)
            .arg(&["ns:{mail}:ready", "ns:{mail}:meta"]);
        for (line, named) in [
            (10, "in ns:{mail}:ready of queue \"mail\""),
            (11, "in ns:{mail}:ready or ns:{mail}:meta of queue \"mail\""),
            (12, "in a key of queue \"mail\""),
            (99, "in a key of queue \"mail\""),
        ] {
            let details = format!("Operation script: f00, on @user_script:{line}.");
            let said = said(&details, &call, Some(&SCRIPT));
            assert!(said.contains(named), "{line}: {said}");
        }
        let mut push = redis::cmd("LPUSH");
        push.arg("ns:{mail}:ready").arg("an {odd} envelope");
        let told = said("Operation", &push, None);
        assert!(told.contains("in ns:{mail}:ready of queue"), "{told}");
        let mut scan = redis::cmd("HSCAN");
        scan.arg("ns:workers").arg(0);
        for (command, named) in [
            (redis::cmd("LPUSH"), "in a key of jobq (WRONGTYPE)"),
            (scan, "in ns:workers (WRONGTYPE)"),
        ] {
            let told = said("Operation", &command, None);
            assert!(told.contains(named), "{told}");
        }
    }
}
