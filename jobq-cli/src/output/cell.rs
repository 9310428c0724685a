//! A field of a listing: as a person reads it, and as a program does.

use std::time::Duration;

use console::{Style, measure_text_width};
use jiff::Timestamp;

/// A field of a listing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    /// On a terminal.
    pub(super) shown: String,
    /// When piped.
    pub(super) plain: String,
    pub(super) style: Style,
}

impl Cell {
    /// Text of others, control characters escaped.
    pub(crate) fn text(text: &str) -> Self {
        Self::both(printable(text))
    }

    /// Text of our own.
    pub(crate) fn word(text: impl Into<String>) -> Self {
        Self::both(text.into())
    }

    pub(crate) fn number(number: impl Into<u64>) -> Self {
        Self::both(number.into().to_string())
    }

    /// A time: to the second on a terminal, else to the millisecond.
    pub(crate) fn time(time: Option<Timestamp>) -> Self {
        time.map_or_else(Self::none, |time| Self {
            shown: format!("{time:.0}"),
            plain: format!("{time:.3}"),
            ..Self::default()
        })
    }

    /// A length of time: in two units on a terminal, else in seconds.
    pub(crate) fn age(time: Option<Duration>) -> Self {
        time.map_or_else(Self::none, |time| Self {
            shown: age(time),
            plain: format!("{:.3}", time.as_secs_f64()),
            ..Self::default()
        })
    }

    /// What is not there.
    pub(crate) fn none() -> Self {
        Self {
            shown: "-".to_owned(),
            ..Self::default()
        }
    }

    fn both(text: String) -> Self {
        Self {
            plain: text.clone(),
            shown: text,
            style: Style::new(),
        }
    }

    /// Something is wrong.
    pub(crate) fn bad(mut self) -> Self {
        self.style = Style::new().red();
        self
    }

    /// Something may be.
    pub(crate) fn doubtful(mut self) -> Self {
        self.style = Style::new().yellow();
        self
    }

    /// All is well.
    pub(crate) fn good(mut self) -> Self {
        self.style = Style::new().green();
        self
    }

    /// The mark on a condition, and none otherwise.
    pub(crate) fn bad_if(self, condition: bool) -> Self {
        if condition { self.bad() } else { self }
    }

    /// How many columns it takes on a terminal.
    pub(super) fn width(&self) -> usize {
        measure_text_width(&self.shown)
    }
}

/// Text of others without anything that a terminal would act on: control characters are escaped,
/// and those that turn or hide text or break lines.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match is_harmless(c) {
            true => printable.push(c),
            false => printable.extend(c.escape_default()),
        }
    }
    printable
}

pub(super) fn is_harmless(c: char) -> bool {
    let unseen = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !unseen
}

/// A number of things: `1 job`, `2 jobs`.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{ending}")
}

/// What was done to a number of things: `1 job was moved`, `2 jobs were moved`.
pub(crate) fn counted_done(count: u64, thing: &str, done: &str) -> String {
    let were = if count == 1 { "was" } else { "were" };
    format!("{} {were} {done}", counted(count, thing))
}

/// A length of time in at most two units: `3d 4h`, `5m 3s`, `250ms`.
pub(crate) fn age(time: Duration) -> String {
    let secs = time.as_secs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    match secs {
        0 => format!("{}ms", time.as_millis()),
        1..60 => format!("{secs}s"),
        60..3600 => format!("{minutes}m {}s", secs % 60),
        3600..86_400 => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        for (text, shown) in [
            ("plain é 漢", "plain é 漢"),
            ("a\tb\nc\r", "a\\tb\\nc\\r"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\u{202e}b\u{2066}c", "a\\u{202e}b\\u{2066}c"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("\u{2028}\u{e0041}\0", "\\u{2028}\\u{e0041}\\u{0}"),
            ("a \\n 'b' \"c\"", "a \\n 'b' \"c\""),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn one_thing_is_told_as_one() {
        assert_eq!(counted(0, "job"), "0 jobs");
        assert_eq!(counted(1, "dead job"), "1 dead job");
        assert_eq!(counted_done(1, "job", "told of"), "1 job was told of");
        assert_eq!(counted_done(2, "job", "told of"), "2 jobs were told of");
    }

    #[test]
    fn ages_have_two_units_at_most() {
        for (ms, text) in [
            (0, "0ms"),
            (250, "250ms"),
            (59_999, "59s"),
            (60_000, "1m 0s"),
            (3_599_000, "59m 59s"),
            (3_600_000, "1h 0m"),
            (86_400_000, "1d 0h"),
            (273_600_000, "3d 4h"),
        ] {
            assert_eq!(age(Duration::from_millis(ms)), text);
        }
    }
}
