#!lua
-- Enqueues jobs with a due time. It reads no job: a user without the right to see any may enqueue.
--
-- KEYS
--   1 delayed     ZSET  envelopes by due time, ms
-- ARGV
--   1 due_signal  channel for the due time of a new first of delayed
--   2 entries     first of: due, envelope; due is ms since the epoch, or '+' and ms from now;
--                 at most 1000 pairs
-- Returns
--   {'delayed'}
-- Changes
--   delayed

local delayed = KEYS[1]
local due_signal, entries = ARGV[1], 2

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local args = {}
local first
for at = entries, #ARGV, 2 do
  local due = ARGV[at]
  if string.sub(due, 1, 1) == '+' then
    due = string.format('%.0f', now + string.sub(due, 2))
  end
  args[#args + 1] = due
  args[#args + 1] = ARGV[at + 1]
  if not first or tonumber(due) < tonumber(first) then
    first = due
  end
end
local sooner = redis.call('ZCOUNT', delayed, '-inf', first)
redis.call('ZADD', delayed, unpack(args))

if sooner == 0 then
  -- A user without the right to publish loses the signal, not the job.
  redis.pcall('PUBLISH', due_signal, first)
end
return {'delayed'}
