"""NX-27017 as it comes: it commits each document of a bulk for itself.

python -P stock_wire.py FOLDER SOCKET
"""

import asyncio
import sys
from functools import partial

import uvloop
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import handle_client


async def serve(folder: str, path: str) -> None:
    answer = partial(handle_client, handler=NeoSQLiteHandler(data_dir=folder))
    server = await asyncio.start_unix_server(answer, path)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
