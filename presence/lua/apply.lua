-- Tells what a process holds in a room.
-- More ARGV: whether the process keeps people in the room, then (what, user, name) for each.
-- False for a process that is not known or was silent for too long: it must beat first.
local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
if score < now - ARGV[2] then return false end
local known = redis.call('ZRANGE', KEYS[1], 0, -1)
local also = {}
for i = 5, #ARGV, 3 do
  local what, user, name = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if what == 'here' then
    redis.call('HSET', KEYS[2], ARGV[1] .. ':' .. user, name)
  elseif what == 'gone' then
    redis.call('HDEL', KEYS[2], ARGV[1] .. ':' .. user)
  else
    for _, process in ipairs(known) do redis.call('HDEL', KEYS[2], process .. ':' .. user) end
  end
  also[#also + 1] = elsewhere(user)
end
redis.call(ARGV[4] == '1' and 'SADD' or 'SREM', KEYS[4], ARGV[3])
local before, version = bump()
return {before, version, also}
