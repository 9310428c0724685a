#!lua flags=allow-oom
-- Adds to a queue's totals what a member says that its jobs came to: once for each report.
--
-- KEYS
--   1 workers  HASH  worker -> counter; 0 is being adopted
--   2 reports  HASH  worker -> number of its last report
--   3 totals   HASH  job name -> done, failed, retried, dead, ms spent: digits, blanks between them
-- ARGV
--   1 worker   id
--   2 number   of the report, from 1; the same if it is sent again
--   3 names    kept apart at the most
--   4 other    the name of the rest
--   5 tally    job name; done, failed, retried, dead and ms follow it, and more such tallies
-- Returns
--   {'counted'}, also if it was before, or {'reaped'}
-- Changes
--   reports and totals, unless reaped or counted before

local workers, reports, totals = KEYS[1], KEYS[2], KEYS[3]
local worker, number, names, other, tally = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], 5

if (tonumber(redis.call('HGET', workers, worker)) or 0) < 1 then
  return {'reaped'}
end
if number <= (tonumber(redis.call('HGET', reports, worker)) or 0) then
  return {'counted'}
end
-- That of the rest is none of the names that are kept apart.
local known = redis.call('HLEN', totals) - redis.call('HEXISTS', totals, other)
redis.call('HSET', reports, worker, string.format('%.0f', number))
-- Figures beyond these five are a newer worker's, and kept.
local figures = 5
for at = tally, #ARGV, 1 + figures do
  local name = ARGV[at]
  local stored = redis.call('HGET', totals, name)
  if not stored and name ~= other then
    if known < names then
      known = known + 1
    else
      name = other
      stored = redis.call('HGET', totals, name)
    end
  end
  local sums = {}
  for figure in string.gmatch(stored or '', '%d+') do
    sums[#sums + 1] = figure
  end
  for place = 1, figures do
    sums[place] = string.format('%.0f', (sums[place] or 0) + ARGV[at + place])
  end
  redis.call('HSET', totals, name, table.concat(sums, ' '))
end
return {'counted'}
