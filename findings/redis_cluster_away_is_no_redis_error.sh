#!/bin/sh
# redis-py: where no node of a cluster answers, RedisCluster raises RedisClusterException, in its synchronous form out
# of the constructor already. It is no RedisError, though all that `Redis` raises is one, and so is what RedisCluster
# raises where only one node is away (ConnectionError, ClusterDownError). So `except RedisError`, by which a program
# goes on without Redis, lets through just the case in which all of it is away.
#
# Seen in the source: redis/exceptions.py, where RedisClusterException is a subclass of Exception, and ClusterError,
# next to it, of RedisError; NodesManager.initialize of redis/cluster.py and redis/asyncio/cluster.py wraps what each
# node of the start said in the first of them.
# Ours: core/redis/ turns it into a ConnectionError, so that one breaker knows all three forms of Redis.
# Runs in ten seconds: sh findings/redis_cluster_away_is_no_redis_error.sh
set -eu
REDIS=7.4.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check "redis==$REDIS"
cd "$folder"

cat > seen.py <<'PY'
import asyncio
import socket

from redis import Redis, RedisCluster, RedisError
from redis.asyncio import Redis as AsyncRedis, RedisCluster as AsyncRedisCluster

with socket.create_server(("127.0.0.1", 0)) as one:
    where = {"host": "127.0.0.1", "port": one.getsockname()[1]}  # from here on nobody listens


def told(what, error):
    print(f"{what}: {type(error).__name__}, {'a' if isinstance(error, RedisError) else 'no'} RedisError")


def ask(what, make):
    try:
        client = make(**where)
        what += ".ping"
        client.ping()
    except Exception as error:
        told(what, error)


async def later(what, make):
    client = make(**where)
    try:
        await client.ping()
    except Exception as error:
        told(what, error)
    await client.aclose()


ask("Redis", Redis)
ask("RedisCluster", RedisCluster)
asyncio.run(later("asyncio Redis.ping", AsyncRedis))
asyncio.run(later("asyncio RedisCluster.ping", AsyncRedisCluster))
PY
found=$("$folder/venv/bin/python" seen.py)
echo "redis $REDIS"
echo "$found"
expected="Redis.ping: ConnectionError, a RedisError
RedisCluster: RedisClusterException, no RedisError
asyncio Redis.ping: ConnectionError, a RedisError
asyncio RedisCluster.ping: RedisClusterException, no RedisError"
[ "$found" = "$expected" ] || { echo "this has changed; it was:"; echo "$expected"; exit 1; }
