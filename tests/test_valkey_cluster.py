"""A cluster of Valkey instead of one server: by its address alone."""

import pytest

from faults.valkeys import Cluster
from tests.raw_socket import frame, say, subscribe, tell
from tests.stack import Stack, lent, open_room

REFUSED = {"CROSSSLOT", "MOVED"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster") / "nodes")
    cluster.start()
    cluster.wait()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def _site(django_db_setup, django_db_blocker, cluster):
    site = Stack(database="stack_cluster", REDIS_URL=cluster.url())
    yield site
    site.close()


@pytest.fixture
def site(_site, django_db_blocker):
    with lent(_site, django_db_blocker):
        yield _site


async def test_two_people_talk_over_two_workers_and_see_each_other_type(site, cluster):
    alice, bob = await site.apeople("alice", "bob")
    room = await site.arun(open_room, alice, bob)
    async with site.socket(0, alice) as one, site.socket(1, bob) as two:
        await subscribe(one, room)
        await subscribe(two, room)
        assert (await say(one, room, "hello"))["type"] == "ack"
        assert (await frame(two, "event"))["body"] == "hello"
        await tell(two, "typing", room=room)  # it goes over the layer alone
        assert (await frame(one, "typing"))["user"]["id"] == bob.id
    assert not REFUSED & set(cluster.errors())
