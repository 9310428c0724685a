#!lua flags=allow-oom
-- Notes that the job of an id is not to run, and drops what was noted too long ago or is too much,
-- oldest first.
--
-- KEYS
--   1 cancelled  ZSET  id, 16 bytes, by when it was noted, ms
-- ARGV
--   1 id         16 bytes
--   2 keep_ms    how long an id is kept
--   3 most       ids kept
-- Returns
--   {'cancelled'}
-- Changes
--   cancelled

local cancelled = KEYS[1]
local id, keep_ms, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', cancelled, string.format('%.0f', now), id)
local old = redis.call('ZCOUNT', cancelled, '-inf', string.format('%.0f', now - keep_ms))
local over = math.max(old, redis.call('ZCARD', cancelled) - most)
if over > 0 then
  -- What is left of very many is dropped by the next; what is too old counts for nothing.
  redis.call('ZREMRANGEBYRANK', cancelled, 0, math.min(over, 1000) - 1)
end
redis.call('PEXPIRE', cancelled, keep_ms)
return {'cancelled'}
