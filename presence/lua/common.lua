-- What `apply` and `reap` share; it stands before each of them.
-- KEYS: beats of the part, room, version, rooms of the process. ARGV: process, lease in µs, room id,
-- how many processes lived as far as who asks knows, then these, then their own from ARGV[own] on.
-- A process lives, too, that told something in the part since then: it is newer than what they know.
-- A version is never used twice, not even after a loss of all data, since it is at least the time;
-- it lives as long as somebody is in the room.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local own = 5 + ARGV[4]
local beats, live = {}, {}
for i = 5, own - 1 do live[ARGV[i]] = true end
local found = redis.call('HGETALL', KEYS[1])
for i = 1, #found, 2 do
  beats[found[i]] = tonumber(found[i + 1])
  if beats[found[i]] >= now - ARGV[2] then live[found[i]] = true end
end
local function elsewhere(user)
  for process in pairs(beats) do
    if process ~= ARGV[1] and live[process]
       and redis.call('HEXISTS', KEYS[2], process .. ':' .. user) == 1 then
      return 1
    end
  end
  return 0
end
local function bump()
  local before = tonumber(redis.call('GET', KEYS[3]) or '0')
  local version = math.max(before + 1, now)
  if redis.call('EXISTS', KEYS[2]) == 1 then
    redis.call('SET', KEYS[3], string.format('%.0f', version))
  else
    redis.call('DEL', KEYS[3])
  end
  return before, version
end
