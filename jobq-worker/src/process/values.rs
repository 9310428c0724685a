//! Reads the values of settings, and says what would be right where it cannot.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jobq::runtime::text::quoted;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};

/// Reads a count; which ones are right the worker's settings say.
pub(super) fn count(text: &str) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    text.parse().map_err(|_| match digits {
        true => "expected a smaller number".to_owned(),
        false => "expected a whole number such as 8".to_owned(),
    })
}

/// Reads a port, which is then one of loopback, or an address with its port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse().map(|port| (Ipv4Addr::LOCALHOST, port).into());
    port.or_else(|_| text.parse())
        .map_err(|_| "expected PORT or IP:PORT, such as 127.0.0.1:9100".to_owned())
}

/// Reads a filter. A bare word that is no level would be a target, and silence all others.
pub(super) fn filter(text: &str) -> Result<Targets, String> {
    let bare = text
        .split(',')
        .map(str::trim)
        .filter(|one| !one.contains('='));
    for word in bare {
        if word.parse::<LevelFilter>().is_err() {
            let word = quoted(word);
            return Err(format!(
                "{word} is no level; expected error, warn, info, debug, trace or off, or target=level"
            ));
        }
    }
    text.parse().map_err(|error: ParseError| error.to_string())
}

/// Reads true or false, and the other words that are usual in an environment.
pub(super) fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

/// Reads a time: a whole number with a unit.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let ms_per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 3600 * 1000,
        _ => return Err("expected a number with a unit: 500ms, 10s, 5m, 1h".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a number before the unit".to_owned())?;
    let ms = number
        .checked_mul(ms_per_unit)
        .filter(|ms| *ms <= 365 * 24 * 3600 * 1000);
    ms.map(Duration::from_millis)
        .ok_or_else(|| "expected at most a year".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;
    use proptest::{prop_assert, proptest};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_text_is_a_value_or_an_error(
            text in "\\PC{0,12}|[0-9]{0,25}(ms|s|m|h|d|M)?|([a-z_:]{0,6}=?(debug|loud)?,?){0,4}",
        ) {
            if let Ok(read) = duration(&text) {
                prop_assert!(read <= Duration::from_secs(365 * 24 * 3600), "{read:?}");
            }
            if let Ok(read) = count(&text) {
                let digits = text.strip_prefix('+').unwrap_or(&text);
                prop_assert!(digits.trim_start_matches('0') == read.to_string() || read == 0);
            }
            if let Err(error) = filter(&text) {
                prop_assert!(!error.chars().any(char::is_control), "{error:?}");
            }
            let _ = truth(&text);
        }
    }

    #[test]
    fn a_filter_is_a_level_or_pairs() {
        for good in [
            "info",
            "OFF",
            "warn,my_app=debug",
            "my_app::mail=trace, warn",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for (bad, named) in [("loud", "loud"), ("info,my_app", "my_app")] {
            let error = filter(bad).expect_err(bad);
            assert!(error.contains(named) && error.contains("debug"), "{error}");
        }
        assert!(filter("my_app=loud").is_err());
    }

    #[test]
    fn a_port_alone_is_of_loopback() {
        for (text, address_of) in [
            ("9100", "127.0.0.1:9100"),
            ("0", "127.0.0.1:0"),
            ("0.0.0.0:9100", "0.0.0.0:9100"),
            ("[::1]:9100", "[::1]:9100"),
        ] {
            assert_eq!(
                address(text).map(|a| a.to_string()).as_deref(),
                Ok(address_of)
            );
        }
        for bad in [
            "",
            "x",
            "-1",
            "65536",
            "127.0.0.1",
            "localhost:9100",
            ":9100",
            "1.2.3.4:",
            "1.2.3.4:65536",
            "9100 ",
            "http://127.0.0.1:9100",
            "::1:9100x",
            "ü",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_are_whole_numbers() {
        assert_eq!(count("0"), Ok(0));
        for (bad, expected) in [
            ("", "whole"),
            ("-1", "whole"),
            ("1.5", "whole"),
            ("8 ", "whole"),
            ("4294967296", "smaller"),
        ] {
            let error = count(bad).expect_err(bad);
            assert!(error.contains(expected), "{bad}: {error}");
        }
    }

    #[test]
    fn durations_need_a_number_and_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for bad in [
            "",
            "10",
            "s",
            "-1s",
            "1.5s",
            "10 s",
            "10d",
            "99999999999999999999s",
            "9999999h",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
