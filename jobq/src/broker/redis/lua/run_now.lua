#!lua flags=allow-oom
-- Moves one delayed job to the front of ready, before its time; it is not cancelled any more then.
--
-- KEYS
--   1 delayed    ZSET  envelopes by due time, ms
--   2 ready      LIST  envelopes; the front is the right end
--   3 cancelled  ZSET  ids of jobs that are not to run
-- ARGV
--   1 element    the envelope as it stands in delayed
--   2 envelope   the envelope as it goes into ready
--   3 id         the job's, 16 bytes
-- Returns
--   {'moved'} or {'absent'}
-- Changes
--   nothing if absent; else delayed, ready, cancelled

local delayed, ready, cancelled = KEYS[1], KEYS[2], KEYS[3]
local element, envelope, id = ARGV[1], ARGV[2], ARGV[3]

redis.call('LLEN', ready)
redis.call('ZCARD', cancelled)
-- Refused half way, it would lose jobs: a right that is missing is to fail here.
if not redis.acl_check_cmd('RPUSH', ready, '') then redis.call('RPUSH', ready, '') end
if redis.call('ZREM', delayed, element) == 0 then
  return {'absent'}
end
redis.call('RPUSH', ready, envelope)
redis.call('ZREM', cancelled, id)
return {'moved'}
