//! What errors have in common: a text without the parts that differ from job to job. A pure
//! function; its cases stand below.
//!
//! | what | becomes |
//! | --- | --- |
//! | a quoted text: `'…'`, `"…"`, `` `…` `` | the same quotes around `…`; but behind `missing field`, as errors of decoding have it, it stays |
//! | a UUID, a long hexadecimal number, `0x…`, long words of letters and digits | `<id>` |
//! | a URL's host and path, `host:port`, an IP address, an address of mail | `<address>` |
//! | a date, with the time of day or without | `<time>` |
//! | a number, its unit kept | `<n>` |
//! | white space, however much | one space |

use std::net::{IpAddr, SocketAddr};

use jiff::civil::Date;

/// A word of digits and letters that is as long is an id, and no name such as `sha256`.
const LONG: usize = 8;

/// What errors of one kind have in common.
pub(super) fn fingerprint(error: &str) -> String {
    let mut masked = String::new();
    let mut rest = error.trim();
    // What a quote must not follow: the apostrophe of `don't` begins no quotation.
    let mut before = ' ';
    let mut unclosed = Vec::new();
    while let Some(c) = rest.chars().next() {
        let taken = match quotation(rest, before, &mut unclosed) {
            // Such a name is of the job, not of the run: each is another mistake.
            Some(length) if masked.ends_with("missing field ") => {
                masked.push_str(&rest[..length]);
                length
            }
            Some(length) => {
                masked.extend([c, '…', c]);
                length
            }
            None if c.is_whitespace() => {
                masked.push(' ');
                rest.len() - rest.trim_start().len()
            }
            None if is_of_a_word(c) => word(rest, &mut masked),
            None => {
                masked.push(c);
                c.len_utf8()
            }
        };
        before = rest[..taken].chars().next_back().unwrap_or(c);
        rest = &rest[taken..];
    }
    masked
}

/// The length of the quotation that begins here, if one does. A quote that nothing closes from here on
/// is closed nowhere behind it either, and not looked for again: a text may have very many.
fn quotation(text: &str, before: char, unclosed: &mut Vec<char>) -> Option<usize> {
    let quote = text.chars().next().filter(|c| "'\"`".contains(*c))?;
    if before.is_alphanumeric() || unclosed.contains(&quote) {
        return None;
    }
    let inside = &text[1..];
    let ends = inside.match_indices(quote).find(|(at, _)| {
        let next = inside[at + 1..].chars().next();
        !next.is_some_and(char::is_alphanumeric)
    });
    if ends.is_none() {
        unclosed.push(quote);
    }
    ends.map(|(at, _)| at + 2)
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || "-_.:/@%+#&?=~".contains(c)
}

/// Masks the word at the front, and answers its length. Marks behind it are no part of it.
fn word(text: &str, masked: &mut String) -> usize {
    let end = text.find(|c| !is_of_a_word(c)).unwrap_or(text.len());
    let bare = text[..end].trim_end_matches(['.', ':', '?', '-', '/']);
    let length = match bare.is_empty() {
        true => end,
        false => bare.len(),
    };
    match length == bare.len() && !bare.is_empty() {
        true => masked.push_str(&whole(bare).unwrap_or_else(|| in_parts(bare))),
        false => masked.push_str(&text[..length]),
    }
    length
}

/// The mask of a word that is one thing.
fn whole(word: &str) -> Option<String> {
    if let Some((scheme, _)) = word.split_once("://") {
        return Some(format!("{scheme}://<address>"));
    }
    if is_address(word) {
        return Some("<address>".to_owned());
    }
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_hexdigit());
    if is_uuid(word.as_bytes()) || word.strip_prefix("0x").is_some_and(is_hex) {
        return Some("<id>".to_owned());
    }
    if is_time(word) {
        return Some("<time>".to_owned());
    }
    number(word).map(|unit| format!("<n>{unit}"))
}

/// Bytes of a UUID as it is written.
const UUID: usize = 36;

fn is_uuid(text: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == UUID && text.iter().enumerate().all(fits)
}

/// Where in a word a UUID stands, with other hexadecimal digits on neither side.
fn uuid_in(word: &str) -> Option<usize> {
    let bytes = word.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut places = bytes.windows(UUID).enumerate();
    let found = places.find(|(at, text)| {
        let begins = !at.checked_sub(1).is_some_and(is_hex);
        begins && !is_hex(at + UUID) && is_uuid(text)
    });
    found.map(|(at, _)| at)
}

fn is_time(word: &str) -> bool {
    let date = word.get(..10).zip(word.get(10..));
    date.is_some_and(|(date, time)| {
        let of_time = |c: char| c.is_ascii_digit() || "T:.Z+-".contains(c);
        date.parse::<Date>().is_ok() && time.chars().all(of_time)
    })
}

fn is_address(word: &str) -> bool {
    if word.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok() {
        return true;
    }
    let is_mail = |(name, host): (&str, &str)| !name.is_empty() && host.contains('.');
    let is_port = |(host, port): (&str, &str)| {
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        let named = host == "localhost" || host.contains('.');
        named && host.chars().all(is_host) && port.parse::<u16>().is_ok()
    };
    word.split_once('@').is_some_and(is_mail) || word.rsplit_once(':').is_some_and(is_port)
}

/// The unit behind a number, if it is one: empty, `ms`, `%`.
fn number(word: &str) -> Option<&str> {
    let digits = word.trim_start_matches(['-', '+']);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.');
    let unit = &digits[end.unwrap_or(digits.len())..];
    let is_unit = |c: char| c.is_alphabetic() || c == '%';
    (unit.chars().count() <= 3 && unit.chars().all(is_unit)).then_some(unit)
}

