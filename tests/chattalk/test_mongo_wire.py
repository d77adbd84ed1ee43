"""The embedded server of MongoDB's wire: a bulk is committed once, before it is answered."""

import socket
import subprocess
import sys
import time

import pytest

from chattalk.embedded import mongo_wire, probe
from chattalk.embedded.mongo_wire_main import OneCommit

FULL = 2  # PRAGMA synchronous: each commit waits for the disk


@pytest.fixture
def server(tmp_path):
    handler = OneCommit(data_dir=str(tmp_path))
    yield handler
    handler.close_all()


def ask(server, **command):
    sections = [("body", command | {"$db": "chattalk"})]
    handle = server.handle_insert if "insert" in command else server.handle_command
    return handle({"request_id": 1, "sections": sections, "_conn_id": "one"})[1]


def insert(server, *names, **more):
    documents = [{"_id": name, "n": 0, **more} for name in names]
    concern = {"j": True}
    return ask(server, insert="kept", documents=documents, ordered=False, writeConcern=concern)


def names(server):
    found = ask(server, find="kept", filter={})["cursor"]["firstBatch"]
    return sorted(one["_id"] for one in found)


@pytest.fixture
def statements(server):
    """Those that SQLite gets from here on."""
    found = []
    server.get_database("chattalk").db.set_trace_callback(found.append)
    return found


def test_a_bulk_is_one_commit_that_waits_for_the_disk(server, statements):
    assert insert(server, *map(str, range(40)))["n"] == 40
    updates = [{"q": {"_id": str(one)}, "u": {"$set": {"n": 1}}} for one in range(40)]
    assert ask(server, update="kept", updates=updates, ordered=False)["nModified"] == 40
    deletes = [{"q": {"_id": str(one)}, "limit": 1} for one in range(40)]
    assert ask(server, delete="kept", deletes=deletes, ordered=False)["n"] == 40
    assert statements.count("COMMIT") == 3 and statements.count("BEGIN IMMEDIATE") == 3
    kept = server.get_database("chattalk").db
    assert kept.execute("PRAGMA synchronous").fetchone()[0] == FULL
    assert not kept.in_transaction


def test_one_document_that_is_refused_takes_none_of_the_others_with_it(server):
    insert(server, "b")
    answer = insert(server, "a", "b", "c")
    assert [(one["index"], one["code"]) for one in answer["writeErrors"]] == [(1, 11000)]
    assert answer["n"] == 2 and names(server) == ["a", "b", "c"]


def test_on_a_full_disk_what_was_said_to_be_stored_is_and_it_goes_on_after_it(server):
    insert(server, "a")
    kept = server.get_database("chattalk").db
    pages = kept.execute("PRAGMA page_count").fetchone()[0]
    kept.execute(f"PRAGMA max_page_count = {pages + 8}")
    try:
        answer = insert(server, *map(str, range(40)), text="x" * 3000)
        stored, said = answer["n"], str(answer["writeErrors"])
    except OSError as error:  # nothing is promised then
        stored, said = 0, str(error)
    assert "database or disk is full" in said
    assert len(names(server)) >= 1 + stored and not kept.in_transaction
    kept.execute("PRAGMA max_page_count = 100000")
    assert insert(server, "z")["n"] == 1


def test_a_command_that_fails_leaves_no_transaction_open(server, monkeypatch):
    def fail(*_args):
        raise ValueError("a fault of the server")

    insert(server, "a")
    with monkeypatch.context() as patch:
        patch.setattr("nx_27017.handler._bulk_write_error", fail)
        with pytest.raises(ValueError):
            insert(server, "b", "a", "c")
    assert names(server) == ["a"] and insert(server, "b")["n"] == 1


def test_it_listens_on_an_address_for_hosts_that_share_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        where = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-P", mongo_wire.PROGRAM, tmp_path, where]
    with subprocess.Popen(command) as server:
        try:
            deadline = time.monotonic() + 20
            while said := probe.mongodb(f"mongodb://{where}/", 1):
                assert time.monotonic() < deadline, said
        finally:
            server.terminate()
