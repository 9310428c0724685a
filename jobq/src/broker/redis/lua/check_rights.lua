#!lua flags=no-writes
-- Says which of these commands the user may not run.
--
-- KEYS
--   (none): no key is used, and who may not use one is to get an answer
-- ARGV
--   1 words  how many words the first command has, which follow; the next ones in the same way
-- Returns
--   {'missing', place ...}: of those that it may not run, from 1
-- Changes
--   nothing

local words = 1

local reply, place = {'missing'}, 0
while ARGV[words] do
  local last = words + tonumber(ARGV[words])
  place = place + 1
  -- A command that the server was told not to have is an error, not an answer.
  local known, allowed = pcall(redis.acl_check_cmd, unpack(ARGV, words + 1, last))
  if not (known and allowed) then
    reply[#reply + 1] = place
  end
  words = last + 1
end
return reply
