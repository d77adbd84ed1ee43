"""Valkey that Sentinel watches, by the addresses of three Sentinels: a master and a replica."""

import signal

import pytest

from chattalk.embedded import probe
from faults.valkeys import Watched
from tests.over_a_failover import talk
from tests.stack import Stack, lent

LAYER_BACK_SECONDS = 8.0  # dead after 1 s, then they agree, wait up to 1 s, and promote
WITHIN_SECONDS = 30.0


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    watched = Watched(tmp_path_factory.mktemp("watched") / "nodes")
    watched.start()
    watched.wait()
    yield watched
    watched.stop()


@pytest.fixture
def site(django_db_setup, django_db_blocker, watched):
    often = {"MESSAGE_RATE": "100000", "MESSAGE_BURST": "100000"}
    site = Stack(database="stack_sentinel", REDIS_URL=watched.url(), **often)
    with lent(site, django_db_blocker):
        yield site
    site.close()


def test_an_address_of_another_kind_is_told_in_half_a_sentence(watched):
    one = f"127.0.0.1:{watched.master.port}"
    sentinel = f"127.0.0.1:{watched.sentinels[0].port}"
    assert probe.redis(watched.url()) == ""
    assert probe.redis(f"redis://{one}/0") == ""
    assert "it is no cluster" in probe.redis(f"redis+cluster://{one}")
    assert "it is a Sentinel" in probe.redis(f"redis://{sentinel}/0")
    assert probe.redis(watched.url("another")) == "Sentinel watches no 'another', but chattalk"
    nowhere = "redis+sentinel://127.0.0.1:1,127.0.0.1:2/chattalk"
    assert probe.redis(nowhere) == "Error 111 connecting to 127.0.0.1:2. Connection refused."
    assert "it is no Sentinel" in probe.redis(f"redis+sentinel://{one}/chattalk")


async def test_a_master_that_hangs_costs_no_line_and_the_layer_is_back_soon(site, watched):
    """No line to it breaks: who only listens there has to be told. One that dies: row A23."""

    async def hang(_room):
        watched.master.process.signal(signal.SIGSTOP)

    seen, hung_at = await talk(site, hang, WITHIN_SECONDS)
    assert seen.late
    assert seen.back_after(hung_at) < LAYER_BACK_SECONDS
    assert watched.replica.info("replication")["role"] == "master"
