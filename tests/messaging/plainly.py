"""The site, for another ASGI server; /behind says whether that server's transport is known, and
/raises lets an exception escape, as nothing of the site does."""

import sys
from contextlib import contextmanager

from chattalk.asgi import application as site
from chattalk.embedded import Process
from chattalk.server.workers import ROOT, listen
from messaging.live.transport import behind


async def application(scope, receive, send):
    if scope["type"] == "websocket" and scope["path"] == "/behind":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": repr(behind(send))})
        await receive()
    elif scope["type"] == "websocket" and scope["path"] == "/raises":
        await receive()
        await send({"type": "websocket.accept"})
        raise LookupError("it escapes")
    else:
        await site(scope, receive, send)


@contextmanager
def by_daphne(environment, log, *options):
    """The address of the site, served by daphne with these options."""
    listener = listen("127.0.0.1", 0, 1)[0]
    fd = listener.fileno()
    command = [sys.executable, "-m", "daphne", "--fd", str(fd), "--verbosity", "0", *options]
    process = Process(
        "daphne", [*command, "tests.messaging.plainly:application"],
        log=log, folder=ROOT, pass_fds=[fd],
    )  # fmt: skip
    process.start(environment)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    process.stop()
    listener.close()
    print(log.read_text())
