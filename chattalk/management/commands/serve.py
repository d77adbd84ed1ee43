"""One worker for a supervisor of your own: the site on one socket, until SIGTERM."""

import os
import socket
from argparse import ArgumentParser
from contextlib import ExitStack
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chattalk import deployment, embedded
from chattalk.embedded import StartFailed
from chattalk.management.arguments import add_host, whole
from chattalk.server import notify, workers
from chattalk.server.worker import Worker, configuration

FIRST_FD = 3  # of those that systemd passes (sd_listen_fds(3))


class Command(BaseCommand):
    help = (
        "Serve by this one process, and start nothing else: for systemd, supervisord or a "
        "container. The stores are given by settings, and their tables are up to date. "
        "SIGTERM answers what is under way and sends the sockets away."
    )
    requires_system_checks: list[str] = []  # chattalk/deployment.py runs them, without DEBUG

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_host(parser)
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--port", type=whole(0, 65535), help="0 takes any")
        where.add_argument(
            "--fd",
            type=whole(0, 65535),
            help="a listening socket that is open already; those of systemd are found without it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with ExitStack() as stack:
            asked = _sockets(options["host"], options["port"], options["fd"])
            self._serve([stack.enter_context(one) for one in asked])

    def _serve(self, sockets: list[socket.socket]) -> None:
        for host in {_host(one) for one in sockets}:
            deployment.refuse_unsafe(host)
        for warning in deployment.warnings():
            self.stderr.write(f"Warning: {warning}")
        _expect_stores()
        _expect_tables()
        Worker(configuration(), partial(self._tell_ready, sockets)).run(sockets)

    def _tell_ready(self, sockets: list[socket.socket]) -> None:
        self.stdout.write(f"ChatTalk is at {', '.join(map(_address, sockets))}")
        self.stdout.flush()
        notify.notify(notify.READY)


def _sockets(host: str, port: int | None, fd: int | None) -> list[socket.socket]:
    if port is not None:
        return workers.listen(host, port, 1)
    fds = _of_systemd() if fd is None else [fd]
    if not fds:
        raise CommandError("Where is it to listen? Say --port, --fd, or start it by a .socket.")
    return [_open(fd) for fd in fds]


def _of_systemd() -> range:
    """Those that are for this process, and for none that it starts."""
    many, pid = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    is_ours = many.isdigit() and pid == str(os.getpid())
    return range(FIRST_FD, FIRST_FD + int(many)) if is_ours else range(0)


def _open(fd: int) -> socket.socket:
    try:
        one = socket.socket(fileno=fd)
        if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return one
        reason = "nobody listens on it"
    except OSError as error:
        reason = str(error.strerror)
    raise StartFailed(f"The descriptor {fd} is no listening socket ({reason}).")


def _host(one: socket.socket) -> str:
    """A socket that is a file is of this machine."""
    is_file = one.family == socket.AF_UNIX
    return "127.0.0.1" if is_file else one.getsockname()[0]


def _address(one: socket.socket) -> str:
    if one.family == socket.AF_UNIX:
        return f"unix:{one.getsockname()}"
    host, port = one.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _expect_stores() -> None:
    """Given ones, or those of an `up` that runs on our data folder."""
    there = embedded.running_servers(settings.DATA_DIR) | embedded.given(os.environ)
    missing = [name for name in embedded.STORES if name not in there]
    if missing:
        raise StartFailed(
            f"`serve` starts no servers: set {', '.join(missing)}. (`manage.py up` starts them.)"
        )
    for name, url in there.items():
        embedded.expect_answer(name, url)
    embedded.expect_limits(there["DATABASE_URL"], settings.POOLED)


def _expect_tables() -> None:
    """Several of us may start at once, so none of us makes them."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
    if missing:
        raise StartFailed(
            f"The database is not up to date ({len(missing)} migrations are missing): "
            "run `manage.py migrate` first."
        )
