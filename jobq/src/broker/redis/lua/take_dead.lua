#!lua flags=allow-oom
-- Removes one exact record from the dead list and, if asked, enqueues its job again, which is not
-- cancelled any more then.
--
-- KEYS
--   1 dead       LIST  dead records
--   2 ready      LIST  envelopes; the back is the left end
--   3 meta       HASH  dead_bytes
--   4 cancelled  ZSET  ids of jobs that are not to run
-- ARGV
--   1 record     the bytes of the record
--   2 requeue    1 puts the envelope at the back of ready, else 0
--   3 envelope   bytes, or ''
--   4 id         the job's, 16 bytes, or ''
-- Returns
--   {'taken'} or {'absent'}
-- Changes
--   nothing if absent; else dead, meta, and if asked ready, cancelled

local dead, ready, meta, cancelled = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local record, requeue, envelope, id = ARGV[1], ARGV[2] == '1', ARGV[3], ARGV[4]

redis.call('LLEN', ready)
redis.call('ZCARD', cancelled)
local bytes = tonumber(redis.call('HGET', meta, 'dead_bytes') or 0) or 0
if redis.call('LREM', dead, 1, record) == 0 then
  return {'absent'}
end
if requeue then
  redis.call('LPUSH', ready, envelope)
  redis.call('ZREM', cancelled, id)
end
if redis.call('LLEN', dead) == 0 then
  redis.call('HDEL', meta, 'dead_bytes')
else
  redis.call('HSET', meta, 'dead_bytes', string.format('%.0f', math.max(0, bytes - #record)))
end
return {'taken'}
