#!lua flags=no-writes
-- Says which commands of a worker's steps the user may not run on the keys of a queue.
--
-- KEYS
--   1 ready       LIST    envelopes
--   2 delayed     ZSET    envelopes by due time, ms
--   3 inflight    HASH    token -> envelope, of a worker that there never was
--   4 handoff     LIST    of the same worker
--   5 workers     HASH    worker -> counter
--   6 suspects    LIST    envelopes
--   7 dead        LIST    dead records
--   8 cancelled   ZSET    ids of jobs that are not to run
--   9 timekeeper  STRING  worker
--   10 meta       HASH    paused, totals
-- ARGV
--   (none)
-- Returns
--   {'rights', 'command key' ...}: those that are missing
-- Changes
--   nothing

local ready, delayed, inflight, handoff = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local workers, suspects, dead, cancelled = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local timekeeper, meta = KEYS[9], KEYS[10]

local reply = {'rights'}

local function need(command, ...)
  -- A command that the server was told not to have is an error, not an answer.
  local known, allowed = pcall(redis.acl_check_cmd, command, ...)
  if not (known and allowed) then
    reply[#reply + 1] = command .. ' ' .. (... or '')
  end
end

need('BLMOVE', ready, handoff, 'RIGHT', 'LEFT', '1')
need('LMOVE', handoff, ready, 'LEFT', 'RIGHT')
for _, list in ipairs({ready, suspects, dead}) do
  need('LPUSH', list, '')
end
for _, list in ipairs({ready, handoff, suspects, dead}) do
  need('RPOP', list)
  need('LLEN', list)
end
need('RPUSH', ready, '')
need('LINDEX', dead, '-1')
need('ZADD', delayed, '0', '')
need('ZREM', delayed, '')
need('ZRANGE', delayed, '0', '0')
need('ZRANGEBYSCORE', delayed, '0', '0')
need('ZCOUNT', delayed, '0', '0')
need('ZCARD', cancelled)
need('ZMSCORE', cancelled, '')
for _, hash in ipairs({inflight, workers, meta}) do
  need('HSET', hash, '', '')
  need('HDEL', hash, '')
  need('HGET', hash, '')
  need('HLEN', hash)
end
need('HKEYS', inflight)
need('HGETALL', workers)
need('HRANDFIELD', inflight, '1')
need('HEXISTS', meta, '')
need('GET', timekeeper)
need('SET', timekeeper, '')
need('DEL', timekeeper)
need('SCAN', '0')
need('TIME')
need('CLIENT', 'UNBLOCK', '1')
need('EVALSHA', '', '0')
need('EVAL', '', '0')
return reply
