-- Forgets a dead process, in one place. KEYS: the processes (zset), or the beats of a part (hash).
-- ARGV: process, its last heartbeat as it was when the process was found dead; it may have moved.
local is_set = redis.call('TYPE', KEYS[1]).ok == 'zset'
local beat = redis.call(is_set and 'ZSCORE' or 'HGET', KEYS[1], ARGV[1])
if not beat or tonumber(beat) > tonumber(ARGV[2]) then return 0 end
return redis.call(is_set and 'ZREM' or 'HDEL', KEYS[1], ARGV[1])
