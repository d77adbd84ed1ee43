"""Each part comes back on its own, whatever happens to it or to the others."""

import os
import signal
import socket
import threading
from collections.abc import Callable

import psycopg
import pytest

from chattalk.embedded import Process, Retired, data_dir, probe, process, reasons, recovery
from chattalk.embedded.postgres import Postgres
from chattalk.server.supervisor import (
    LONG_BREAK,
    LONGEST_BREAK,
    RESTARTS,
    STEADY_SECONDS,
    Breaks,
    Supervisor,
)
from chattalk.server.workers import WorkerProcess, listen

PATIENCE = 60  # seconds, of a test


class Sleeper:
    """A real process; what its start waits for is the test's to say."""

    def __init__(self, name: str) -> None:
        self.process = Process(name, ["/bin/sleep", "1000"])
        self.let, self.started = threading.Event(), threading.Semaphore(0)
        self.let.set()

    def start(self) -> None:
        self.process.start()

    def wait(self, show=process.quiet) -> None:
        self.started.release()
        assert self.let.wait(PATIENCE)

    def be_away(self) -> None:
        self.let.set()


class Told(list):
    """What was told; `until` waits for a line."""

    def __init__(self) -> None:
        self.more = threading.Condition()

    def __call__(self, line: str) -> None:
        with self.more:
            self.append(line)
            self.more.notify_all()

    def until(self, text: str, such: Callable[[str], bool] = lambda line: True) -> None:
        with self.more:
            assert self.more.wait_for(
                lambda: any(text in line and such(line) for line in self), PATIENCE
            ), self


@pytest.fixture
def kept():
    parts, told = [Sleeper("slow"), Sleeper("quick")], Told()
    for part in parts:
        part.start()
    supervisor = Supervisor(parts, told)
    supervisor.start()
    yield *parts, told, supervisor
    supervisor.end()
    for part in parts:
        part.let.set()
        part.process.stop()
    for thread in supervisor.threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_nobody_waits_for_the_start_of_another(kept):
    slow, quick, told, _ = kept
    slow.let.clear()
    slow.process.signal(signal.SIGKILL)
    assert slow.started.acquire(timeout=PATIENCE)
    quick.process.signal(signal.SIGKILL)
    told.until("quick is back")
    assert not any("slow is back" in line for line in told)
    slow.let.set()
    told.until("slow is back")


def test_who_falls_is_counted_and_the_next_one_knows(kept):
    slow, quick, told, _ = kept
    before = RESTARTS.values().get(("slow",), 0)
    slow.let.clear()
    slow.process.signal(signal.SIGKILL)
    assert slow.started.acquire(timeout=PATIENCE)
    assert slow.process.has_fallen and not quick.process.has_fallen
    assert RESTARTS.values()["slow",] == before + 1
    slow.let.set()
    told.until("slow is back")
    assert not slow.process.has_fallen


def test_a_fault_of_our_own_in_a_start_ends_no_part(kept, monkeypatch):
    slow, quick, told, _ = kept
    monkeypatch.setattr(slow, "start", lambda: 1 / 0)
    slow.process.signal(signal.SIGKILL)
    told.until("division by zero; it is started again in")
    monkeypatch.undo()
    told.until("slow is back")
    assert quick.process.running


def test_a_line_that_can_not_be_told_ends_no_part():
    part, told = Sleeper("quick"), []

    def tell(line: str) -> None:
        told.append(line)
        raise UnicodeEncodeError("ascii", line, 0, 1, "a terminal of another age")

    part.start()
    supervisor = Supervisor([part], tell)
    supervisor.start()
    part.process.signal(signal.SIGKILL)
    assert part.started.acquire(timeout=PATIENCE)
    supervisor.end()
    assert part.process.running
    part.process.stop()
    supervisor.threads[0].join(PATIENCE)
    assert told[0].startswith("quick ended unexpectedly")


class Relieved(Sleeper):
    """One that can be relieved; its successor comes up when the test says so."""

    def relieve(self):
        before, successor = self.process, self.process.another()
        successor.start()
        self.wait()
        self.process = successor
        return before


