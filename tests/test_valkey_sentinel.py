"""Valkey that Sentinel watches, by the addresses of three Sentinels: a master and a replica."""

import asyncio

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
    assert "it is no Sentinel" in probe.redis(f"redis+sentinel://{one}/chattalk")


async def test_a_master_that_is_killed_costs_no_line_and_the_layer_is_back_soon(site, watched):
    async def kill(_room):
        await asyncio.to_thread(watched.master.kill)

    seen, killed_at = await talk(site, kill, WITHIN_SECONDS)
    assert seen.late
    assert seen.back_after(killed_at) < LAYER_BACK_SECONDS
    assert watched.replica.info("replication")["role"] == "master"
