#!lua flags=allow-oom
-- Takes one job that waits out of its queue; it does not run.
--
-- KEYS
--   1 ready      LIST  envelopes; the front is the right end
--   2 delayed    ZSET  envelopes by due time, ms
--   3 suspects   LIST  envelopes; the front is the right end
-- ARGV
--   1 state      'ready', 'suspects' or 'delayed'
--   2 element    the envelope as it stands there
--   3 place      how many stand before it in its list; of delayed it does not matter
-- Returns
--   {'taken'} or {'absent'}
-- Changes
--   nothing if absent; else ready, suspects or delayed

local ready, delayed, suspects = KEYS[1], KEYS[2], KEYS[3]
local state, element, place = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- LREM compares everything between an element and the end: beyond this it holds the server.
local near = 50000

if state == 'delayed' then
  return {redis.call('ZREM', delayed, element) == 1 and 'taken' or 'absent'}
end
local list = state == 'suspects' and suspects or ready
if redis.call('LINDEX', list, -1 - place) ~= element then
  return {'absent'}
end
local behind = redis.call('LLEN', list) - place
if math.min(place, behind) <= near then
  redis.call('LREM', list, place < behind and -1 or 1, element)
  return {'taken'}
end
-- The last that came takes its place. Refused half way, that one would be lost: a right that is
-- missing is to fail here.
if not redis.acl_check_cmd('LSET', list, '0', '') then redis.call('LSET', list, -1 - place, element) end
redis.call('LSET', list, -1 - place, redis.call('LPOP', list))
return {'taken'}
