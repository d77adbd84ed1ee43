"""Open files by kind, of this very process."""

import os
import socket
import struct
from contextlib import closing

import pytest

from faults import descriptors


def test_lines_are_told_by_their_other_end_and_the_dead_from_the_living():
    me = [os.getpid()]
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        before = descriptors.held(me, {"store": port})
        with (
            closing(socket.create_connection(("127.0.0.1", port))) as living,
            closing(socket.create_connection(("127.0.0.1", port))) as dead,
            closing(server.accept()[0]),
            socket.create_connection(("127.0.0.1", port)) as reset,
            open(os.devnull),
        ):
            server.accept()[0].close()
            assert dead.recv(1) == b""
            with closing(server.accept()[0]) as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with pytest.raises(ConnectionResetError):
                reset.recv(1)
            found = descriptors.held(me, {"store": port}) - before
    assert living.fileno() == -1
    assert found == {"store": 1, "ended": 2, "clients": 1, "files": 1}
