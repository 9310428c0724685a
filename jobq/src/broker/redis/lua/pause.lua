#!lua flags=allow-oom
-- Pauses a queue: claims take nothing until the field is gone. A script, because a full Redis
-- refuses a plain HSET.
--
-- KEYS
--   1 meta  HASH  paused
-- ARGV
--   (none)
-- Returns
--   {'paused'}
-- Changes
--   meta

local meta = KEYS[1]

redis.call('HSET', meta, 'paused', '1')
return {'paused'}
