#!lua flags=allow-oom
-- Settles jobs that a worker claimed. A settlement acts only if its token is in the worker's
-- in-flight records, and removes it there.
--
-- KEYS
--   1 ready       LIST  envelopes; the front is the right end
--   2 delayed     ZSET  envelopes by due time, ms
--   3 inflight    HASH  token -> envelope, of this worker
--   4 workers     HASH  worker -> counter; 0 is being adopted
--   5 suspects    LIST  envelopes; the back is the left end
--   6 dead        LIST  dead records, newest at the left
--   7 meta        HASH  dead_bytes
-- ARGV
--   1 worker      id
--   2 resent      1 if this was sent before without an answer, else 0
--   3 cap_count   dead records kept
--   4 cap_bytes   bytes of dead records kept
--   5 cap_age     ms dead records are kept
--   6 due_signal  channel for the due time of a new first of delayed
--   7 acks        how many tokens to acknowledge follow, 0 to 1000
--   8 settlement  first of: acknowledged tokens; then, each with its token behind it,
--                 'retry' token delay_ms envelope | 'bury' token record |
--                 'front' token envelope | 'suspects' token envelope |
--                 'keep-front' token | 'keep-suspects' token
-- Returns
--   {'settled', dropped dead records, position of a stale settlement ...}, positions from 1;
--   {'reaped', ...} in the same way of a worker that is no member, or is being adopted
-- Changes
--   inflight, and by the outcomes: delayed, dead and meta, ready, suspects

local ready, delayed, inflight, workers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local suspects, dead, meta = KEYS[5], KEYS[6], KEYS[7]
local worker, resent = ARGV[1], ARGV[2] == '1'
local cap_count, cap_bytes, cap_age = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local due_signal, acks, settlement = ARGV[6], tonumber(ARGV[7]), 8

local first_other = settlement + acks
local others = #ARGV >= first_other
local alive = (tonumber(redis.call('HGET', workers, worker)) or 0) > 0
redis.call('HLEN', inflight)
if others then
  -- All keys are read before the first write: one of a wrong type fails here.
  redis.call('LLEN', ready)
  redis.call('LLEN', suspects)
  redis.call('HLEN', meta)
  -- Refused half way, it would lose jobs: a right that is missing is to fail here.
  if not redis.acl_check_cmd('ZADD', delayed, 0, '') then redis.call('ZADD', delayed, 0, '') end
  if not redis.acl_check_cmd('LPUSH', dead, '') then redis.call('LPUSH', dead, '') end
  if not redis.acl_check_cmd('RPUSH', ready, '') then redis.call('RPUSH', ready, '') end
end
local first_due = others and redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
local buried_before = others and redis.call('LLEN', dead)
local reply = {alive and 'settled' or 'reaped', 0}

-- A living worker owns every token it sends for the first time, so the number removed says all,
-- and removing many at once costs half. Where that may not hold, each is removed by itself.
local size = (alive and not resent and acks > 8) and 32 or 1
for from = 0, acks - 1, size do
  local upto = math.min(from + size, acks)
  local gone = redis.call('HDEL', inflight, unpack(ARGV, settlement + from, settlement + upto - 1))
  if gone < upto - from then
    for position = from + 1, upto do
      reply[#reply + 1] = position
    end
  end
end
if not others then
  return reply
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fronts, buried, buried_bytes = {}, 0, 0
local position, at = acks, first_other
while ARGV[at] do
  local kind, token = ARGV[at], ARGV[at + 1]
  position, at = position + 1, at + 2
  local kept = kind == 'keep-front' or kind == 'keep-suspects'
  local envelope = kept and redis.call('HGET', inflight, token)
  local owned = redis.call('HDEL', inflight, token) == 1
  if not owned then
    reply[#reply + 1] = position
  end
  if kind == 'retry' then
    if owned then
      redis.call('ZADD', delayed, string.format('%.0f', now + ARGV[at]), ARGV[at + 1])
    end
    at = at + 2
  elseif kind == 'bury' then
    if owned then
      redis.call('LPUSH', dead, ARGV[at])
      buried, buried_bytes = buried + 1, buried_bytes + #ARGV[at]
    end
    at = at + 1
  else
    if not kept then
      envelope, at = ARGV[at], at + 1
    end
    if owned and (kind == 'front' or kind == 'keep-front') then
      fronts[#fronts + 1] = envelope
    elseif owned then
      redis.call('LPUSH', suspects, envelope)
    end
  end
end

-- The first released is the first out, so it is pushed last.
for i = #fronts, 1, -1 do
  redis.call('RPUSH', ready, fronts[i])
end

local new_first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
if new_first and (not first_due or tonumber(new_first) < tonumber(first_due)) then
  -- A user without the right to publish loses the signal, not the retry.
  redis.pcall('PUBLISH', due_signal, new_first)
end

if buried == 0 then
  return reply
end

-- When a record died: ms, big-endian, at the fixed place the wire format gives it.
local function died_at(record)
  if string.byte(record, 20) ~= 0xcf or #record < 28 then
    return nil
  end
  local ms = 0
  for i = 21, 28 do
    ms = ms * 256 + string.byte(record, i)
  end
  return ms
end

-- Not counted on are bytes of a list that was deleted by hand, and more than its records can have:
-- damage, for which good records would be dropped.
local bytes = buried_bytes
local counted = tonumber(redis.call('HGET', meta, 'dead_bytes')) or 0
if counted <= buried_before * 2 ^ 29 then
  bytes = bytes + counted
end
local count, dropped = buried_before + buried, 0
while count > 0 and dropped < 100 do
  local oldest = redis.call('LINDEX', dead, -1)
  local died = died_at(oldest)
  if count <= cap_count and bytes <= cap_bytes and not (died and now - died > cap_age) then
    break
  end
  redis.call('RPOP', dead)
  count, bytes, dropped = count - 1, bytes - #oldest, dropped + 1
end
if count > 0 then
  redis.call('HSET', meta, 'dead_bytes', string.format('%.0f', math.max(0, bytes)))
else
  redis.call('HDEL', meta, 'dead_bytes')
end
reply[2] = dropped
return reply
