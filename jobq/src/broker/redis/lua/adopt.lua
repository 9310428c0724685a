#!lua flags=allow-oom
-- Takes over what a dead worker had in flight, under new tokens of the adopter, by its old tokens (of
-- more than 5,000 any go first). What it was handed goes back to the front of ready: it never started.
--
-- KEYS
--   1 workers    HASH  worker -> counter; 0 is being adopted
--   2 inflight   HASH  token -> envelope, of the adopter
--   3 records    HASH  token -> envelope, of the target
--   4 handoff    LIST  what the target was woken with; the front is the right end
--   5 ready      LIST  envelopes; the front is the right end
--   6 meta       HASH  gone: the highest counter of members that are gone
--   7 reports    HASH  worker -> number of its last report
-- ARGV
--   1 worker     id of the adopter
--   2 known      the highest counter the adopter was answered, 0 when it joins
--   3 target     id of the worker to adopt
--   4 seen       the target's counter as observed, '' if it is no member
--   5 max        jobs in flight at the most, 1 to 1000
--   6 max_bytes  bytes of envelopes at the most, unless the first alone is larger
-- Returns
--   {'reaped'}, {'alive'} or {'taken', counter, more 0/1, envelope ...}
-- Changes
--   nothing if reaped or alive; else workers, inflight, records, handoff, ready, meta, reports

local workers, inflight, records = KEYS[1], KEYS[2], KEYS[3]
local handoff, ready, meta, reports = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local worker, known, target, seen = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local max, max_bytes = tonumber(ARGV[5]), tonumber(ARGV[6])

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
local targets = redis.call('HGET', workers, target)
local under_way = targets and counted(targets) < 1
local as_seen = (targets or '') == seen
if worker == target or not (under_way or as_seen) then
  return {'alive'}
end
redis.call('HLEN', inflight)
local handed = redis.call('LLEN', handoff)
local gone = counted(redis.call('HGET', meta, 'gone'))

-- To sort very many in each of many calls would hold the server for long: then any of them go first.
local tokens
if redis.call('HLEN', records) > 5000 then
  tokens = redis.call('HRANDFIELD', records, max)
else
  tokens = redis.call('HKEYS', records)
end

-- Order of the tokens: claim, then index. A field that is no token comes last; it is adopted too,
-- or nothing would ever remove it.
local order = {}
for i = 1, #tokens do
  local claim, index = string.match(tokens[i], '^(%d+)%.(%d+)$')
  order[tokens[i]] = {tonumber(claim) or math.huge, tonumber(index) or math.huge}
end
table.sort(tokens, function(a, b)
  local x, y = order[a], order[b]
  if x[1] ~= y[1] then
    return x[1] < y[1]
  end
  return x[2] < y[2]
end)

-- The first write: where it is refused, nothing has moved. The last handed goes back first.
for _ = 1, math.min(handed, 1000) do
  redis.call('LMOVE', handoff, ready, 'LEFT', 'RIGHT')
end

local counter = string.format('%.0f', math.max(count, known) + 1)
redis.call('HSET', workers, worker, counter, target, '0')
if counted(targets) > gone then
  redis.call('HSET', meta, 'gone', targets)
end
local reply = {'taken', counter, 0}
local taken, bytes = 0, 0

for i = 1, #tokens do
  if taken >= max then
    break
  end
  local envelope = redis.call('HGET', records, tokens[i])
  bytes = bytes + #envelope
  if bytes > max_bytes and taken > 0 then
    break
  end
  taken = taken + 1
  redis.call('HDEL', records, tokens[i])
  redis.call('HSET', inflight, counter .. '.' .. taken, envelope)
  reply[3 + taken] = envelope
end

if redis.call('HLEN', records) + redis.call('LLEN', handoff) > 0 then
  reply[3] = 1
else
  redis.call('HDEL', workers, target)
  -- No report of one who is no member counts. A damaged key keeps no job from being adopted.
  redis.pcall('HDEL', reports, target)
end
return reply
