-- A sign of life. KEYS: processes. ARGV: process, lease in µs.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
return {now, score >= now - ARGV[2] and 1 or 0,
        redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')}
