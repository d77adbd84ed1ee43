#!/bin/sh
# A WebSocket's close code 1011 ("internal error", RFC 6455 7.4.1) means opposite things in two ASGI
# servers: in daphne that the application raised; in uvicorn that the client answered no ping, while
# an application that raises is no close frame at all there.
#
# Seen in the source: uvicorn/protocols/websockets/websockets_sansio_impl.py (keepalive_timeout,
# run_asgi); daphne/ws_protocol.py (handle_exception), and autobahn's onAutoPong timeout.
# Runs in a minute: sh findings/close_code_1011_means_opposite_things.sh
set -eu
UVICORN=0.54.0 WEBSOCKETS=17.4 DAPHNE=4.2.3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
    "uvicorn==$UVICORN" "websockets==$WEBSOCKETS" "daphne==$DAPHNE"
cd "$folder"

cat > app.py <<'PY'
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            what = (await receive())["type"].removeprefix("lifespan.")
            await send({"type": f"lifespan.{what}.complete"})
            if what == "shutdown":
                return
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/raises":
        raise ValueError("the application failed")
    while (await receive())["type"] != "websocket.disconnect":
        pass
PY

cat > client.py <<'PY'
"""What a socket's last frame says: its code and reason, or that the line just ended."""
import base64, os, socket, sys, time

port, path = int(sys.argv[1]), sys.argv[2]
for _ in range(100):
    try:
        line = socket.create_connection(("127.0.0.1", port), timeout=30)
        break
    except OSError:
        time.sleep(0.1)
key = base64.b64encode(os.urandom(16)).decode()
line.sendall(
    f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
)
data = b""
try:
    while more := line.recv(4096):  # it answers no ping, as a machine that sleeps
        data += more
except ConnectionResetError:
    pass  # the line was cut
frames, last = data.partition(b"\r\n\r\n")[2], "no close frame"
while frames:
    opcode, size = frames[0] & 15, frames[1] & 127
    if opcode == 8:
        last = f"{int.from_bytes(frames[2:4], 'big')} {frames[4:2 + size].decode()}".strip()
    frames = frames[2 + size:]
print(last)
PY

free() {  # a port
    venv/bin/python -c 'import socket; one = socket.socket(); one.bind(("127.0.0.1", 0)); print(one.getsockname()[1])'
}

ask() {  # name of the server, port
    echo "$1 raises: $(venv/bin/python client.py "$2" /raises)"
    echo "$1 silent: $(venv/bin/python client.py "$2" /silent)"
}

first=$(free) second=$(free)
venv/bin/python -m uvicorn app:application --port "$first" --ws websockets-sansio --ws-ping-interval 1 \
    --ws-ping-timeout 1 --log-level critical & uvicorn=$!
venv/bin/python -m daphne -p "$second" --ping-interval 1 --ping-timeout 1 -v 0 app:application \
    2>/dev/null & daphne=$!
trap 'kill $uvicorn $daphne 2>/dev/null; rm -rf "$folder"' EXIT
seen=$(ask "uvicorn $UVICORN" "$first"; ask "daphne $DAPHNE" "$second")
echo "$seen"
expected="uvicorn $UVICORN raises: no close frame
uvicorn $UVICORN silent: 1011 keepalive ping timeout
daphne $DAPHNE raises: 1011
daphne $DAPHNE silent: no close frame"
[ "$seen" = "$expected" ] || { echo "It is otherwise now."; exit 1; }
