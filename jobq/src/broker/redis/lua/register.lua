#!lua flags=allow-oom
-- Keeps what a worker tells of itself, and drops what was told by a few who have been silent since.
--
-- KEYS
--   1 registry  HASH  worker -> when it told, ms of this clock; for how many ms that is kept; what it told
-- ARGV
--   1 worker    id
--   2 kept      ms
--   3 record    bytes
-- Returns
--   {'registered'}
-- Changes
--   registry

local registry = KEYS[1]
local worker, kept, record = ARGV[1], ARGV[2], ARGV[3]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local told = string.format('%.0f ', now) .. kept .. ' ' .. record
redis.call('HSET', registry, worker, told)
-- It goes with the last of them, if no other comes to drop what they told. A user without the right
-- leaves it behind, and is told of all the same.
redis.pcall('PEXPIRE', registry, kept, 'NX')
redis.pcall('PEXPIRE', registry, kept, 'GT')
for _, id in ipairs(redis.call('HRANDFIELD', registry, 4)) do
  local seen, lasts = string.match(redis.call('HGET', registry, id), '^(%d+) (%d+) ')
  if not seen or seen + lasts < now then
    redis.call('HDEL', registry, id)
  end
end
return {'registered'}
