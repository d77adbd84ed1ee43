"""A line on which a test says each byte itself, from an address of its own: heads that are wrong,
bodies that don't end, frames that no library would send."""

import asyncio
from urllib.parse import urlsplit

UPGRADE = (
    "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip
SECONDS = 20.0  # how long a busy machine may take


def head(path="/", *lines, method="GET"):
    text = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""])
    return text.encode()


async def connect(url, address="127.0.0.1"):
    where = urlsplit(url)
    return await asyncio.open_connection(where.hostname, where.port, local_addr=(address, 0))


async def ended(reader):
    """What still came before the other side ended it."""
    try:
        async with asyncio.timeout(SECONDS):
            return await reader.read()
    except ConnectionError:
        return b""


async def asked(url, said, address="127.0.0.1"):
    """The head of the answer."""
    reader, writer = await connect(url, address)
    writer.write(said)
    async with asyncio.timeout(SECONDS):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answer.decode()


def frame(opcode, data=b"", *, fin=True, mask=True, bits=0, length=None):
    """A frame of WebSocket, as wrong as wished; masked by zeros: the data stays as it is."""
    size = len(data) if length is None else length
    first = bytes([fin << 7 | bits << 4 | opcode])
    flag = 0x80 if mask else 0
    if size < 126:
        head = bytes([flag | size])
    elif size < 65536:
        head = bytes([flag | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([flag | 127]) + size.to_bytes(8, "big")
    return first + head + (b"\0\0\0\0" if mask else b"") + data
