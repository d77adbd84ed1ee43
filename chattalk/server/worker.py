"""One worker process: the site, on a listening socket that `manage.py up` opened.

python -m chattalk.server.worker --fd 3 --ready-fd 4
"""

import argparse
import asyncio
import ipaddress
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn

from chattalk.server import notify
from chattalk.server.workers import FALLEN, RELIEVED
from core import metrics

FRAME_MAX = 64 * 1024  # bytes, of one WebSocket message
PING_EVERY, PONG_WITHIN = 20, 20  # seconds
STOP_WITHIN = 8  # seconds, for requests that are under way
ARRIVE_WITHIN = 1.0  # seconds, for the first request of who has just connected
LOOK_EVERY = 0.01  # seconds, meanwhile

FALLS = metrics.counter("chattalk_worker_falls_total", "Workers that fell, told by the next one.")


class Worker(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config, tell_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_ready = tell_ready
        self._is_relieved = False

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Not ready first; then answer what is under way, close the sockets, and the rest.

        Who connects meanwhile waits in the listening socket, which `up` holds, for the next one.
        Where that one is there already, nobody who still came to us is turned away.
        """
        from messaging.live import node

        notify.notify(notify.STOPPING)
        if not self._is_relieved:
            node.stop_taking()
        for server in self.servers:
            server.close()  # no new ones come in meanwhile
        if self._is_relieved:
            await self._arrivals()
            node.stop_taking()
        await node.drain(self._is_relieved)
        await super().shutdown(sockets)
        logging.shutdown()  # here: uvicorn ends the process by the signal that came for it

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            asyncio.get_running_loop().add_signal_handler(RELIEVED, self._relieve)
            self._tell_ready()

    def _relieve(self) -> None:
        self._is_relieved = self.should_exit = True

    async def _arrivals(self) -> None:
        """Until all who were connected have said what they want, and sockets are open."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ARRIVE_WITHIN):
                while any(map(_is_arriving, self.server_state.connections)):
                    await asyncio.sleep(LOOK_EVERY)


def _is_arriving(connection: Any) -> bool:
    """One of chattalk/server/connection_timeouts.py."""
    return bool(connection.is_arriving)


def configuration() -> uvicorn.Config:
    from django.conf import settings

    from chattalk.server.connection_timeouts import Configuration

    return Configuration(
        "chattalk.asgi:application",
        proxies=settings.TRUSTED_PROXIES,
        most=settings.ADDRESS_CONNECTIONS,
        loop="uvloop",  # 12-15 % less CPU per delivery than asyncio
        ws_max_size=FRAME_MAX,
        ws_ping_interval=PING_EVERY,
        ws_ping_timeout=PONG_WITHIN,
        ws_per_message_deflate=False,  # one encoded frame serves every member of a room
        lifespan="on",
        timeout_graceful_shutdown=STOP_WITHIN,
        proxy_headers=settings.BEHIND_PROXY,
        forwarded_allow_ips=_proxies(settings.TRUSTED_PROXIES),
        server_header=False,
        access_log=False,
        log_config=None,  # Django's LOGGING rules
        log_level="warning",
    )


def _proxies(networks: list[str]) -> list[str]:
    """As uvicorn compares them; who listens on :: sees those of IPv4 as ::ffff:<address>."""
    mapped = []
    for network in map(ipaddress.ip_network, networks):
        if network.version == 4:
            mapped.append(f"::ffff:{network.network_address}/{96 + network.prefixlen}")
    return [*networks, *mapped]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--ready-fd", type=int, required=True)
    options = parser.parse_args()
    FALLS.value += FALLEN in os.environ
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chattalk.settings")

    def tell_ready() -> None:
        """One byte. A worker that ends before says it by closing the pipe."""
        os.write(options.ready_fd, b"1")
        os.close(options.ready_fd)

    Worker(configuration(), tell_ready).run([socket.socket(fileno=options.fd)])


if __name__ == "__main__":
    main()
