//! Every Lua file is read, and its header held against its body.

use std::collections::BTreeMap;

use super::loaded::SOURCES;
use super::*;
use crate::broker::redis::step::READS_ONLY;

/// The names that a section of the header gives, in order: `--   1 ready  …`.
fn documented(source: &str, section: &str) -> Vec<String> {
    let lines = source
        .lines()
        .skip_while(|line| *line != format!("-- {section}"));
    let items = lines.skip(1).take_while(|line| line.starts_with("--   "));
    let names = items.filter_map(|line| {
        let mut words = line.trim_start_matches("--").split_whitespace();
        let number: usize = words.next()?.parse().ok()?;
        Some((number, words.next()?.to_owned()))
    });
    names
        .enumerate()
        .map(|(i, (number, name))| {
            assert_eq!(number, i + 1, "{section} are numbered in order");
            name
        })
        .collect()
}

/// The `local a, b = KEYS[1], …` statements at the top, which run to the first blank line.
fn bindings(source: &str) -> (String, String) {
    let code = source
        .lines()
        .skip_while(|line| line.starts_with(['#', '-']));
    let code = code.collect::<Vec<_>>().join("\n");
    let (top, body) = code.trim_start().split_once("\n\n").unwrap();
    (top.to_owned(), body.to_owned())
}

/// Which name the top gives to which KEYS[n] or ARGV[n].
fn bound(top: &str) -> BTreeMap<String, String> {
    let mut bound = BTreeMap::new();
    for line in top.lines() {
        let statement = line
            .strip_prefix("local ")
            .expect("only names stand at the top");
        let (names, values) = statement.split_once(" = ").unwrap();
        let (names, values) = (names.split(", "), values.split(", "));
        for (name, value) in names.zip(values) {
            let index = value
                .trim_start_matches("tonumber(")
                .trim_end_matches(" == '1'")
                .trim_end_matches(')');
            let earlier = bound.insert(index.to_owned(), name.to_owned());
            assert_eq!(earlier, None, "{index} is named twice");
        }
    }
    bound
}

#[test]
fn every_lua_file_is_loaded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/broker/redis/lua");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let loaded: Vec<_> = SOURCES
        .iter()
        .map(|(name, _)| format!("{name}.lua"))
        .collect();
    assert_eq!(files, loaded);
}

#[test]
fn only_enqueue_stops_when_memory_is_full() {
    for (name, source) in SOURCES {
        let flags = match *name {
            "delay" => "#!lua",
            // It cannot stop either: Redis lets it run with full memory.
            _ if changes_nothing(source) => READS_ONLY,
            _ => "#!lua flags=allow-oom",
        };
        assert_eq!(source.lines().next(), Some(flags), "{name}");
    }
}

fn changes_nothing(source: &str) -> bool {
    source.contains("-- Changes\n--   nothing\n")
}

#[test]
fn headers_have_every_section() {
    for (name, source) in SOURCES {
        for section in ["-- KEYS\n", "-- ARGV\n", "-- Returns\n", "-- Changes\n"] {
            assert_eq!(source.matches(section).count(), 1, "{name}: {section}");
        }
    }
}

#[test]
fn keys_and_arguments_are_named_once_as_documented() {
    for (name, source) in SOURCES {
        let (top, body) = bindings(source);
        let mut bound = bound(&top);
        for (section, table) in [("KEYS", "KEYS"), ("ARGV", "ARGV")] {
            for (i, documented) in documented(source, section).iter().enumerate() {
                let index = format!("{table}[{}]", i + 1);
                match bound.remove(&index) {
                    Some(bound) => assert_eq!(&bound, documented, "{name}: {index}"),
                    // The first of a list is bound by its number: it is read in a loop.
                    None => {
                        let number = bound.remove(&(i + 1).to_string());
                        assert_eq!(number.as_ref(), Some(documented), "{name}: {index}");
                    }
                }
            }
        }
        assert!(bound.is_empty(), "{name}: not documented: {bound:?}");
        for digit in '0'..='9' {
            for table in ["KEYS", "ARGV"] {
                let again = format!("{table}[{digit}");
                assert!(!body.contains(&again), "{name}: a number is used again");
            }
        }
    }
}

#[test]
fn scripts_build_no_key_and_use_no_other_format() {
    for (name, source) in SOURCES {
        let (_, body) = bindings(source);
        for forbidden in ["':", "cjson", "cmsgpack", "KEYS["] {
            assert!(!body.contains(forbidden), "{name}: {forbidden}");
        }
        for call in body.split("redis.call(").skip(1) {
            let key = call.split([',', ')']).nth(1).unwrap_or_default();
            assert!(!key.contains(".."), "{name}: redis.call({call}");
        }
    }
}

/// Lua files cannot share code: what is changed in one must be changed in all.
#[test]
fn what_several_steps_do_reads_the_same_in_each() {
    let guard = ("\nlocal stored = ", "'gone'))\nend\n");
    let counted = ("\nlocal function counted(", "\nend\n");
    let move_due = ("    local due = ", "'WITHSCORES')\n");
    for ((begin, end), names, holds) in [
        (guard, &["claim", "renew", "adopt"][..], "return {'reaped'}"),
        (
            counted,
            &["claim", "renew", "adopt", "leave"],
            "number < 2 ^ 52",
        ),
        (
            move_due,
            &["claim", "promote"],
            "redis.call('RPUSH', ready,",
        ),
    ] {
        let part = |name: &str| {
            let (_, source) = SOURCES.iter().find(|(other, _)| *other == name).unwrap();
            let (_, from) = source.split_once(begin).unwrap();
            let (part, _) = from.split_once(end).unwrap();
            assert!(part.contains(holds), "{name}: {part}");
            part
        };
        for name in names {
            assert_eq!(part(name), part(names[0]), "{name}");
        }
    }
}

#[test]
fn replies_begin_with_a_word() {
    for (name, source) in SOURCES {
        let returns = source
            .lines()
            .skip_while(|line| *line != "-- Returns")
            .nth(1)
            .unwrap();
        assert!(returns.starts_with("--   {'"), "{name}: {returns}");
        assert!(!source.contains("return -"), "{name}");
    }
}

#[test]
fn milliseconds_are_rounded_up() {
    let cases = [
        (Duration::ZERO, 0),
        (Duration::from_nanos(1), 1),
        (Duration::from_millis(5), 5),
        (Duration::from_micros(5001), 6),
        (Duration::MAX, 1 << 52),
    ];
    for (duration, ms) in cases {
        assert_eq!(ceil_ms(duration), ms, "{duration:?}");
    }
}
