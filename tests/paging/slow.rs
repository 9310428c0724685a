//! What the server itself notes as slow, and what of it is no accident.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use redis::Value;

use crate::store::Store;

/// Longer than this, in microseconds, and the server notes a call.
const SLOWER_THAN: &str = "2000";

/// How long a call that was slow is made again, until it is not.
const PATIENCE: Duration = Duration::from_secs(60);

/// Arguments, and bytes of each, by which two calls are the same call: behind them stand times.
const SAME: (usize, usize) = (10, 64);

/// Options of a server that notes what is slow, and forgets none of it.
pub(crate) const NOTING: [(&str, &str); 2] = [
    ("slowlog-log-slower-than", SLOWER_THAN),
    ("slowlog-max-len", "100000"),
];

/// Calls that took too long, and how long, by what identifies them.
type Slow = BTreeMap<Vec<String>, u64>;

impl Store {
    /// Does something to a server at rest and expects that no call holds it.
    ///
    /// Where the machine took the processor from the server in the middle of a call, or slowed it for
    /// a time, that call is slow then; one that is slow by its nature is so whenever it is made. So what
    /// was slow is done again, on a store that was prepared again, until each call was once not slow.
    pub(crate) async fn expect_fast<T>(
        &self,
        what: &str,
        mut prepare: impl AsyncFnMut(),
        mut act: impl AsyncFnMut() -> T,
    ) -> T {
        self.reset_slow().await;
        let mut answer = act().await;
        let mut always = self.slow().await;
        let (began, mut rounds) = (Instant::now(), 1);
        while !always.is_empty() {
            assert!(
                began.elapsed() < PATIENCE,
                "{what}: in each of {rounds} rounds these took more than {SLOWER_THAN} µs: {always:#?}"
            );
            prepare().await;
            self.reset_slow().await;
            answer = act().await;
            always = fastest(&always, &self.slow().await);
            rounds += 1;
        }
        answer
    }

    async fn reset_slow(&self) {
        self.tell(redis::cmd("SLOWLOG").arg("RESET")).await;
    }

    async fn slow(&self) -> Slow {
        let entries = self.tell(redis::cmd("SLOWLOG").arg("GET").arg(-1)).await;
        let Value::Array(entries) = entries else {
            panic!("{entries:?}");
        };
        entries.into_iter().map(entry).collect()
    }
}

/// Those that are in both, by the better time.
fn fastest(one: &Slow, other: &Slow) -> Slow {
    let both = one.iter().filter_map(|(call, micros)| {
        let again = other.get(call)?;
        Some((call.clone(), *micros.min(again)))
    });
    both.collect()
}

/// One note: number, time of day, microseconds, arguments …
fn entry(value: Value) -> (Vec<String>, u64) {
    let Value::Array(fields) = value else {
        panic!("{value:?}");
    };
    match &fields[2..4] {
        [Value::Int(micros), Value::Array(args)] => {
            let args = args.iter().take(SAME.0).map(shown);
            (args.collect(), micros.unsigned_abs())
        }
        other => panic!("{other:?}"),
    }
}

fn shown(arg: &Value) -> String {
    match arg {
        Value::BulkString(bytes) => {
            let start = &bytes[..bytes.len().min(SAME.1)];
            start.escape_ascii().to_string()
        }
        other => format!("{other:?}"),
    }
}
