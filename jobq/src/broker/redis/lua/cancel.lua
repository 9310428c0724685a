#!lua flags=allow-oom
-- Notes that the job of an id is not to run, until all that is delayed now has been due for some time,
-- and drops the ids whose time is over or that are too many, those cancelled longest ago first.
--
-- KEYS
--   1 cancelled   ZSET  id, 16 bytes, by until when it counts, ms
--   2 delayed     ZSET  envelopes by due time, ms
-- ARGV
--   1 id          16 bytes
--   2 keep_ms     how long an id counts from now, and from the last due time
--   3 latest_due  the last due time that counts, ms; later ones count as this
--   4 most        ids kept
-- Returns
--   {'cancelled'}
-- Changes
--   cancelled

local cancelled, delayed = KEYS[1], KEYS[2]
local id, keep_ms = ARGV[1], tonumber(ARGV[2])
local latest_due, most = tonumber(ARGV[3]), tonumber(ARGV[4])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last_due = redis.call('ZRANGE', delayed, -1, -1, 'WITHSCORES')[2] or 0
local last_until = redis.call('ZRANGE', cancelled, -1, -1, 'WITHSCORES')[2] or 0

local counts = math.max(now, math.min(tonumber(last_due), latest_due)) + keep_ms
-- Later than all others, also if the same job is the last for many: the set is in the order of the
-- cancellations, and ends with the latest. Twice that time is the last that is exact.
counts = math.max(counts, math.min(tonumber(last_until) + 1, 2 * latest_due))
counts = string.format('%.0f', counts)
redis.call('ZADD', cancelled, counts, id)
local old = redis.call('ZCOUNT', cancelled, '-inf', string.format('%.0f', now))
local over = math.max(old, redis.call('ZCARD', cancelled) - most)
if over > 0 then
  -- What is left of very many is dropped by the next; what is too old counts for nothing.
  redis.call('ZREMRANGEBYRANK', cancelled, 0, math.min(over, 1000) - 1)
end
redis.call('PEXPIREAT', cancelled, counts)
return {'cancelled'}
