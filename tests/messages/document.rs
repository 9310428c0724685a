//! The messages, by group, each with what caused it.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::path::PathBuf;

/// What the environment is asked for a new file.
const OVERWRITE: (&str, &str) = ("JOBQ_MESSAGES", "overwrite");

/// What other systems and other versions of Redis say, and what stands for it.
const ELSEWHERE: [(&str, &str); 9] = [
    // How a connection ends, as the network has it.
    ("(Connection reset by peer (os error 104))", "(END)"),
    ("(broken pipe)", "(END)"),
    ("(unexpected end of file)", "(END)"),
    // A name that is not found; without a network; with other name services.
    ("information: Name or service not known", "information: WHY"),
    (
        "information: Temporary failure in name resolution",
        "information: WHY",
    ),
    (
        "information: No address associated with hostname",
        "information: WHY",
    ),
    // Redis 7.0; 7.2 and newer.
    ("NOPERM this user has", "NOPERM USER has"),
    ("NOPERM User ann has", "NOPERM USER has"),
    ("NOPERM User default has", "NOPERM USER has"),
];

/// All messages.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) groups: Vec<Group>,
    /// The errors that were met: the name of the type, and what it said.
    pub(crate) met: Vec<(String, String)>,
    /// What is different in every run, and what stands for it.
    varying: Vec<(String, String)>,
}

/// Messages of one kind.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) entries: Vec<Entry>,
}

/// A message.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What caused it.
    pub(crate) cause: String,
    /// What was said.
    pub(crate) said: Said,
}

#[derive(Debug)]
pub(crate) enum Said {
    /// An error of ours and the chain of its causes; and its `Debug`, which is not written down.
    Chain { chain: Vec<String>, debug: String },
    /// Lines as they came.
    Lines(Vec<String>),
}

impl Document {
    pub(crate) fn group(&mut self, title: &str) {
        let title = title.to_owned();
        let entries = Vec::new();
        self.groups.push(Group { title, entries });
    }

    /// Has a text that differs from run to run written as another.
    pub(crate) fn vary(&mut self, text: impl Into<String>, shown: impl Into<String>) {
        self.varying.push((text.into(), shown.into()));
    }

    /// An error and its causes.
    pub(crate) fn error<E: Error + 'static>(&mut self, cause: &str, error: &E) {
        let of = std::any::type_name::<E>()
            .rsplit("::")
            .next()
            .unwrap_or_default();
        let debug = format!("{error:?}");
        self.met.push((of.to_owned(), error.to_string()));
        let chain = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
        let chain = chain
            .map(|error| self.settled(&error.to_string()))
            .collect();
        self.push(cause, Said::Chain { chain, debug });
    }

    /// What somebody reads as lines: a log, a terminal.
    pub(crate) fn lines(&mut self, cause: &str, text: &str) {
        let lines = text.lines().map(str::trim_end);
        let lines = lines.filter(|line| !line.is_empty());
        let lines = lines.map(|line| self.settled(line)).collect();
        self.push(cause, Said::Lines(lines));
    }

    fn push(&mut self, cause: &str, said: Said) {
        let cause = self.settled(cause);
        let group = self.groups.last_mut().expect("a group was begun");
        group.entries.push(Entry { cause, said });
    }

    fn settled(&self, text: &str) -> String {
        let shown = |text: String, (from, to): &(String, String)| text.replace(from, to);
        let text = self.varying.iter().fold(text.to_owned(), shown);
        let shown = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        let text = ELSEWHERE.iter().fold(text, shown);
        without_places(&without_numbers(&text))
    }

    /// Compares all of it with the file, or writes the file.
    pub(crate) fn compare(&self) {
        let path = PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/messages/messages.txt"
        ));
        let (now, (variable, value)) = (self.text(), OVERWRITE);
        if std::env::var(variable).is_ok_and(|set| set == value) {
            std::fs::write(&path, now).expect("the tree is writable");
            return;
        }
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let differences = differences(&before, &now);
        assert!(
            differences.is_empty(),
            "messages are not those in {}:\n{differences}\n\
             Read them aloud; if they are right, `{variable}={value} cargo test -p jobq-tests --test messages`",
            path.display()
        );
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "Every message of the first hour, made by the test `messages`, which writes this file.\n\
             `→` stands before what was done, `·` before the cause of the error above.\n",
        );
        for group in &self.groups {
            let _ = write!(text, "\n== {}\n", group.title);
            for entry in &group.entries {
                let _ = writeln!(text, "\n→ {}", entry.cause);
                entry.said.write(&mut text);
            }
        }
        text
    }
}

impl Said {
    fn write(&self, text: &mut String) {
        let (lines, mark) = match self {
            Self::Chain { chain, .. } => (chain, "· "),
            Self::Lines(lines) => (lines, ""),
        };
        for (i, line) in lines.iter().enumerate() {
            let mark = if i > 0 { mark } else { "" };
            let _ = writeln!(text, "    {mark}{line}");
        }
    }
}

/// The text without lines and columns of source files: they change with the tests themselves.
fn without_places(text: &str) -> String {
    let mut parts = text.split(".rs:");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
        let _ = write!(kept, ".rs:LINE{rest}");
    }
    kept
}

/// The text without how long was waited, what a clock said, which Redis was installed.
fn without_numbers(text: &str) -> String {
    let mut kept = text.to_owned();
    for (front, shown) in [
        ("within ", "TIME"),
        ("verification time ", "TIME"),
        ("1609459200 (", "TIME"),
        ("runs Redis 6.", "MINOR"),
    ] {
        let Some((before, rest)) = kept.split_once(front) else {
            continue;
        };
        let number = |c: char| c.is_ascii_digit() || c == '.';
        if rest.starts_with(number) {
            let rest = rest.trim_start_matches(number);
            kept = format!("{before}{front}{shown}{rest}");
        }
    }
    kept
}

/// The lines of which only one of the texts has as many.
fn differences(before: &str, now: &str) -> String {
    let count = |text: &str, line: &str| text.lines().filter(|other| *other == line).count();
    let of = |one: &str, other: &str, mark: &str| {
        let differ = |line: &&str| !line.is_empty() && count(one, line) != count(other, line);
        let lines = one.lines().filter(differ);
        lines
            .map(|line| format!("{mark} {line}\n"))
            .collect::<String>()
    };
    let lines = of(before, now, "-") + &of(now, before, "+");
    match lines.is_empty() && before != now {
        true => "the same lines in another order\n".to_owned(),
        false => lines,
    }
}

#[test]
fn a_changed_line_and_a_changed_order_are_differences() {
    assert_eq!(differences("a\nb\n", "a\nb\n"), "");
    assert_eq!(differences("a\nb\n", "a\nc\n"), "- b\n+ c\n");
    assert!(differences("a\nb\n", "b\na\n").contains("another order"));
}

#[test]
fn places_in_the_source_are_left_out() {
    let text = without_places("at a/b.rs:12:5) and c.rs:7; end");
    assert_eq!(text, "at a/b.rs:LINE) and c.rs:LINE; end");
}
