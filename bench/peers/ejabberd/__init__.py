"""ejabberd: rooms (MUC) whose messages are archived (MAM) in PostgreSQL, each before it is sent on.

Guests sign in anonymously over WebSocket. Rooms last, who enters asks for no history, and every
member is told who comes and goes. No shapers, no rate limits; one scheduler that does not spin.
The one change to what Debian ships: its driver reaches PostgreSQL by unix socket, as ours does.

Its frames (wire "xmpp", RFC 7395: WebSocket subprotocol "xmpp", one stanza per text frame; the
order of attributes may differ):

    → <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>
    ← <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='…' version='1.0' xml:lang='en'
       from='localhost'/>
    ← <stream:features …>…</stream:features>
    → <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>
    ← <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
    → <open …/>                              the same again
    ← <open …/>
    ← <stream:features …>…</stream:features>
    → <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>
      </iq>
    ← <iq xmlns='jabber:client' type='result' id='b'><bind …><jid>…@localhost/…</jid></bind></iq>
    → <presence xmlns='jabber:client' to='room1@conference.localhost/NICK'>
      <x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>
    ← <presence … from='room1@conference.localhost' …>   of the room, then of each member, …
    ← <presence … from='room1@conference.localhost/NICK'>…<status code='110'/>…</presence>
    ← <message … type='groupchat'><subject/></message>   … and with this one is in
    → <message xmlns='jabber:client' type='groupchat' to='room1@conference.localhost' id='1'>
      <body>…</body></message>
    ← <message xmlns='jabber:client' xml:lang='en' to='…@localhost/…'
       from='room1@conference.localhost/NICK' type='groupchat' id='1'><archived …/><stanza-id …/>
      <body>…</body></message>               to each member, the sender too: its acknowledgement
    → <close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>   ends it at once; a WebSocket's own
      close frame is not answered for seconds

The first to name a room makes it, with its NICK as the owner. Each NICK is one's own in a room.
A WebSocket ping comes each 60 s and wants its pong; after 5 minutes of silence it closes.
"""

import shutil
import subprocess
from pathlib import Path
from string import Template

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench.peers.child import Child, free_port
from bench.peers.ejabberd import package
from bench.servers import HOME, Servers

HERE, FOLDER = Path(__file__).parent, HOME / "ejabberd"
DATABASE = "bench_ejabberd"
NO_SPIN = ["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"]
LIMITS = ["+K", "true", "+P", "250000", "+Q", "65536"]  # as its own starter sets them: epoll, many


class Ejabberd(Child):
    name = "ejabberd MUC + MAM + PostgreSQL"
    wire = "xmpp"
    stores = ("PostgreSQL",)
    path = "/ws"

    def __init__(self, announce: bool = True) -> None:
        """Without `announce` nobody is told who comes and goes, which costs members squared."""
        self._announced = "moderator, participant, visitor" if announce else ""

    def install(self) -> dict[str, str]:
        versions = package.install()
        driver = _folder("driver")
        subprocess.run(["escript", HERE / "unix_sockets.escript", driver], check=True)
        return versions

    def start(self, servers: Servers) -> None:
        self.port = free_port()
        database = servers.database(DATABASE)
        with psycopg.connect(database) as connection:
            connection.execute(package.schema().read_text())
        settings = self._settings(database)
        spool = _folder("spool")
        # No distribution: a node alone needs no name, no port and no epmd.
        command = ["erl", "-noinput", *NO_SPIN, *LIMITS, "-pa", str(FOLDER / "driver")]
        command += ["-mnesia", "dir", f'"{spool}"', "-s", "ejabberd"]
        environment = {
            "ERL_LIBS": str(package.libraries()),
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(settings),
            "EJABBERD_LOG_PATH": str(_folder("log") / "ejabberd.log"),
        }
        self._run(command, environment)

    def _settings(self, database: str) -> Path:
        address = conninfo_to_dict(database)
        text = Template((HERE / "ejabberd.yml").read_text()).substitute(
            socket=f"{address['host']}/.s.PGSQL.5432",
            database=address["dbname"],
            user=address["user"],
            port=self.port,
            announced=self._announced,
        )
        path = FOLDER / "ejabberd.yml"
        path.write_text(text)
        return path


def _folder(name: str) -> Path:
    """Empty: nothing is left of an earlier run."""
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    (FOLDER / name).mkdir(parents=True)
    return FOLDER / name
