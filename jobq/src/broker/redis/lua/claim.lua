#!lua flags=allow-oom
-- Takes jobs for a worker, or one suspect, and says what else it should know. Cancelled jobs are
-- taken like all others: who claims asks for their ids before it starts them.
--
-- KEYS
--   1 ready      LIST  envelopes; the front is the right end
--   2 delayed    ZSET  envelopes by due time, ms
--   3 inflight   HASH  token -> envelope, of this worker
--   4 handoff    LIST  what this worker was woken with; the front is the right end
--   5 workers    HASH  worker -> counter; 0 is being adopted
--   6 suspects   LIST  envelopes that were there when workers died; the front is the right end
--   7 meta       HASH  paused, gone: the highest counter of members that are gone
--   8 cancelled  ZSET  ids of jobs that are not to run, by until when they count, ms
-- ARGV
--   1 worker     id
--   2 known      the highest counter it was answered, 0 when it joins
--   3 max        jobs wanted, 0 to 1000
--   4 suspect    1 asks for one suspect instead, else 0
--   5 max_bytes  bytes of envelopes at the most, unless the first alone is larger
--   6 max_due    delayed jobs to promote at the most, up to 1000
-- Returns
--   {'reaped'} or
--   {'granted', counter, ms until the next is due or false, paused 0/1, suspects, cancelled ids,
--   envelope ...}; what is due already is so in less than 0 ms
-- Changes
--   nothing if reaped; else workers, and by what moves: delayed, ready, handoff, suspects, inflight

local ready, delayed, inflight, handoff = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local workers, suspects, meta, cancelled = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local worker, known, max = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local suspect, max_bytes, max_due = ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6])

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

-- All keys are read before the first write: one of a wrong type fails here, with nothing moved.
redis.call('LLEN', ready)
redis.call('HLEN', inflight)
local handed = redis.call('LLEN', handoff)
local waiting_suspects = redis.call('LLEN', suspects)
local paused = redis.call('HGET', meta, 'paused')
local cancelled_ids = redis.call('ZCARD', cancelled)
local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')

-- Refused half way, it would lose jobs: a right that is missing is to fail here.
if not redis.acl_check_cmd('RPUSH', ready, '') then redis.call('RPUSH', ready, '') end

local counter = string.format('%.0f', math.max(count, known) + 1)
redis.call('HSET', workers, worker, counter)

local next_due = false
if first[1] then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if tonumber(first[2]) <= now then
    local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, max_due)
    redis.call('ZREM', delayed, unpack(due))
    local latest_first = {}
    for i = #due, 1, -1 do
      latest_first[#latest_first + 1] = due[i]
    end
    redis.call('RPUSH', ready, unpack(latest_first))
    first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  end
  if first[1] then
    next_due = math.min(tonumber(first[2]) - now, 9e15)
  end
end

local reply = {
  'granted', counter, next_due, paused and 1 or 0, waiting_suspects, cancelled_ids,
}
local taken, bytes, largest, size = 0, 0, 1, 16

-- Lua formats every number it puts into a string; by tens, that costs a tenth.
local digits = {[0] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'}
local stem, fields = counter .. '.', {}

local function next_token()
  taken = taken + 1
  local digit = taken % 10
  if digit == 0 then
    stem = counter .. '.' .. taken / 10
  end
  return stem .. digits[digit]
end

-- Moves up to `wanted` from the front of `list` into inflight; once it has stopped at the bytes, no
-- more of any list. It pops in chunks: as large as the largest envelope so far lets them be, so that
-- what goes over the bytes, and back, is little.
local function take(list, wanted)
  while wanted > 0 do
    local chunk = redis.call('RPOP', list, math.min(size, wanted))
    if not chunk then
      return
    end
    local fits = #chunk
    for i = 1, #chunk do
      local length = #chunk[i]
      bytes = bytes + length
      largest = math.max(largest, length)
      if bytes > max_bytes and taken > 0 then
        fits = i - 1
        break
      end
      fields[2 * i - 1] = next_token()
      fields[2 * i] = chunk[i]
      reply[6 + taken] = chunk[i]
    end
    if fits > 0 then
      redis.call('HSET', inflight, unpack(fields, 1, 2 * fits))
    end
    if fits < #chunk then
      local back = {}
      for i = #chunk, fits + 1, -1 do
        back[#back + 1] = chunk[i]
      end
      redis.call('RPUSH', list, unpack(back))
      return
    end
    wanted = wanted - #chunk
    size = math.min(100, math.max(1, math.floor((max_bytes - bytes) / largest)))
  end
end

if suspect then
  if not paused and max > 0 then
    take(suspects, 1)
    reply[5] = waiting_suspects - taken
  end
  return reply
end

-- What was handed is the front of ready again, and is taken from there. A worker is handed one job at
-- a time, so this is little; the last handed goes back first.
for _ = 1, math.min(handed, 1000) do
  redis.call('LMOVE', handoff, ready, 'LEFT', 'RIGHT')
end
if not paused then
  take(ready, max)
end
return reply