/// The mask of a word that is made of several: `user-42`, `/tmp/7/x.png`, `user=` and a UUID.
fn in_parts(word: &str) -> String {
    let mut masked = String::new();
    let mut rest = word;
    while let Some(at) = uuid_in(rest) {
        push_parts(&rest[..at], &mut masked);
        masked.push_str("<id>");
        rest = &rest[at + UUID..];
    }
    push_parts(rest, &mut masked);
    masked
}

fn push_parts(word: &str, masked: &mut String) {
    for part in word.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let bare = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        match (number(bare), is_id(bare)) {
            (_, true) => masked.push_str("<id>"),
            (Some(unit), _) => {
                masked.push_str("<n>");
                masked.push_str(unit);
            }
            _ => masked.push_str(bare),
        }
        masked.push_str(&part[bare.len()..]);
    }
}

/// A long word with digits in it: a hash, a key of a database, a token.
fn is_id(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() >= LONG && digits >= 2 && digits < word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_job_to_job_is_masked() {
        for (error, masked) in [
            ("", ""),
            ("connection refused", "connection refused"),
            (
                "Connection refused (os error 111)",
                "Connection refused (os error <n>)",
            ),
            ("no user 42", "no user <n>"),
            (
                "no user -42, no 1.5 and no 3.",
                "no user <n>, no <n> and no <n>.",
            ),
            ("timed out after 30s", "timed out after <n>s"),
            (
                "took 1500ms, 99.5% of it waiting",
                "took <n>ms, <n>% of it waiting",
            ),
            ("order-42 of shop_7", "order-<n> of shop_<n>"),
            (
                "job 01a1f8fe-a6b4-7364-b886-705e1c133891 is gone",
                "job <id> is gone",
            ),
            (
                "user=550e8400-e29b-41d4-a716-446655440000 not found",
                "user=<id> not found",
            ),
            (
                "/files/550e8400-e29b-41d4-a716-446655440000.png: gone",
                "/files/<id>.png: gone",
            ),
            (
                "order:550E8400-E29B-41D4-A716-446655440000, user_550e8400-e29b-41d4-a716-446655440000",
                "order:<id>, user_<id>",
            ),
            (
                "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\"}",
                "{\"…\":\"…\"}",
            ),
            (
                "#550e8400-e29b-41d4-a716-446655440000@01a1f8fe-a6b4-7364-b886-705e1c133891/7 größe=550e8400-e29b-41d4-a716-446655440000é",
                "#<id>@<id>/<n> größe=<id>é",
            ),
            (
                "no UUID: f550e8400-e29b-41d4-a716-446655440000",
                "no UUID: <id>-e29b-41d4-a716-<n>",
            ),
            ("commit 8a3c01f9d2e7 at 0x7ffd5e8a", "commit <id> at <id>"),
            ("key cus_9s8d7f6g: unknown", "key cus_<id>: unknown"),
            (
                "utf8, http2, sha256 and x86 stay",
                "utf8, http2, sha256 and x86 stay",
            ),
            ("no file 'a b.png' here", "no file '…' here"),
            ("expected `x`, got \"y z\"", "expected `…`, got \"…\""),
            ("it doesn't, they won't", "it doesn't, they won't"),
            ("an open 'quote 7", "an open 'quote <n>"),
            (
                "no job `x`: missing field `user_id`, field `a`",
                "no job `…`: missing field `user_id`, field `…`",
            ),
            ("'it's' twice 'so'", "'…' twice '…'"),
            ("no route to 10.0.0.7", "no route to <address>"),
            (
                "no answer from 10.0.0.7:6379: reset",
                "no answer from <address>: reset",
            ),
            (
                "bind ::1 and [fe80::1]:80",
                "bind <address> and [<address>]:<n>",
            ),
            ("db.example.org:5432 is away", "<address> is away"),
            ("localhost:6379 is away", "<address> is away"),
            ("src/main.rs:12: not done", "src/main.rs:<n>: not done"),
            (
                "GET https://api.example.org/v1/users/7?x=1 failed",
                "GET https://<address> failed",
            ),
            (
                "mail to ada@example.org bounced",
                "mail to <address> bounced",
            ),
            ("two  spaces\n\tand a line", "two spaces and a line"),
            ("/var/data/77/x.png: gone", "/var/data/<n>/x.png: gone"),
            (
                "at 2026-11-30T20:35:01.250Z or on 2026-11-30",
                "at <time> or on <time>",
            ),
            ("schlüssel größe 漢字 7", "schlüssel größe 漢字 <n>"),
            ("... - -- ::", "... - -- ::"),
        ] {
            assert_eq!(fingerprint(error), masked, "{error}");
        }
    }

    #[test]
    fn any_text_has_one_of_all_of_it() {
        let long = "word 7 ".repeat(100_000);
        assert_eq!(fingerprint(&long), "word <n> ".repeat(100_000).trim_end());
        let open = " 'a \"b `c".repeat(100_000);
        assert_eq!(fingerprint(&open), open.trim());
        for odd in [
            "'",
            "\"\"",
            "''''",
            "é'é'é",
            "\u{0}\u{1b}",
            "`漢",
            "@",
            "://",
            "0x",
            "-",
            "+.",
            "1'2'3",
        ] {
            assert_eq!(fingerprint(odd).is_empty(), odd.is_empty(), "{odd}");
        }
    }
}
