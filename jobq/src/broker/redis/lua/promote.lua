#!lua flags=allow-oom
-- Makes a worker the timekeeper of its queue, or keeps it in office, if there is no other; the
-- timekeeper moves what is due to the front of ready.
--
-- KEYS
--   1 timekeeper  STRING  worker id, expires
--   2 delayed     ZSET    envelopes by due time, ms
--   3 ready       LIST    envelopes; the front is the right end
-- ARGV
--   1 worker      id
--   2 office      ms the office lasts without another look, above 0
--   3 max_due     delayed jobs to promote at the most, up to 1000
-- Returns
--   {'timekeeper' or 'other', moved, ms until the next is due or false}
-- Changes
--   if there is no other timekeeper: timekeeper, delayed, ready

local timekeeper, delayed, ready = KEYS[1], KEYS[2], KEYS[3]
local worker, office, max_due = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- A damaged office is vacant: it holds nothing that could be lost.
local holder = redis.pcall('GET', timekeeper)
redis.call('LLEN', ready)
local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
local mine = type(holder) ~= 'string' or holder == worker
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local moved = 0
-- Refused half way, it would lose jobs: a right that is missing is to fail here.
if not redis.acl_check_cmd('RPUSH', ready, '') then redis.call('RPUSH', ready, '') end
if mine then
  redis.call('SET', timekeeper, worker, 'PX', office)
  if first[1] and tonumber(first[2]) <= now then
    local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, max_due)
    redis.call('ZREM', delayed, unpack(due))
    local latest_first = {}
    for i = #due, 1, -1 do
      latest_first[#latest_first + 1] = due[i]
    end
    redis.call('RPUSH', ready, unpack(latest_first))
    first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
    moved = #due
  end
end
local next_due = false
if first[1] then
  next_due = math.min(tonumber(first[2]) - now, 9e15)
end
return {mine and 'timekeeper' or 'other', moved, next_due}
