#!lua flags=allow-oom
-- Removes exact records from the dead list and enqueues the jobs that are to run again,
-- which are not cancelled any more then.
--
-- KEYS
--   1 dead       LIST  dead records, newest at the left
--   2 ready      LIST  envelopes; the back is the left end
--   3 meta       HASH  dead_bytes
--   4 cancelled  ZSET  ids of jobs that are not to run
-- ARGV
--   1 near       how many newer records there are, about: they are looked for from the nearer end
--   2 takes      first of: 'remove' record | 'requeue' record envelope id; at most 1000; the id is
--                the job's, 16 bytes
-- Returns
--   {'taken', how many of the records were there}
-- Changes
--   dead, meta, ready, cancelled; of meta only how many bytes are dead if none was there

local dead, ready, meta, cancelled = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local near, takes = tonumber(ARGV[1]), 2

redis.call('LLEN', ready)
redis.call('ZCARD', cancelled)
local bytes = tonumber(redis.call('HGET', meta, 'dead_bytes')) or 0
local first = near < math.floor(redis.call('LLEN', dead) / 2) and 1 or -1
local taken, at = 0, takes
-- Refused half way, it would lose jobs: a right that is missing is to fail here.
if not redis.acl_check_cmd('LPUSH', ready, '') then redis.call('LPUSH', ready, '') end
while ARGV[at] do
  local kind, record = ARGV[at], ARGV[at + 1]
  at = at + 2
  local found = redis.call('LREM', dead, first, record) == 1
  if found then
    taken, bytes = taken + 1, bytes - #record
  end
  if kind == 'requeue' then
    if found then
      redis.call('LPUSH', ready, ARGV[at])
      redis.call('ZREM', cancelled, ARGV[at + 1])
    end
    at = at + 2
  end
end
if redis.call('LLEN', dead) == 0 then
  redis.call('HDEL', meta, 'dead_bytes')
else
  redis.call('HSET', meta, 'dead_bytes', string.format('%.0f', math.max(0, bytes)))
end
return {'taken', taken}
