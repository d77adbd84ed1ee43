"""Servers, migrations and the site by one command, until Ctrl-C."""

import http.client
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from contextlib import ExitStack, suppress
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from chattalk import demo, deployment, embedded
from chattalk.embedded import StartFailed
from chattalk.environment import FROM_FILE
from chattalk.management.arguments import add_host, whole
from chattalk.server import control, json_lines, notify, reload, workers
from chattalk.server.reload import Reload
from chattalk.server.supervisor import Supervisor

FILL = "import django; django.setup(); from chattalk import demo; print(demo.fill())"
ENDING = (signal.SIGINT, signal.SIGTERM)
ANSWER_WITHIN = 30  # seconds, for the first page


class Command(BaseCommand):
    help = (
        "Start the whole of ChatTalk: PostgreSQL, Valkey and a MongoDB-wire server (each unless "
        "its address is given), then the site. Ctrl-C stops everything, SIGHUP and --reload bring "
        "new code and settings while people talk."
    )
    requires_system_checks: list[str] = []  # chattalk/deployment.py runs them, without DEBUG

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_host(parser)
        parser.add_argument(
            "--port",
            type=whole(0, 65535),
            default=8000,
            help="default: %(default)s; 0 takes any",
        )
        parser.add_argument(
            "--workers", type=whole(1, 64), default=1, help="processes that serve, 1 to 64"
        )
        parser.add_argument(
            "--reload",
            action="store_true",
            help="no start: a successor for each worker of the `up` that runs on this data folder",
        )
        parser.add_argument("--demo", action="store_true", help="people, rooms and talk to look at")

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        self._showing = threading.Lock()
        if options["reload"]:
            control.ask(settings.DATA_DIR, self.show)
            return
        self.serving: list[workers.WorkerProcess] = []
        self._is_ending = False
        self._reload: Reload | None = None  # there is none before all serve
        self._catch_signals()
        with ExitStack() as stack:
            try:
                self._start(stack, **options)
            except KeyboardInterrupt:
                notify.notify(notify.STOPPING)
                self.show("Stopping")
            except OSError as error:
                raise StartFailed(f"The start failed: {error}.") from error
            finally:
                self._is_ending = True

    def _start(self, stack: ExitStack, **options: Any) -> None:
        host, count = options["host"], options["workers"]
        deployment.refuse_unsafe(host)
        deployment.expect_metrics_port(count)
        if options["demo"]:
            demo.check()
        for warning in deployment.warnings():
            self.show(f"Warning: {warning}")
        sockets = [stack.enter_context(one) for one in workers.listen(host, options["port"], count)]
        stack.enter_context(embedded.hold(settings.DATA_DIR))
        stack.callback(self.show, "Stopped.")
        servers = embedded.Servers(settings.DATA_DIR, embedded.given(os.environ), workers=count)
        stack.callback(servers.stop, self.show)
        addresses = servers.start(self.show)
        if "MONGODB_URL" in servers.given:
            deployment.expect_fit_mongodb()
        share = embedded.share(addresses["DATABASE_URL"], count, settings.POOLED)
        self._migrate()
        if options["demo"]:
            self._fill(addresses)
        stack.callback(self._stop_workers)
        self._serve(sockets, addresses | {"DATABASE_CONNECTIONS": str(share)})
        where = self._where(host, sockets[0].getsockname()[1])
        self.show(f"ChatTalk is at {where} (Ctrl-C stops it)")
        if settings.METRICS_PORT:
            from core import exposition  # its library is for those who want it

            exposition.serve(settings.METRICS_PORT, {"worker": "0"})
        supervisor = Supervisor([*servers.all.values(), *self.serving], self.show)
        stack.callback(supervisor.end)
        supervisor.start()
        self._reload = self._reloading(supervisor, host)
        heard = control.Control(settings.DATA_DIR, self._reload.run)
        stack.callback(heard.close)
        heard.start()
        notify.notify(notify.READY)
        supervisor.watch()

    def _reloading(self, supervisor: Supervisor, host: str) -> Reload:
        log = settings.DATA_DIR / "log" / "reload.log"
        own = {"CHATTALK_DATA": str(settings.DATA_DIR)}
        prepare = reload.prepare(host, log, FROM_FILE)
        return Reload(supervisor, self.serving, prepare, own, self.show)

    def _migrate(self) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except DatabaseError as error:
            raise StartFailed(f"The database can't be brought up to date: {error}") from error
        finally:
            connection.close()
            connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
        self.show("The database is up to date")

    def _fill(self, addresses: dict[str, str]) -> None:
        """In a process of its own: the settings of this one were read before the servers ran."""
        log = settings.DATA_DIR / "log" / "demo.log"
        log.unlink(missing_ok=True)
        command = [sys.executable, "-c", FILL]
        filling = embedded.Process("demo", command, log=log, folder=workers.ROOT)
        filling.start(addresses)
        try:
            if filling.wait(None):
                raise StartFailed(f"The demo could not be filled in: {filling.last_words()}")
        finally:
            filling.stop()
        self.show(log.read_text().splitlines()[-1])

    def _serve(self, sockets: list[Any], addresses: dict[str, str]) -> None:
        environment = addresses | {"CHATTALK_WORKERS": str(len(sockets))}
        environment |= {"CHATTALK_DATA": str(settings.DATA_DIR)}
        for number, one in enumerate(sockets, start=1):
            name, own = f"worker {number}", environment | workers.own(number, settings.METRICS_PORT)
            worker = workers.WorkerProcess(name, one, own, without=FROM_FILE)
            self.serving.append(worker)
            worker.start()
        for worker in self.serving:
            worker.wait()
        self.show("1 worker serves" if len(sockets) == 1 else f"{len(sockets)} workers serve")

    def _where(self, host: str, port: int) -> str:
        """The address, once a page came from it."""
        name = f"[{host}]" if ":" in host else host
        asked = http.client.HTTPConnection(workers.reachable(host), port, timeout=ANSWER_WITHIN)
        try:
            asked.request("GET", "/livez", headers={"Host": f"{name}:{port}"})
            status = asked.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise StartFailed(f"The site gives no answer: {error}.") from error
        finally:
            asked.close()
        if status >= 500:
            raise StartFailed(f"The site answers with an error ({status}): see its output above.")
        return f"http://{name}:{port}/"

    def _stop_workers(self) -> None:
        running = [process for worker in self.serving for process in worker.running]
        for process in running:
            process.signal(signal.SIGTERM)
        for process in running:
            process.stop(workers.STOP_WITHIN)

    def _catch_signals(self) -> None:
        for number in ENDING:
            signal.signal(number, self._end)
        self._had_terminal = _has_terminal()
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # else by nohup: so it stays
            signal.signal(signal.SIGHUP, self._hang_up)

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        """A terminal that was closed ends its site; who writes `kill -HUP` wants a reload."""
        if self._had_terminal and not _has_terminal():
            self._end(number, frame)
        elif self._reload is not None:
            threading.Thread(target=self._reload.run, args=(embedded.quiet,), daemon=True).start()

    def _end(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-C: all ends in order. By the second one nobody waits for requests under way."""
        if not self._is_ending:
            self._is_ending = True
            raise KeyboardInterrupt
        for worker in self.serving:
            for process in worker.running:
                process.signal(signal.SIGKILL)

    def _written(self, line: str) -> str:
        if settings.LOG_FORMAT == "JSON":
            return json_lines.line("chattalk.up", line)
        return f"{time.monotonic() - self.began:7.2f} s  {line}"

    def show(self, line: str) -> None:
        """By any thread. That a line can't be written, as on a full disk, ends no site."""
        with self._showing, suppress(OSError):
            self.stdout.write(self._written(line))
            self.stdout.flush()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True
