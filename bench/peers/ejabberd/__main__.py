"""Try it by hand: python -m bench.peers.ejabberd"""

import psycopg
from websockets.asyncio.client import ClientConnection, connect

from bench.peers import talk
from bench.peers.ejabberd import DATABASE, Ejabberd
from bench.servers import Servers

ROOM = "room1@conference.localhost"
OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"
CLOSE = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
AUTH = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>"
BIND = (
    "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    "</iq>"
)
ENTER = (
    "<presence xmlns='jabber:client' to='{room}/{nick}'><x xmlns='http://jabber.org/protocol/muc'>"
    "<history maxstanzas='0'/></x></presence>"
)
SAY = (
    "<message xmlns='jabber:client' type='groupchat' to='{room}' id='1'><body>{text}</body>"
    "</message>"
)


class Member:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def ask(self, stanza: str, *until: str) -> str:
        """The first frame after it that has all of these."""
        await self._socket.send(stanza)
        return await self.next(*until)

    async def next(self, *marks: str) -> str:
        while True:
            frame = str(await self._socket.recv())
            if "type='error'" in frame or "<failure" in frame:
                raise AssertionError(frame)
            if all(mark in frame for mark in marks):
                return frame

    async def say(self, text: str) -> None:
        await self._socket.send(SAY.format(room=ROOM, text=text))

    async def hear(self) -> str:
        frame = await self.next("type='groupchat'", "<body>")
        return frame.partition("<body>")[2].partition("</body>")[0]

    async def leave(self) -> None:
        await self._socket.send(CLOSE)  # it leaves a WebSocket's own close unanswered
        async for _ in self._socket:
            continue


def main() -> None:
    peer = Ejabberd()

    async def join(number: int) -> Member:
        url = f"ws://127.0.0.1:{peer.port}{peer.path}"
        member = Member(await connect(url, subprotocols=["xmpp"], compression=None))
        await member.ask(OPEN, "<stream:features")
        await member.ask(AUTH, "<success")
        await member.ask(OPEN, "<stream:features")
        await member.ask(BIND, "id='b'", "<jid>")
        await member.ask(ENTER.format(room=ROOM, nick=f"n{number}"), "<subject")
        return member

    talk.run(peer, join, archived)


def archived(stores: Servers) -> str:
    with psycopg.connect(stores.database(DATABASE, fresh=False)) as database:
        query = "SELECT count(*), count(DISTINCT txt) FROM archive WHERE username = %s"
        rows = database.execute(query, [ROOM]).fetchone()
    if rows != (talk.MESSAGES, talk.MESSAGES):
        raise AssertionError(f"rows and different texts in the archive: {rows}")
    return f"{rows[0]} rows in the archive"


if __name__ == "__main__":
    main()
