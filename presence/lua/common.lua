-- What `apply` and `reap` share; it stands before each of them.
-- KEYS: processes, room, version, rooms of the process. ARGV: process, lease in µs, room id, then
-- their own. A version is never used twice, not even after a loss of all data, since it is at least
-- the time; it lives as long as somebody is in the room.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local live = redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[2], '+inf')
local function elsewhere(user)
  for _, process in ipairs(live) do
    if process ~= ARGV[1] and redis.call('HEXISTS', KEYS[2], process .. ':' .. user) == 1 then
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
