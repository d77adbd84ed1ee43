"""NX-27017, which speaks MongoDB, on a unix socket that only we may open.

It has no passwords, and of itself it takes a port, which any user of the machine may open and any
program may take while it is away. Several hosts that share it need one all the same; there a
firewall has to say who may come.

    python -P mongo_wire_main.py FOLDER (SOCKET | ADDRESS:PORT)
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import uvloop
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import handle_client

WRITES = ("insert", "update", "delete")

Message = dict[str, Any]
Answer = tuple[int, dict[str, Any]]


class OneCommit(NeoSQLiteHandler):
    """What a command writes is committed once, before it is answered. Of itself NX-27017 commits
    each document, and waits for the disk each time: that is three quarters of what a bulk takes."""

    def handle_insert(self, msg: Message) -> Answer:
        return self._at_once(super().handle_insert, msg)

    def handle_command(self, msg: Message) -> Answer:
        return self._at_once(super().handle_command, msg)

    def _at_once(self, handle: Callable[[Message], Answer], msg: Message) -> Answer:
        asked: dict[str, Any] = next((part for kind, part in msg["sections"] if kind == "body"), {})
        command = next(iter(asked), "")  # its first name, as MongoDB reads it
        if command not in WRITES:
            return handle(msg)
        name, database = asked[command], asked["$db"]
        with self._lock_for(database):
            kept = self.get_database(database)
            if kept.db.in_transaction:
                return handle(msg)
            # Neither is to be undone with the documents: SQLite changes how it waits for the disk
            # in no transaction, and the table of a collection is remembered as made.
            self._apply_write_concern(kept, database, asked.get("writeConcern"))
            kept[name].create()
            return self._commit(kept.db, handle, msg)

    def _commit(self, kept: Any, handle: Callable[[Message], Answer], msg: Message) -> Answer:
        kept.execute("BEGIN IMMEDIATE")
        try:
            answer = handle(msg)
            if not kept.in_transaction:  # SQLite undoes all of it when the disk is full
                raise OSError(_reason(answer[1]))
            kept.execute("COMMIT")
        finally:
            if kept.in_transaction:
                kept.execute("ROLLBACK")
        return answer


def _reason(answer: dict[str, Any]) -> str:
    errors = answer.get("writeErrors") or [{"errmsg": "the disk took none of it"}]
    return str(errors[-1]["errmsg"])


async def serve(folder: str, where: str) -> None:
    """Until a signal ends the process. What was answered is stored, so there is nothing to end."""
    answer = partial(handle_client, handler=OneCommit(data_dir=folder))
    if "/" in where:
        server = await asyncio.start_unix_server(answer, where)
    else:
        host, _, port = where.rpartition(":")
        server = await asyncio.start_server(answer, host, int(port))
    await server.serve_forever()


def main() -> None:
    folder, where = sys.argv[1:]
    os.umask(0o077)
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    uvloop.run(serve(folder, where))


if __name__ == "__main__":
    main()
