#!/bin/sh
# Channels' WebsocketCommunicator, with which consumers are tested: `disconnect(timeout=…)` and `wait(timeout)` say
# nothing when the application has not ended in that time. They cancel it and return as if it had ended by itself, so a
# test of what a consumer does at its end passes, later, whether it is done or not. `receive_output(timeout)` of the
# same class raises TimeoutError.
#
# Seen in the source: asgiref/testing.py, ApplicationCommunicator.wait: the CancelledError that asyncio.timeout sends is
# passed over inside of its block, so nothing is left that it could turn into a TimeoutError.
# Ours: two tests of a goodbye passed after 5 and 20 s, each by the cancellation of what they were about.
# Runs in half a minute: sh findings/communicator_wait_says_nothing_when_time_is_over.sh
set -eu
ASGIREF=3.13.0 CHANNELS=4.3.2 DAPHNE=4.2.3 DJANGO=5.2.19
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
    "asgiref==$ASGIREF" "channels==$CHANNELS" "daphne==$DAPHNE" "Django==$DJANGO"
cd "$folder"

cat > seen.py <<'PY'
import asyncio, time

from channels.testing import WebsocketCommunicator

did = []


async def application(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass
    try:
        await asyncio.sleep(30)  # what it has to do at its end takes longer
        did.append("all")
    except asyncio.CancelledError:
        did.append("cancelled")
        raise


async def how(ask):
    socket = WebsocketCommunicator(application, "/")
    await socket.connect()
    began = time.monotonic()
    try:
        await ask(socket)
        answer = "nothing raised"
    except TimeoutError:
        answer = "TimeoutError"
    return f"{answer} after {time.monotonic() - began:.1f} s"


async def main():
    print("disconnect:", await how(lambda socket: socket.disconnect(timeout=0.5)))
    print("wait:", await how(lambda socket: socket.wait(timeout=0.5)))
    print("receive_output:", await how(lambda socket: socket.receive_output(timeout=0.5)))
    print("the application's end:", *did)


asyncio.run(main())
PY
found=$("$folder/venv/bin/python" seen.py)
echo "asgiref $ASGIREF, channels $CHANNELS"
echo "$found"
expected="disconnect: nothing raised after 0.5 s
wait: nothing raised after 0.5 s
receive_output: TimeoutError after 0.5 s
the application's end: cancelled"
[ "$found" = "$expected" ] || { echo "this has changed; it was:"; echo "$expected"; exit 1; }
