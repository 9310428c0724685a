#!lua flags=allow-oom
-- Removes all that is in one state and counts it. The lists go whole and their memory is freed
-- behind the scenes, so that a million jobs take no longer than one.
--
-- KEYS
--   1 ready     LIST  envelopes
--   2 suspects  LIST  envelopes
--   3 delayed   ZSET  envelopes by due time, ms
--   4 dead      LIST  dead records
--   5 meta      HASH  dead_bytes
-- ARGV
--   1 state     'ready' (and suspects), 'suspects', 'delayed' or 'dead'
-- Returns
--   {'purged', how many there were}
-- Changes
--   ready and suspects, or suspects, or delayed, or dead and meta

local ready, suspects, delayed, dead, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local state = ARGV[1]

local purged
if state == 'ready' then
  purged = redis.call('LLEN', ready) + redis.call('LLEN', suspects)
  redis.call('UNLINK', ready, suspects)
elseif state == 'suspects' then
  purged = redis.call('LLEN', suspects)
  redis.call('UNLINK', suspects)
elseif state == 'delayed' then
  purged = redis.call('ZCARD', delayed)
  redis.call('UNLINK', delayed)
else
  purged = redis.call('LLEN', dead)
  redis.call('HDEL', meta, 'dead_bytes')
  redis.call('UNLINK', dead)
end
return {'purged', purged}
