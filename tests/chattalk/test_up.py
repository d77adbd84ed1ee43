"""`manage.py up` as a person uses it: one command, one sentence if it fails, nothing left."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import psycopg
import pytest

from chattalk.embedded.leftovers import end_leftovers
from tests import scrape
from tests.up import NOT_GIVEN, ROOT, Up

SECRET = "only-for-this-test-" + "0123456789" * 5


def addresses(data: Path) -> dict[str, str]:
    return json.loads((data / "run" / "servers.json").read_text())


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Of all tests here: it was used by a run before, as a data folder mostly is."""
    return tmp_path_factory.mktemp("data")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_then_stops_all_it_started(data, number):
    with Up(data, "--workers", "2") as run:
        run.ready()
        with urllib.request.urlopen(run.url + "livez") as answer:
            assert answer.status == 200
        assert len(run.children) > 5  # two workers and three servers at least
        serving = [one for one in run.children if "chattalk.server.worker" in one.cmdline()]
        assert [one.environ()["CHATTALK_WORKERS"] for one in serving] == ["2", "2"]
        run.process.send_signal(number)
        assert run.end() == 0
        assert run.left() == []
    assert not (data / "run").exists()


IN_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "manage.py", "up", "--port", "0"])
"""


def test_a_terminal_that_is_closed_ends_its_site(data):
    own = {name: value for name, value in os.environ.items() if name not in NOT_GIVEN}
    ours, its = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL],
        cwd=ROOT,
        env=own | {"CHATTALK_DATA": str(data)},
        **dict.fromkeys(("stdin", "stdout", "stderr"), its),
        start_new_session=True,
    )
    os.close(its)
    with run:
        said = b""
        while b"http://" not in said:
            said += os.read(ours, 1000)
        os.close(ours)
        assert run.wait(60) == 0
    assert not (data / "run").exists()


def test_a_second_signal_hastens_the_end_whenever_it_comes(data):
    with Up(data) as run:
        run.ready()
        for _ in range(20):
            run.process.send_signal(signal.SIGINT)
            run.process.send_signal(signal.SIGTERM)
        assert run.end() == 0
        assert run.left() == []
    assert "Traceback" not in run.said


def test_data_and_secret_survive_a_restart(data):
    with Up(data) as run:
        run.ready()
        secret = (data / "secret_key").read_text()
        with psycopg.connect(addresses(data)["DATABASE_URL"]) as database:
            database.execute("CREATE TABLE kept AS SELECT 'tea' AS what")
        run.process.terminate()
        assert run.end() == 0
    with Up(data) as run:
        run.ready()
        with psycopg.connect(addresses(data)["DATABASE_URL"]) as database:
            assert database.execute("DELETE FROM kept RETURNING what").fetchone() == ("tea",)
            database.execute("DROP TABLE kept")
        assert (data / "secret_key").read_text() == secret
        assert (data / "secret_key").stat().st_mode & 0o077 == 0
        assert (data / "run" / "servers.json").stat().st_mode & 0o077 == 0


def test_a_killed_run_leaves_no_process_and_the_next_one_starts(data):
    port = scrape.free_ports(2)
    with Up(data, METRICS_PORT=str(port)) as run:
        run.ready()
        run.find("chattalk.server.worker").kill()
        run.until("worker 1 is back")  # started by another thread than the first one
        told = scrape.at(port)["chattalk_restarts_total"]
        assert {dict(key)["part"]: many for key, many in told.items()} == {
            **dict.fromkeys(PARTS, 0),
            "worker 1": 1,
        }
        assert scrape.total(scrape.at(port + 1), "chattalk_worker_falls_total") == 1
        run.children = run.process.children(recursive=True)
        run.process.kill()
        run.process.wait()
        assert run.left() == []
    assert (data / "run" / "servers.json").exists()  # stale: nobody was left to remove it
    with Up(data) as run:
        run.ready()


PARTS = {
    "worker 1": "chattalk.server.worker",
    "Valkey": "valkey-server",
    "MongoDB wire": "mongo_wire_main.py",
}
PARTS |= {"PostgreSQL": "postgres -D"}


def test_what_falls_and_falls_again_while_it_starts_comes_back_alone(data):
    with Up(data, "--workers", "2") as run:
        run.ready()
        other = run.find("chattalk.server.worker", run.find("chattalk.server.worker"))
        for name, program in PARTS.items():
            first = run.find(program, other)
            first.kill()
            run.until(f"{name} ended unexpectedly")
            run.find(program, other, first).kill()
            run.until(f"{name} is back")
        assert set(re.findall(r"s  (.+) ended unexpectedly", run.said)) == PARTS.keys()
        run.is_ready_again()
        assert other.is_running()
        run.process.terminate()
        assert run.end() == 0


def test_what_cannot_be_started_says_why_and_is_tried_again_while_the_others_stay(data):
    log = data / "postgres" / "pg_wal"
    with Up(data) as run:
        run.ready()
        try:
            log.chmod(0)
            run.find("postgres -D").kill()
            run.until("PostgreSQL did not come up .*Permission denied.*started again in")
            with urllib.request.urlopen(run.url + "livez") as answer:
                assert answer.status == 200
        finally:
            log.chmod(0o700)
        run.until("PostgreSQL is back")
        assert "worker 1 ended" not in run.said


def test_a_site_whose_lines_nobody_reads_any_more_goes_on(data):
    with Up(data) as run:
        run.ready()
        run.process.stdout.close()
        worker = run.find("chattalk.server.worker")
        worker.kill()
        run.find("chattalk.server.worker", worker)
        with urllib.request.urlopen(run.url + "livez") as answer:  # once it listens again
            assert answer.status == 200


def test_a_port_in_use_is_named_and_nothing_is_started(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Up(tmp_path / "data", "--port", str(port)) as run:
            assert run.end() == 1
    assert f"Port {port} on 127.0.0.1 can't be used" in run.said
    assert "--port" in run.said
    assert not (tmp_path / "data" / "log").exists()


def test_a_data_folder_in_use_is_named_and_left_alone(data):
    with Up(data) as run:
        run.ready()
        with Up(data) as second:
            assert second.end() == 1
        assert f"{data} is in use by another run (process {run.process.pid})" in second.said
        assert "CHATTALK_DATA" in second.said
        with urllib.request.urlopen(run.url + "livez") as answer:
            assert answer.status == 200


def test_a_server_that_does_not_come_up_is_named_with_its_last_words(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9")
    with Up(tmp_path) as run:
        children = psutil.Process(run.process.pid).children
        assert run.end() == 1
    assert "PostgreSQL did not come up" in run.said
    assert str(tmp_path / "log" / "postgresql.log") in run.said
    assert "Traceback" not in run.said
    with pytest.raises(psutil.NoSuchProcess):
        children()


@pytest.mark.parametrize(
    "name, url",
    [
        ("DATABASE_URL", "postgresql://u:hidden@127.0.0.1:1/x"),
        ("REDIS_URL", "redis://:hidden@127.0.0.1:1"),
        ("MONGODB_URL", "mongodb://u:hidden@127.0.0.1:1/x"),
    ],
)
def test_a_given_server_that_does_not_answer_is_named_without_its_password(data, name, url):
    with Up(data, **{name: url}) as run:
        assert run.end() == 1
    assert f"{name}: no answer from" in run.said
    assert "hidden" not in run.said
    assert "Traceback" not in run.said


def test_others_are_kept_out_while_debug_is_on(data):
    with Up(data, "--host", "0.0.0.0") as run:
        assert run.end() == 1
    assert "DEBUG=false" in run.said


def test_known_passwords_are_for_debug_only(data):
    with Up(data, "--demo", DEBUG="false", SECRET_KEY=SECRET, ALLOWED_HOSTS="x.example") as run:
        assert run.end() == 1
    assert run.said.startswith("chattalk: --demo")


def test_a_weak_secret_is_refused_where_others_can_reach_it(tmp_path):
    with Up(
        tmp_path / "data", DEBUG="false", SECRET_KEY="k" * 60, ALLOWED_HOSTS="x.example"
    ) as run:
        assert run.end() == 1
    assert run.said.startswith("chattalk: SECRET_KEY is too weak to sign with")
    assert len(run.said.splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("option", [["--workers", "0"], ["--workers", "65"], ["--port", "x"]])
def test_a_wrong_option_is_refused(data, option):
    with Up(data, *option) as run:
        assert run.end() == 2
    assert option[0] in run.said


def test_only_servers_of_this_very_folder_are_leftovers(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    program = [sys.executable, "-c", "import signal; signal.pause()  # valkey-server"]
    runs = []
    for folder in (ours, theirs):
        folder.mkdir()
        runs.append(subprocess.Popen(program, cwd=folder))
    try:
        assert end_leftovers(ours, "postgres", signal.SIGTERM) == []
        assert end_leftovers(ours, "valkey-server", signal.SIGTERM) == [runs[0].pid]
        assert runs[0].wait(10) == -signal.SIGTERM
        assert runs[1].poll() is None
    finally:
        for run in runs:
            run.kill()
            run.wait()


def test_workers_that_could_not_ask_each_other_for_their_figures_are_refused(data):
    with Up(data, "--workers", "2", METRICS_TOKEN="x" * 16) as run:
        assert run.end() == 1
    assert "METRICS_TOKEN needs METRICS_PORT" in run.said and "Traceback" not in run.said
