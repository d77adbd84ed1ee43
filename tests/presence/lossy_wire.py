"""Servers of MongoDB's wire that are none for presence, before one that is.

`LossyWire` does `$inc` by itself: it reads, thinks for a moment, and writes what it makes of that,
and says "modified" each time. So does FerretDB 1.24, which comes in no wheel. `SilentWire` tells no
duplicates. The rest both pass on, byte by byte.
"""

import socket
import struct
import threading
import time
from contextlib import suppress

import bson
import pymongo

HEADER = struct.Struct("<iiii")  # length, id, answer to, opcode
OP_MSG = 2013
THINKS_SECONDS = 0.002


class Wire:
    """On a port of its own, before the server at `url`, whose socket file is at `path`."""

    def __init__(self, url, path):
        self._path = path
        self._client = pymongo.MongoClient(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"mongodb://127.0.0.1:{self._listener.getsockname()[1]}/chattalk"
        self._sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for one in [self._listener, *self._sockets]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._client.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._path)
        self._sockets.append(server)
        with client, server, suppress(OSError, EOFError):
            while True:
                message = _read(client)
                client.sendall(self._own_answer(message) or self._pass_on(message, server))

    def _own_answer(self, message):
        return None

    def _pass_on(self, message, server):
        server.sendall(message)
        return _read(server)


class LossyWire(Wire):
    def _own_answer(self, message):
        if HEADER.unpack_from(message)[3] != OP_MSG or b"$inc" not in message:
            return None
        body, (update,) = _command(message)
        kept = self._client[body["$db"]][body["update"]]
        found = kept.find_one(update["q"])
        if found:
            time.sleep(THINKS_SECONDS)
            made = {name: found[name] + by for name, by in update["u"]["$inc"].items()}
            kept.update_one({"_id": found["_id"]}, {"$set": made})
        count = int(found is not None)
        return _answer(message, {"ok": 1.0, "n": count, "nModified": count})


class SilentWire(Wire):
    def _pass_on(self, message, server):
        answer = super()._pass_on(message, server)
        if b"writeErrors" in answer:
            return _answer(message, {"ok": 1.0, "n": 1, "nModified": 0})
        return answer


def _read(source):
    head = _exactly(source, HEADER.size)
    return head + _exactly(source, HEADER.unpack(head)[0] - HEADER.size)


def _exactly(source, size):
    read = b""
    while len(read) < size:
        if not (piece := source.recv(size - len(read))):
            raise EOFError
        read += piece
    return read


def _command(message):
    """What is asked, and the updates of it."""
    body, updates, at = None, [], HEADER.size + 4
    while at < len(message):
        kind, size = message[at], struct.unpack_from("<i", message, at + 1)[0]
        piece = message[at + 1 : at + 1 + size]
        if kind == 0:
            body = bson.decode(piece)
        else:
            updates += bson.decode_all(piece[piece.index(b"\0", 4) + 1 :])
        at += 1 + size
    return body, updates or body["updates"]


def _answer(message, document):
    body = struct.pack("<ib", 0, 0) + bson.encode(document)
    return HEADER.pack(HEADER.size + len(body), 0, HEADER.unpack_from(message)[1], OP_MSG) + body
