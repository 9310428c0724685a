//! What about the server, or about the rights of the user here, could lose or delay jobs: what
//! works without, but not as well, so that nothing else would tell.

use redis::Value;

use super::RedisBroker;
use super::config::RedisConfig;
use super::fault::{Fault, corrupt};
use super::info::Info;
use super::keys;
use super::step::Step;
use super::value;
use crate::error::BrokerError;

pub(super) async fn look(broker: &RedisBroker) -> Result<Vec<String>, BrokerError> {
    let config = broker.link.config();
    let info = Step::command("INFO").arg("memory");
    let nobody = keys::nobody(config.namespace());
    let publish = Step::command("PUBLISH").arg(nobody).arg("");
    let answers = broker.link.call(vec![info, publish]).await;
    let [info, publish] =
        <[Result<Value, Fault>; 2]>::try_from(answers).map_err(|_| corrupt("two answers"))?;
    let warnings = [eviction(config, info)?, signals(config, publish)?];
    Ok(warnings.into_iter().flatten().collect())
}

fn eviction(
    config: &RedisConfig,
    info: Result<Value, Fault>,
) -> Result<Option<String>, BrokerError> {
    let info = match info {
        Err(fault) if fault.is_forbidden() => {
            return Ok(Some(lacking(
                config,
                "+info",
                "whether its version and its maxmemory-policy keep jobs safe is not checked",
            )));
        }
        info => info?,
    };
    let info = value::text(&info).ok_or_else(|| corrupt("INFO"))?;
    let policy = Info::new(info).text("maxmemory_policy");
    Ok(policy.filter(|policy| *policy != "noeviction").map(|policy| {
        format!(
            "maxmemory-policy of {} is {policy}: when its memory is full it may evict jobs; set it \
             to noeviction",
            config.address()
        )
    }))
}

fn signals(
    config: &RedisConfig,
    published: Result<Value, Fault>,
) -> Result<Option<String>, BrokerError> {
    match published {
        // One who may use the channels of some queues only is told when it listens to another.
        Err(fault) if fault.is_about_channel() => Ok(None),
        Err(fault) if fault.is_forbidden() => {
            let effect = "retries may start up to a second late";
            Ok(Some(lacking(config, "+publish", effect)))
        }
        published => Ok(published.map(|_| None)?),
    }
}

/// A user may not listen for due times.
pub(super) fn cannot_listen(config: &RedisConfig) -> String {
    let rule = format!("+subscribe or &{}:{{*}}:due", config.namespace());
    lacking(config, &rule, "delayed jobs may start up to a second late")
}

/// A user lacks what something is only the better for.
pub(super) fn lacking(config: &RedisConfig, rule: &str, effect: &str) -> String {
    format!(
        "user {} of {} lacks {rule}: {effect}",
        config.quoted_user(),
        config.address()
    )
}
