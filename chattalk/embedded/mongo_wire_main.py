"""NX-27017, which speaks MongoDB, on a unix socket that only we may open.

It has no passwords, and of itself it takes a port, which any user of the machine may open and any
program may take while it is away.

    python -P mongo_wire_main.py FOLDER SOCKET
"""

import asyncio
import logging
import os
import sys
from functools import partial

import uvloop
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import handle_client


async def serve(folder: str, path: str) -> None:
    """Until a signal ends the process. What was answered is stored, so there is nothing to end."""
    answer = partial(handle_client, handler=NeoSQLiteHandler(data_dir=folder))
    server = await asyncio.start_unix_server(answer, path)
    await server.serve_forever()


def main() -> None:
    folder, path = sys.argv[1:]
    os.umask(0o077)
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    uvloop.run(serve(folder, path))


if __name__ == "__main__":
    main()
