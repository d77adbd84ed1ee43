-- A room as it is. KEYS: processes, room, version.
local time = redis.call('TIME')
return {time[1] * 1000000 + time[2], redis.call('GET', KEYS[3]) or '0',
        redis.call('ZRANGE', KEYS[1], 0, -1), redis.call('HGETALL', KEYS[2])}
