-- Takes a dead process out of a room.
-- One more ARGV: the last heartbeat as it was when the process was found dead. False if it has
-- told something here since then.
if (beats[ARGV[1]] or 0) > tonumber(ARGV[own]) then return false end
local users, also = {}, {}
local mine = ARGV[1] .. ':'
for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
  if string.sub(field, 1, #mine) == mine then
    redis.call('HDEL', KEYS[2], field)
    users[#users + 1] = tonumber(string.sub(field, #mine + 1))
    also[#also + 1] = elsewhere(string.sub(field, #mine + 1))
  end
end
redis.call('SREM', KEYS[4], ARGV[3])
local before, version = bump()
return {before, version, also, users}
