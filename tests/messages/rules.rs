//! What every message keeps to.

use crate::PASSWORD;
use crate::document::{Document, Said};

/// The most characters of one error or one line of a log.
const LONGEST: usize = 300;

/// What only `Debug` writes.
const DEBUG: [&str; 9] = [
    "Some(",
    "Ok(",
    "Err(",
    "Os {",
    "Custom {",
    "Error {",
    "kind:",
    "Duration {",
    "\\\\",
];

/// Words that begin a message in capitals because they are names.
const NAMES: [&str; 3] = ["Redis", "TLS", "CA"];

/// Every message that breaks a rule, with the rule.
pub(crate) fn broken(document: &Document) -> Vec<String> {
    let entries = document.groups.iter().flat_map(|group| &group.entries);
    let judged = entries.flat_map(|entry| {
        let faults = faults(&entry.said).into_iter();
        faults.map(|(fault, text)| format!("{fault}: {text}  (→ {})", entry.cause))
    });
    judged.collect()
}

fn faults(said: &Said) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let (lines, debug) = match said {
        Said::Chain { chain, debug } => (chain, Some(debug)),
        Said::Lines(lines) => (lines, None),
    };
    for line in lines.iter().chain(debug) {
        note(
            &mut faults,
            "tells the password",
            line,
            line.contains(PASSWORD),
        );
    }
    for line in lines {
        let artefact = DEBUG.iter().any(|artefact| line.contains(artefact));
        note(&mut faults, "is worded by `Debug`", line, artefact);
        note(&mut faults, "is not one line", line, line.contains('\n'));
        note(
            &mut faults,
            "is too long",
            line,
            line.chars().count() > LONGEST,
        );
    }
    if let Said::Chain { chain, .. } = said {
        chain_faults(chain, &mut faults);
    }
    faults
}

/// Of an error: it is a fragment, and leaves its causes to tell themselves.
fn chain_faults(chain: &[String], faults: &mut Vec<(&'static str, String)>) {
    if let Some(first) = chain.first() {
        let is_name = NAMES.iter().any(|name| first.starts_with(name));
        let upper = first.starts_with(char::is_uppercase) && !is_name;
        note(faults, "begins with a capital", first, upper);
        note(faults, "ends with a full stop", first, first.ends_with('.'));
    }
    for (i, error) in chain.iter().enumerate() {
        let repeats = chain[i + 1..]
            .iter()
            .any(|cause| error.contains(cause.as_str()));
        note(faults, "repeats a cause of its own", error, repeats);
    }
}

fn note(faults: &mut Vec<(&'static str, String)>, fault: &'static str, text: &str, is: bool) {
    if is {
        faults.push((fault, text.to_owned()));
    }
}

#[test]
fn each_rule_is_one_that_can_be_broken() {
    let chain = |messages: &[&str], debug: &str| Said::Chain {
        chain: messages.iter().map(|&message| message.to_owned()).collect(),
        debug: debug.to_owned(),
    };
    let long = "x".repeat(LONGEST + 1);
    for (said, fault) in [
        (chain(&["a password of hunter2"], ""), "tells the password"),
        (chain(&["fine"], "Url(\"hunter2\")"), "tells the password"),
        (chain(&["timeout is Some(3)"], ""), "is worded by `Debug`"),
        (chain(&[&long], ""), "is too long"),
        (chain(&["it\nfailed"], ""), "is not one line"),
        (chain(&["It failed"], ""), "begins with a capital"),
        (chain(&["it failed."], ""), "ends with a full stop"),
        (
            chain(&["it failed: reset", "reset"], ""),
            "repeats a cause of its own",
        ),
        (
            Said::Lines(vec!["Os { code: 2 }".to_owned()]),
            "is worded by `Debug`",
        ),
    ] {
        let faults: Vec<_> = faults(&said).into_iter().map(|(fault, _)| fault).collect();
        assert_eq!(faults, [fault]);
    }
    assert!(faults(&chain(&["Redis refused", "Connection refused"], "")).is_empty());
}
