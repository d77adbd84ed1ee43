-- Tells what a process holds in a room.
-- More ARGV: its last heartbeat, whether it keeps people in the room, then (what, user, name) for
-- each, and each user once. False for a process that was silent for too long: it must beat first.
local beat = tonumber(ARGV[own])
if beat < now - ARGV[2] then return false end
if beats[ARGV[1]] ~= beat then redis.call('HSET', KEYS[1], ARGV[1], ARGV[own]) end
beats[ARGV[1]] = beat
local users, here, gone = {}, {}, {}
for i = own + 2, #ARGV, 3 do
  local what, user, name = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  users[#users + 1] = user
  if what == 'here' then
    here[#here + 1] = ARGV[1] .. ':' .. user
    here[#here + 1] = name
  elseif what == 'gone' then
    gone[#gone + 1] = ARGV[1] .. ':' .. user
  else
    for process in pairs(beats) do gone[#gone + 1] = process .. ':' .. user end
  end
end
room('HSET', here)
room('HDEL', gone)
local also = elsewhere(users)
redis.call(ARGV[own + 1] == '1' and 'SADD' or 'SREM', KEYS[4], ARGV[3])
local before, version = bump()
return {before, version, also}
