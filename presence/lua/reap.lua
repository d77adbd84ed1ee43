-- Takes a dead process out of a room.
-- One more ARGV: the last heartbeat as it was when the process was found dead. False if it has
-- told something here since then.
if (beats[ARGV[1]] or 0) > tonumber(ARGV[own]) then return false end
local users, fields = {}, {}
local mine = ARGV[1] .. ':'
for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
  if string.sub(field, 1, #mine) == mine then
    fields[#fields + 1] = field
    users[#users + 1] = tonumber(string.sub(field, #mine + 1))
  end
end
room('HDEL', fields)
local also = elsewhere(users)
redis.call('SREM', KEYS[4], ARGV[3])
local before, version = bump()
return {before, version, also, users}
