#!lua flags=no-writes
-- Counts a queue at one moment: read apart from one another, a job on its way from delayed to in
-- flight could be in none of the figures, and a queue at work look empty.
--
-- KEYS
--   1 ready     LIST  envelopes; the front is the right end
--   2 delayed   ZSET  envelopes by due time, ms
--   3 suspects  LIST  envelopes; the front is the right end
--   4 dead      LIST  dead records
--   5 meta      HASH  paused
--   6 workers   HASH  worker -> counter
--   7 owned     HASH, LIST  inflight and handoff of a worker that is known; more such pairs follow
-- ARGV
--   (none)
-- Returns
--   {'counted', ready, delayed, suspects, dead, paused 0/1, in flight and handed, front of ready,
--   or of suspects, or false, due of the first of delayed or false, worker ...}: all members of that
--   moment
-- Changes
--   nothing

local ready, delayed, suspects, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local meta, workers, owned = KEYS[5], KEYS[6], 7

local in_flight = 0
for i, key in ipairs(KEYS) do
  if i >= owned then
    in_flight = in_flight + redis.call(i % 2 == owned % 2 and 'HLEN' or 'LLEN', key)
  end
end
local reply = {
  'counted', redis.call('LLEN', ready), redis.call('ZCARD', delayed),
  redis.call('LLEN', suspects), redis.call('LLEN', dead),
  redis.call('HEXISTS', meta, 'paused'), in_flight,
  redis.call('LINDEX', ready, -1) or redis.call('LINDEX', suspects, -1),
  redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2] or false,
}
for _, worker in ipairs(redis.call('HKEYS', workers)) do
  reply[#reply + 1] = worker
end
return reply
