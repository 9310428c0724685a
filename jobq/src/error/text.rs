//! How errors and log lines tell what they got: bounded and printable.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

/// A value without user and password, if it is a URL: one may be given in any wrong place.
#[must_use]
pub fn without_login(value: &str) -> Cow<'_, str> {
    let parts = value.split_once("://");
    let parts = parts.and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1)));
    parts.map_or(value.into(), |(scheme, host)| {
        format!("{scheme}://…@{host}").into()
    })
}

/// At most 100 characters of a value, control characters escaped: how errors quote what they got.
#[must_use]
pub fn quoted(value: &str) -> String {
    const MOST: usize = 100;
    let value = without_login(value);
    let mut text: String = value
        .chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect();
    if value.chars().nth(MOST).is_some() {
        text.push('…');
    }
    format!("\"{text}\"")
}

/// A sentence of someone else's, at most `most` characters of it, control characters escaped.
#[must_use]
pub fn escaped(text: &str, most: usize) -> String {
    let mut kept = String::new();
    let mut room = most;
    for c in text.chars() {
        let part = if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        };
        let Some(left) = room.checked_sub(part.chars().count()) else {
            break;
        };
        room = left;
        kept.push_str(&part);
    }
    kept
}

/// The front of a text, at most `most` bytes, never half a character.
#[must_use]
pub fn cut(text: &str, most: usize) -> &str {
    let end = (0..=text.len().min(most)).rev();
    let end = end.into_iter().find(|&i| text.is_char_boundary(i));
    &text[..end.unwrap_or(0)]
}

/// An error and its causes, joined by `: `.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some errors spell out their cause themselves.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// A duration in its largest whole unit: `90s`, `2m`, `500ms`.
#[must_use]
pub fn plain(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        _ if !duration.as_nanos().is_multiple_of(1_000_000) => format!("{duration:?}"),
        _ if ms.is_multiple_of(60_000) && ms > 0 => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_short_and_printable() {
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted("a\n\u{1b}\""), "\"a\\n\\u{1b}\\\"\"");
        assert_eq!(quoted(&"é".repeat(100)), format!("\"{}\"", "é".repeat(100)));
        assert_eq!(
            quoted(&"é".repeat(101)),
            format!("\"{}…\"", "é".repeat(100))
        );
    }

    #[test]
    fn no_value_that_is_a_url_shows_its_login() {
        for (value, shown) in [
            ("redis://ann:pass@h:1/2", "redis://…@h:1/2"),
            ("redis://:p@s/s?#@h", "redis://…@h"),
            ("redis://h:1", "redis://h:1"),
            ("a@b://", "a@b://"),
            ("://@", "://…@"),
            ("", ""),
        ] {
            assert_eq!(without_login(value), shown);
            assert_eq!(quoted(value), format!("\"{shown}\""));
        }
    }

    #[test]
    fn sentences_are_escaped_and_cut_between_escapes() {
        assert_eq!(escaped("it's \"é\"\n", 200), "it's \"é\"\\n");
        assert_eq!(escaped("abc", 2), "ab");
        assert_eq!(escaped("a\u{1b}b", 5), "a");
        assert_eq!(escaped("a\u{1b}b", 7), "a\\u{1b}");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let cuts: Vec<_> = (0..=6).map(|most| cut("a€b", most)).collect();
        assert_eq!(cuts, ["", "a", "a", "a", "a€", "a€b", "a€b"]);
    }

    #[test]
    fn durations_are_told_in_their_largest_whole_unit() {
        for (duration, text) in [
            (Duration::ZERO, "0s"),
            (Duration::from_micros(500), "500µs"),
            (Duration::from_millis(1500), "1500ms"),
            (Duration::from_secs(90), "90s"),
            (Duration::from_secs(120), "2m"),
            (Duration::from_secs(7200), "120m"),
        ] {
            assert_eq!(plain(duration), text);
        }
    }
}