@pytest.fixture
def relieved():
    part, told = Relieved("worker"), Told()
    part.start()
    supervisor = Supervisor([part], told)
    supervisor.start()
    yield part, told, supervisor
    supervisor.end()
    part.let.set()
    part.process.stop()
    for thread in supervisor.threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_who_was_relieved_may_end_and_its_successor_is_kept(relieved):
    part, told, supervisor = relieved
    before = supervisor.relieve(part)
    before.stop()
    assert part.process is not before and part.process.running
    assert told == []
    part.process.signal(signal.SIGKILL)
    told.until("worker is back")


def test_who_falls_while_its_successor_comes_up_is_not_started_again(relieved):
    part, told, supervisor = relieved
    before = part.process
    part.let.clear()
    relieving = threading.Thread(target=supervisor.relieve, args=(part,))
    relieving.start()
    assert part.started.acquire(timeout=PATIENCE)
    before.signal(signal.SIGKILL)
    before.wait()
    part.let.set()
    relieving.join(PATIENCE)
    assert part.process is not before
    supervisor.threads[0].join(PATIENCE)  # it kept the one that fell
    assert not supervisor.threads[0].is_alive()
    assert told == []


def test_whose_successor_does_not_come_up_stays_and_is_kept(relieved, monkeypatch):
    part, told, supervisor = relieved
    before = part.process
    monkeypatch.setattr(part, "relieve", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        supervisor.relieve(part)
    before.signal(signal.SIGKILL)
    told.until("worker is back")


def test_nobody_is_relieved_after_the_end(relieved):
    part, _, supervisor = relieved
    supervisor.end()
    with pytest.raises(Retired):
        supervisor.relieve(part)


def test_nothing_is_started_after_the_end(kept):
    slow, _, told, supervisor = kept
    supervisor.end()
    slow.process.signal(signal.SIGKILL)
    for thread in supervisor.threads:
        if thread.name == "slow":
            thread.join(PATIENCE)
    assert not slow.process.running
    assert told == []


def test_breaks_grow_to_a_limit_and_are_none_for_who_has_lasted():
    breaks = Breaks()
    first, *later = [breaks.next() for _ in range(40)]
    assert first == 0
    assert 0.25 <= later[0] <= 0.5 and all(one >= LONGEST_BREAK / 2 for one in later[10:])
    assert max(later) <= LONGEST_BREAK and len(set(later)) == len(later)
    breaks.lasted(STEADY_SECONDS - 1)
    assert breaks.next() > 0
    breaks.lasted(STEADY_SECONDS)
    assert breaks.next() == 0


def test_who_comes_while_a_worker_can_not_be_started_is_dealt_to_the_others(tmp_path):
    one, other = sockets = listen("127.0.0.1", 0, 2)
    worker = WorkerProcess("worker", one, {"LOG_LEVEL": "loud"}, tmp_path / "log")
    told, address = Told(), other.getsockname()
    other.settimeout(PATIENCE)
    worker.start()

    def is_long(line: str) -> bool:
        # More, for it is told in tenths of a second: 1.96 is no long one, and reads as 2.0.
        return "started again in" in line and float(line.split()[-2]) > LONG_BREAK

    def tell(line: str) -> None:
        if is_long(line):
            supervisor.let_go()  # so that the break lasts, however slow we are
        told(line)

    supervisor = Supervisor([worker], tell)
    supervisor.start()
    try:
        told.until("LOG_LEVEL must be one of")
        told.until("", is_long)
        for _ in range(20):
            with socket.create_connection(address, PATIENCE), other.accept()[0]:
                pass
        assert one.getsockname() == address  # nobody else may take it meanwhile
    finally:
        supervisor.end()
        worker.process.stop()
        for thread in supervisor.threads:
            thread.join(PATIENCE)
        for listener in sockets:
            listener.close()


@pytest.fixture
def postgres(tmp_path):
    data_dir.make_folder(tmp_path / "log", 0o700)
    data_dir.make_socket_folder(tmp_path)
    server = Postgres(tmp_path, durable=False)
    server.start()
    server.wait()
    yield server
    server.process.stop()


def test_an_orderly_end_waits_for_the_checkpoint_and_tells_what_it_waits_for(postgres):
    with psycopg.connect(postgres.url()) as database:
        asked = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        (checkpointer,) = database.execute(asked).fetchone()
    told, longer_than_others_are_given = Told(), process.STOP_WITHIN // process.TELL_EVERY + 1

    def show(line: str) -> None:
        told(line)
        if len(told) == longer_than_others_are_given:
            os.kill(checkpointer, signal.SIGCONT)

    os.kill(checkpointer, signal.SIGSTOP)  # as one that waits for its disk
    postgres.stop(show)
    assert len(told) >= longer_than_others_are_given
    assert told[0].startswith("PostgreSQL writes to the disk what it has in memory; it has 57 s")
    assert postgres.process.wait() == 0  # nobody killed it


@pytest.fixture
def recovering(postgres):
    """It fetches what it reads again by a command; here a slow one."""
    with psycopg.connect(postgres.url()) as database:
        database.execute("CREATE TABLE kept AS SELECT 'tea' AS what")
    postgres.process.signal(signal.SIGKILL)
    postgres.process.wait()
    with (postgres.home / "postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'sleep 1; false'\n")
    (postgres.home / "recovery.signal").touch()
    postgres.start()
    yield postgres
    with psycopg.connect(postgres.url()) as database:
        assert database.execute("SELECT what FROM kept").fetchone() == ("tea",)


def test_a_recovery_is_waited_for_as_long_as_it_takes_and_told_of(recovering, monkeypatch):
    monkeypatch.setattr(
        process.Process.until, "__defaults__", (0.5,)
    )  # seconds, less than it takes
    monkeypatch.setattr(recovery, "TELL_EVERY", 0.4)
    recovering.wait(told := Told())
    assert any(line.startswith("PostgreSQL recovers what a crash left: ") for line in told)


def test_a_given_server_that_recovers_is_waited_for_too(recovering):
    recovering.process.until(lambda: probe.is_open(recovering.url()) is False or None)
    probe.expect_answer("DATABASE_URL", recovering.url(), told := Told())
    assert "the database system is" in told[0] and told[0].endswith("it is waited for")


def test_a_given_server_that_opens_while_it_is_asked_is_there(recovering, monkeypatch):
    def opens_meanwhile(url: str) -> str:
        if error := ask(url):
            recovering.process.until(lambda: probe.is_open(url) or None)
        return error

    ask = probe.postgres
    monkeypatch.setattr(probe, "postgres", opens_meanwhile)
    recovering.process.until(lambda: probe.is_open(recovering.url()) is False or None)
    probe.expect_answer("DATABASE_URL", recovering.url(), told := Told())
    assert len(told) == 1 and told[0].endswith("it is waited for")


def test_how_far_a_recovery_is_comes_from_the_log(tmp_path):
    told, log = Told(), tmp_path / "log"
    log.write_text("of an earlier run\n")
    server = Process("PostgreSQL", ["/bin/true"], log=log)
    server.start()
    server.wait()
    shown = recovery.Recovery(server, told)
    shown._told_at = float("-inf")
    with log.open("a") as writes:
        writes.write("2026 UTC [7] LOG:  redo starts at 0/1000000\n")
        place = "elapsed time: 10.02 s, current LSN: 1/1800000"
        writes.write(f"2026 UTC [7] LOG:  redo in progress, {place}\n")
        writes.write("2026 UTC [8] FATAL:  the database system is starting up\n")
    shown.tell()
    shown.tell()  # not again so soon
    assert told == [
        "PostgreSQL recovers what a crash left: 4,104 MiB of its log read again in 10 s"
    ]


@pytest.mark.parametrize(
    "lines, reason",
    [
        (
            [
                "LOG:  database system was interrupted",
                'PANIC:  could not write to file "pg_wal/xlogtemp.27": No space left on device',
                "LOG:  startup process (PID 27) was terminated by signal 6: Aborted",
                "LOG:  aborting startup due to startup process failure",
                "FATAL:  the database system is starting up",
                "LOG:  database system is shut down",
            ],
            'PANIC:  could not write to file "pg_wal/xlogtemp.27": No space left on device',
        ),
        (
            ["FATAL:  database files are incompatible with server", "LOG:  shut down"],
            "FATAL:  database files are incompatible with server",
        ),
        (
            ["Traceback (most recent call last):", "OSError: [Errno 28] No space left on device"],
            "OSError: [Errno 28] No space left on device",
        ),
        (["LOG:  listening", "", "FATAL:  the database system is in recovery mode"], ""),
    ],
)
def test_the_last_words_name_the_cause_and_not_what_came_of_it(lines, reason):
    assert reasons.complaint(lines) == reason
