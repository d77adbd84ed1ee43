-- What `apply` and `reap` share; it stands before each of them.
-- KEYS: beats of the part, room, version, rooms of the process. ARGV: process, lease in µs, room id,
-- how many processes lived as far as who asks knows, then these, then their own from ARGV[own] on.
-- A process lives, too, that told something in the part since then: it is newer than what they know.
-- A version is never used twice, not even after a loss of all data, since it is at least the time;
-- it lives as long as somebody is in the room.
local PIECE = 1000  -- words of one command; Lua has a stack of some thousands
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
-- A command on the room, with many words, which belong together in pairs.
local function room(command, words)
  local answers = {}
  for from = 1, #words, PIECE do
    local last = math.min(from + PIECE - 1, #words)
    answers[#answers + 1] = redis.call(command, KEYS[2], unpack(words, from, last))
  end
  return answers
end
-- For each of these users whether another live process holds them, too: 1 or 0.
local function elsewhere(users)
  local also = {}
  for n = 1, #users do also[n] = 0 end
  for process in pairs(beats) do
    if process ~= ARGV[1] and live[process] then
      local fields = {}
      for n, user in ipairs(users) do fields[n] = process .. ':' .. user end
      for piece, names in ipairs(room('HMGET', fields)) do
        for n, name in ipairs(names) do
          if name then also[(piece - 1) * PIECE + n] = 1 end
        end
      end
    end
  end
  return also
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
