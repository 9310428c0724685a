#!lua flags=allow-oom
-- Ends a worker's membership, if it owns nothing.
--
-- KEYS
--   1 workers     HASH    worker -> counter; 0 is being adopted
--   2 inflight    HASH    token -> envelope, of this worker
--   3 handoff     LIST    what this worker was woken with
--   4 timekeeper  STRING  worker id, expires
--   5 meta        HASH    gone: the highest counter of members that are gone
--   6 reports     HASH    worker -> number of its last report
-- ARGV
--   1 worker      id
-- Returns
--   {'left'} or {'owner'} of jobs in flight or in its handoff
-- Changes
--   if it left: workers, meta, reports, and timekeeper if it held the office

local workers, inflight, handoff, timekeeper = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local meta, reports = KEYS[5], KEYS[6]
local worker = ARGV[1]

if redis.call('HLEN', inflight) + redis.call('LLEN', handoff) > 0 then
  return {'owner'}
end
-- One beyond this is damage: adding to it might change nothing, and tokens would be given out twice.
local function counted(counter)
  local number = tonumber(counter) or 0
  return number < 2 ^ 52 and number or 0
end

-- A damaged office is vacant: it holds nothing that could be lost.
local holder = redis.pcall('GET', timekeeper)
local counter = redis.call('HGET', workers, worker)
local gone = counted(redis.call('HGET', meta, 'gone'))
if counted(counter) > gone then
  redis.call('HSET', meta, 'gone', counter)
end
redis.call('HDEL', workers, worker)
-- No report of one who is no member counts. A damaged key keeps nobody.
redis.pcall('HDEL', reports, worker)
if holder == worker then
  redis.call('DEL', timekeeper)
end
return {'left'}
