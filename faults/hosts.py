"""Three hosts, each with a worker, that share stores; people come through HAProxy.

A `Site` as the other scenarios have it, for as long as a scenario needs it.
"""

import asyncio
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bench import ours
from bench.servers import Servers
from chattalk.embedded import Process, StartFailed
from faults import replicated
from faults.network import Missing, Network
from faults.replicated import Replicated
from faults.site import HOME, ROOT, Site

if TYPE_CHECKING:
    from faults.run import Run

HOSTS, PORT = 3, 8000
READY_WITHIN = 60.0  # seconds
HAPROXY = """
global
    maxconn 4000
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    timeout check 1s
frontend people
    mode http
    bind 127.0.0.1:{front}
    timeout client 60s
    option forwardfor
    default_backend hosts
backend hosts
    mode http
    timeout server 60s
    timeout tunnel 1h
    option httpchk GET /readyz
    default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
{hosts}
listen redis
    bind {first}:{redis}
    option tcp-check
    tcp-check send info\\ replication\\r\\n
    tcp-check expect string role:master
    default-server check inter 250ms fall 1 rise 1 on-marked-down shutdown-sessions
    server one {first}:{master}
    server other {first}:{replica}
listen mongodb
    bind {first}:{mongodb}
    server only unix@{mongodb_socket}
"""


class Hosts(Site):
    def __init__(self) -> None:
        super().__init__()
        self.network = Network(HOSTS)
        self.home = HOME / "hosts"
        self.replicated = Replicated(self.home, self.network)
        self.hosts: list[Process] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._front = free.getsockname()[1]

    @property
    def ports(self) -> list[int]:
        return [self._front]

    async def start(self) -> None:  # type: ignore[override]
        haproxy = shutil.which("haproxy")
        if not haproxy:
            raise Missing("people come through HAProxy: apt install haproxy")
        self.network.start()
        await asyncio.to_thread(self.replicated.start)
        (self.home / "haproxy.cfg").write_text(self._configuration())
        command = [haproxy, "-db", "-f", str(self.home / "haproxy.cfg")]
        self._proxy = Process("HAProxy", command, log=self.home / "haproxy.log")
        self._proxy.start()
        addresses = self.replicated.addresses
        self.database = addresses["DATABASE_URL"]
        stores = Servers("", addresses["REDIS_URL"], addresses["MONGODB_URL"], {})
        more = {"CHATTALK_DATA": str(self.home / "data"), "BEHIND_PROXY": "true"}
        more["TRUSTED_PROXIES"] = self.network.subnet
        self.environment = ours.environment(stores, self.database) | more
        await asyncio.to_thread(self.manage, "migrate", "--verbosity", "0")
        for number in range(HOSTS):
            self.hosts.append(self._host(number))
            self.start_host(number)
        await asyncio.gather(*map(self.ready, range(HOSTS)))

    def _configuration(self) -> str:
        network = self.network
        lines = [f"    server h{n} {one}:{PORT}" for n, one in enumerate(network.addresses)]
        return HAPROXY.format(
            front=self._front, hosts="\n".join(lines), first=network.first,
            redis=replicated.REDIS, master=replicated.MASTER, replica=replicated.REPLICA,
            mongodb=replicated.MONGODB, mongodb_socket=self.replicated.mongodb.socket,
        )  # fmt: skip

    def _host(self, number: int) -> Process:
        where = ["--host", self.network.addresses[number], "--port", str(PORT)]
        command = [sys.executable, "manage.py", "serve", *where]
        log = self.home / f"host-{number}.log"
        inside = self.network.inside(number, command)
        return Process(f"host {number}", inside, log=log, folder=ROOT)

    def start_host(self, number: int) -> None:
        self.hosts[number].start(self.environment)

    async def ready(self, number: int) -> None:
        """Until it answers to this host."""
        async with asyncio.timeout(READY_WITHIN):
            while True:
                if not self.hosts[number].running:
                    raise StartFailed(f"host {number}: {self.hosts[number].last_words()}")
                try:
                    _, line = await asyncio.open_connection(self.network.addresses[number], PORT)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    line.close()
                    return

    # --- what is done to a host -----------------------------------------------------------------

    def power_off(self, number: int) -> None:
        """Nobody gets a word of its end, as of a process that is killed alone."""
        self.network.cut(number)
        self.hosts[number].signal(signal.SIGKILL)
        self.hosts[number].wait()

    async def power_on(self, number: int) -> None:
        self.network.join(number)
        self.start_host(number)
        await self.ready(number)

    # --- as other sites have it -------------------------------------------------------------------

    def said(self) -> str:
        return "".join(host.log.read_text(errors="replace") for host in self.hosts if host.log)

    async def mend(self) -> None:
        """Nobody uses it after its scenario."""

    def away(self, room: int) -> dict[int, tuple[bool, int]]:
        """Of each person there, whether they are online, and when they went, as it is kept."""
        import pymongo

        client: Any = pymongo.MongoClient(self.replicated.mongodb.url())
        with client:
            found = client.get_default_database()["presence"].find({"room": room})
            return {one["user"]: (bool(one["online"]), one.get("exit_at") or 0) for one in found}

    async def stop(self) -> None:  # type: ignore[override]
        """All of it, whatever came up and whatever fails."""
        parts = [*self.hosts, *([self._proxy] if hasattr(self, "_proxy") else [])]
        ends = [part.stop for part in parts]
        for end in [*ends, self.replicated.stop, self.network.stop]:
            try:
                await asyncio.to_thread(end)
            except Exception as error:
                print(f"{end}: {error}", file=sys.stderr)


@asynccontextmanager
async def three_hosts(run: "Run") -> AsyncIterator[Hosts]:
    """In place of the run's site. Raises Absent where this machine can't have hosts."""
    from faults.run import Absent

    usual, hosts = run.site, Hosts()
    try:
        await hosts.start()
        run.site = run.nemesis.site = hosts
        yield hosts
    except Missing as why:
        raise Absent(str(why)) from why
    finally:
        await asyncio.gather(*(crowd.go() for crowd in run.crowds))
        if run.site is hosts:
            run.count_tracebacks()
        run.site = run.nemesis.site = usual
        await hosts.stop()
