//! All that is in Redis, as far as two runs of a step must agree on it.

use std::collections::BTreeMap;

use redis::aio::MultiplexedConnection;
use redis::{Script, Value};

/// Key by key: its type and what it holds, in order where there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Store(BTreeMap<String, Vec<String>>);

/// Everything at one moment. What differs from run to run is left out: counters, tokens, times. Of a
/// worker's records the order of the tokens is kept.
const TAKE: &str = "
local all = {}
local function ordered(fields)
  local pairs = {}
  for i = 1, #fields, 2 do
    local claim, index = string.match(fields[i], '^(%d+)%.(%d+)$')
    pairs[#pairs + 1] = {tonumber(claim) or 0, tonumber(index) or 0, fields[i], fields[i + 1]}
  end
  table.sort(pairs, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    if a[2] ~= b[2] then return a[2] < b[2] end
    return a[3] < b[3]
  end)
  return pairs
end
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind, held = redis.call('TYPE', key).ok, {}
  if kind == 'list' then
    held = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'zset' then
    held = redis.call('ZRANGE', key, 0, -1)
  elseif kind == 'set' then
    held = redis.call('SMEMBERS', key)
    table.sort(held)
  elseif kind == 'string' then
    held = {redis.call('GET', key)}
  else
    for _, pair in ipairs(ordered(redis.call('HGETALL', key))) do
      if string.find(key, ':inflight:') then
        held[#held + 1] = pair[4]
      elseif string.find(key, ':workers$') then
        held[#held + 1] = pair[3] .. (pair[4] == '0' and ' is adopted' or '')
      elseif pair[3] == 'gone' then
        held[#held + 1] = 'gone'
      else
        held[#held + 1] = pair[3] .. ' ' .. pair[4]
      end
    end
  end
  all[#all + 1] = {key, held}
end
redis.call('FLUSHDB')
return all
";

impl Store {
    /// Reads everything, and deletes it.
    pub(super) async fn take(raw: &mut MultiplexedConnection) -> Self {
        let all: Vec<(String, Vec<Value>)> = Script::new(TAKE)
            .invoke_async(raw)
            .await
            .expect("the server answers");
        let keys = all.into_iter().map(|(key, held)| {
            let held = held.into_iter().map(text);
            (key, held.collect())
        });
        Self(keys.collect())
    }

    /// The same with another name of the queue, so that runs can be compared.
    pub(super) fn named(self, queue: &str, name: &str) -> Self {
        let named = |text: String| text.replace(queue, name);
        let keys = self.0.into_iter();
        Self(
            keys.map(|(key, held)| (named(key), held.into_iter().map(named).collect()))
                .collect(),
        )
    }

    /// How much is anywhere.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// How many elements anywhere hold these bytes.
    pub(super) fn count(&self, text: &str) -> usize {
        let held = self.0.values().flatten();
        held.filter(|element| element.contains(text)).count()
    }
}

/// Bytes as text, one character for each.
fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => bytes.into_iter().map(char::from).collect(),
        other => format!("{other:?}"),
    }
}
