#!lua flags=allow-oom
-- Says that a worker lives: its counter rises.
--
-- KEYS
--   1 workers   HASH  worker -> counter; 0 is being adopted
--   2 inflight  HASH  token -> envelope, of this worker
--   3 handoff   LIST  what this worker was woken with
--   4 suspects  LIST  envelopes
--   5 meta      HASH  paused, gone: the highest counter of members that are gone
-- ARGV
--   1 worker    id
--   2 known     the highest counter it was answered, 0 when it joins
-- Returns
--   {'reaped'} or {'alive', counter, in flight, handed, paused 0/1, suspects}
-- Changes
--   workers, unless reaped

local workers, inflight, handoff, suspects, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local worker, known = ARGV[1], tonumber(ARGV[2])

-- One beyond this is damage: adding to it might change nothing, and tokens would be given out twice.
local function counted(counter)
  local number = tonumber(counter) or 0
  return number < 2 ^ 52 and number or 0
end

local stored = redis.call('HGET', workers, worker)
local count = counted(stored)
if count < 1 and (stored or known > 0) then
  return {'reaped'}
end
if not stored then
  -- A token of a membership before may still be on its way: a new one starts above all of those.
  count = counted(redis.call('HGET', meta, 'gone'))
end
local counter = string.format('%.0f', math.max(count, known) + 1)
-- First, and whatever the other keys hold: a damaged one must not end the lease.
redis.call('HSET', workers, worker, counter)
local paused = redis.call('HGET', meta, 'paused') and 1 or 0
return {
  'alive', counter, redis.call('HLEN', inflight), redis.call('LLEN', handoff), paused,
  redis.call('LLEN', suspects),
}
