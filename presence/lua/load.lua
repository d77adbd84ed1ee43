-- A room as it is. KEYS: beats of the part, room, version.
local time = redis.call('TIME')
return {time[1] * 1000000 + time[2], redis.call('GET', KEYS[3]) or '0',
        redis.call('HKEYS', KEYS[1]), redis.call('HGETALL', KEYS[2])}
