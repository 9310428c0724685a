use std::error::Error;

use super::*;
use crate::error::ConnectError;

fn judged(wire: &str) -> BrokerError {
    let value = redis::parse_redis_value(wire.as_bytes()).unwrap();
    let config = RedisConfig::parse("redis://ann:hunter2@h", None).unwrap();
    let judged = judge(value, &redis::cmd("LPUSH"), None, &config);
    judged.unwrap_err().into()
}

#[test]
fn every_error_of_a_server_has_its_kind() {
    use BrokerErrorKind::{Corrupt, Forbidden, Refused, Unavailable};
    let cases = [
        ("-OOM command not allowed", Refused),
        ("-NOPERM no permissions", Forbidden),
        ("-READONLY a replica", Refused),
        ("-MISCONF cannot persist", Refused),
        ("-NOAUTH required", Refused),
        ("-LOADING the dataset", Unavailable),
        ("-BUSY running a script", Unavailable),
        ("-MASTERDOWN link", Unavailable),
        ("-CLUSTERDOWN hash slot", Unavailable),
        ("-WRONGTYPE operation", Corrupt),
        ("-ERR something else", Corrupt),
    ];
    for (wire, kind) in cases {
        let error = judged(&format!("{wire}\r\n"));
        assert_eq!(error.kind(), kind, "{wire}");
        assert_eq!(error.is_retryable(), kind == Unavailable, "{wire}");
        assert!(!error.is_outcome_unknown(), "{wire}");
        let code = wire[1..].split(' ').next().unwrap();
        assert!(error.to_string().contains(code), "{error}");
    }
}

#[test]
fn what_was_sent_and_not_answered_may_have_happened() {
    let config = RedisConfig::parse("redis://h", None).unwrap();
    let lost = Fault::lost(&config, std::io::Error::other("reset").into());
    let silent = Fault::unanswered(&config, Duration::from_secs(5));
    for fault in [lost, silent] {
        let error = BrokerError::from(fault);
        assert!(
            error.is_retryable() && error.is_outcome_unknown(),
            "{error}"
        );
    }
    let error = BrokerError::from(Fault::unreachable(&config, None));
    assert!(
        error.is_retryable() && !error.is_outcome_unknown(),
        "{error}"
    );
}

#[test]
fn a_chain_of_errors_says_each_cause_once() {
    let config = RedisConfig::parse("redis://h", None).unwrap();
    let io = || RedisError::from(std::io::Error::other("reset"));
    let connecting = OpenError::Redis(io()).into_connect_error(&config);
    let step = BrokerError::from(Fault::lost(&config, io()));
    let answer = judged("-OOM too much\r\n");
    let chain = |error: &dyn Error| -> Vec<String> {
        let source = error.source();
        let causes = std::iter::successors(source, |&cause| cause.source());
        causes.map(ToString::to_string).collect()
    };
    assert_eq!(chain(&connecting), ["reset"]);
    assert_eq!(chain(&step), ["reset"]);
    assert_eq!(chain(&answer).len(), 1, "{:?}", chain(&answer));
}

#[test]
fn connecting_goes_on_only_where_it_may_succeed() {
    let answered = |wire: &str| {
        let value = redis::parse_redis_value(wire.as_bytes()).unwrap();
        OpenError::from(value.extract_error().unwrap_err())
    };
    let config = RedisConfig::parse("redis://h", None).unwrap();
    for wire in ["-LOADING x\r\n", "-ERR max number of clients reached\r\n"] {
        assert!(answered(wire).is_transient(), "{wire}");
    }
    for wire in [
        "-WRONGPASS x\r\n",
        "-NOAUTH x\r\n",
        "-NOPERM x\r\n",
        "-ERR x\r\n",
    ] {
        let error = answered(wire);
        assert!(!error.is_transient(), "{wire}");
        let unauthorized = matches!(
            error.into_connect_error(&config),
            ConnectError::Unauthorized { .. }
        );
        assert_eq!(
            unauthorized,
            wire.starts_with("-WRONGPASS") || wire.starts_with("-NOAUTH")
        );
    }
    let distrust = OpenError::Tls {
        reason: "its certificate has expired".to_owned(),
        source: std::io::Error::other("expired").into(),
    };
    assert!(!distrust.is_transient());
    let old = OpenError::TooOld("6.2.7".to_owned()).into_connect_error(&config);
    assert!(old.to_string().contains("6.2.7"), "{old}");
}
