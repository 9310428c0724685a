#!lua flags=allow-oom
-- Leaves an order for a worker, in place of the one before; but of an order to stop there is none to
-- be quiet. A script, because a full Redis refuses a plain SET.
--
-- KEYS
--   1 order  STRING  quiet or stop, expires
-- ARGV
--   1 word   quiet or stop
--   2 kept   ms
-- Returns
--   {'ordered'}
-- Changes
--   order

local order = KEYS[1]
local word, kept = ARGV[1], ARGV[2]

if word == 'stop' or redis.call('GET', order) ~= 'stop' then
  redis.call('SET', order, word, 'PX', kept)
end
return {'ordered'}
