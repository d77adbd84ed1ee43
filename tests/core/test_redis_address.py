"""What an address of Redis says, in its three forms."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from redis.asyncio.connection import SSLConnection
from redis.sentinel import SentinelManagedSSLConnection

from chattalk.embedded import check_address
from core import redis
from core.redis.address import read


@pytest.mark.parametrize("url", ["redis://host:1/0", "rediss://host", "unix:///run/valkey.sock"])
def test_one_server_is_left_to_the_library(url):
    assert read(url) is None and redis.parts(url) == 1
    assert redis.layer_host(url, retry=1) == {"address": url, "retry": 1}
    assert redis.cache_options(url) == {}


def test_a_cluster_is_some_hosts():
    found = read("redis+cluster://one:p%40ss@a:1,[::1]:2,c?socket_keepalive=true")
    assert found.hosts == (("a", 1), ("::1", 2), ("c", 6379))
    assert found.options == {"username": "one", "password": "p@ss", "socket_keepalive": True}
    assert redis.parts("redis+cluster://a") > 1


def test_sentinels_watch_a_service_and_have_a_user_of_their_own():
    found = read("redis+sentinel://:secret@a,b:2/main/3?sentinel_password=other")
    assert found.hosts == (("a", 26379), ("b", 2)) and found.service == "main"
    assert found.options == {"password": "secret", "db": 3}
    assert found.sentinel_options == {"password": "other"}


def test_tls_is_for_all_of_them():
    where = "host?ssl_ca_certs=/ca.pem"
    node = redis.async_connection(f"rediss+cluster://{where}", ("host", 1), 1)
    assert isinstance(node, SSLConnection) and node.ca_certs == "/ca.pem"
    one = redis.client("rediss+sentinel://host/main?ssl_ca_certs=/ca.pem")
    pool = one.connection_pool
    assert pool.connection_class is SentinelManagedSSLConnection
    sentinel = pool.sentinel_manager.sentinels[0].connection_pool
    assert sentinel.connection_kwargs["ssl_ca_certs"] == "/ca.pem"


@pytest.mark.parametrize(
    "url", ["redis://host/{}", "unix:///run/valkey.sock?db={}", "redis+sentinel://host/main/{}"]
)
def test_two_sites_have_a_mark_each(url):
    one, other = url.format(0), url.format(1)
    assert redis.mark(one, "chat") == redis.mark("redis+cluster://host", "chat")
    assert len({redis.mark(*site) for site in [(one, "chat"), (one, "b"), (other, "chat")]}) == 3
    bare = url.partition("?")[0].removesuffix("/{}")
    assert redis.mark(bare, "chat") == redis.mark(one, "chat")  # said or not


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis+cluster://", "is no host:port"),
        ("redis+cluster://a:1,", "is no host:port"),
        ("redis+cluster://a:0", "is no host:port"),
        ("redis+cluster://a:x,b:1", "'a:x' is no host:port"),
        ("redis+cluster://:hidden@a:1/2", "a cluster has no numbered databases"),
        ("redis+cluster://a:1?socket_timeout=soon", "socket_timeout"),
        ("redis+sentinel://a:1", "the service that Sentinel watches follows the hosts"),
        ("redis+sentinel://a:1/main/first", "the number of a database"),
        ("redis+sentinels://a:1/main", "must start with redis://"),
    ],
)
def test_a_malformed_one_is_refused_by_name_without_its_password(url, why):
    with pytest.raises(ImproperlyConfigured) as refused:
        check_address("REDIS_URL", url, redis.SCHEMES)
    said = str(refused.value)
    assert said.startswith("REDIS_URL ") and why in said and "hidden" not in said
