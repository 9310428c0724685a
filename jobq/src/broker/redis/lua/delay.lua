#!lua
-- Enqueues jobs with a due time.
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

local before = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local args = {}
for at = entries, #ARGV, 2 do
  local due = ARGV[at]
  if string.sub(due, 1, 1) == '+' then
    due = string.format('%.0f', now + string.sub(due, 2))
  end
  args[#args + 1] = due
  args[#args + 1] = ARGV[at + 1]
end
redis.call('ZADD', delayed, unpack(args))

local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
if first and (not before or tonumber(first) < tonumber(before)) then
  -- A user without the right to publish loses the signal, not the job.
  redis.pcall('PUBLISH', due_signal, first)
end
return {'delayed'}
