//! What is said first on a new connection, once it is logged in.

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::{Pipeline, Value};

use super::clock::Clock;
use super::connection::missing_answers;
use super::fault::OpenError;
use super::value::{text, time};

/// The oldest server that knows script flags.
const OLDEST: u32 = 7;

/// Names the connection, sets the clock, checks the version. Answers the connection's id.
pub(super) async fn introduce(
    connection: &mut MultiplexedConnection,
    clock: &Clock,
) -> Result<u64, OpenError> {
    let mut pipeline = Pipeline::with_capacity(4);
    pipeline.cmd("CLIENT").arg("SETNAME").arg("jobq");
    pipeline.cmd("CLIENT").arg("ID");
    pipeline.cmd("INFO").arg("server");
    pipeline.cmd("TIME");
    let values = connection.req_packed_commands(&pipeline, 0, 4).await?;
    let Ok([_, id, info, now]) = <[Value; 4]>::try_from(values) else {
        return Err(missing_answers().into());
    };
    // A user who may not read INFO is trusted to have a server that is new enough.
    if let Some(version) = text(&info).and_then(version)
        && version.0 < OLDEST
    {
        return Err(OpenError::TooOld(version.1.to_owned()));
    }
    clock.set(time(&now.extract_error()?).ok_or_else(missing_answers)?);
    match id.extract_error()? {
        Value::Int(id) => Ok(id.unsigned_abs()),
        _ => Err(missing_answers().into()),
    }
}

/// The major version and the whole one.
fn version(info: &str) -> Option<(u32, &str)> {
    let mut lines = info.lines();
    let version = lines.find_map(|line| line.strip_prefix("redis_version:"))?;
    let major = version.split('.').next()?.parse().ok()?;
    Some((major, version.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_info() {
        let cases = [
            (
                "# Server\r\nredis_version:7.0.15\r\nos:x\r\n",
                Some((7, "7.0.15")),
            ),
            ("redis_version:255.255.255\r\n", Some((255, "255.255.255"))),
            ("redis_version:6.2.7\r\n", Some((6, "6.2.7"))),
            ("redis_version:\r\n", None),
            ("", None),
        ];
        for (info, expected) in cases {
            assert_eq!(version(info), expected, "{info:?}");
        }
    }
}
