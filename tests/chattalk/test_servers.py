"""The embedded servers answer, and each in its own way."""

import stat

import psutil
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from chattalk.embedded import data_dir


@pytest.mark.django_db
def test_the_database_speaks_postgresql_and_waits_for_the_disk():
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SHOW server_encoding")
        assert cursor.fetchone() == ("UTF8",)


@pytest.mark.django_db
def test_capitals_are_folded_beyond_ascii():
    with connection.cursor() as cursor:
        cursor.execute("SELECT upper('é한국'), 'ÉTÉ' ILIKE 'été'")
        assert cursor.fetchone() == ("É한국", True)


def test_the_cache_keeps_a_value():
    cache.set("kept", {"a": 1}, 30)
    assert cache.get("kept") == {"a": 1}


async def test_the_channel_layer_carries_a_message():
    from channels.layers import get_channel_layer

    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("room", channel)
    await layer.group_send("room", {"type": "said"})
    assert await layer.receive(channel) == {"type": "said"}
    await layer.flush()


def test_the_document_store_keeps_a_document():
    import pymongo

    with pymongo.MongoClient(settings.MONGODB_URL) as client:
        things = client.get_default_database()["things"]
        things.update_one({"_id": "a.b@c"}, {"$set": {"n": 1}}, upsert=True)
        assert things.find_one({"_id": "a.b@c"})["n"] == 1


@pytest.mark.parametrize("name", ["postgres/.s.PGSQL.5432", "valkey.sock", "mongodb.sock"])
def test_each_server_is_for_nobody_else_of_the_machine(name):
    """Two of them know no passwords, and one lets in who may open the socket."""
    path = data_dir.socket_folder(settings.DATA_DIR) / name
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0
    data = str(settings.DATA_DIR)
    servers = [one for one in psutil.Process().children() if data in " ".join(one.cmdline())]
    assert len(servers) == 3
    opened = {line.laddr for server in servers for line in server.net_connections()}
    assert not [address for address in opened if not isinstance(address, str)]
