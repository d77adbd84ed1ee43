"""The logs of the embedded servers are kept short while these write to them."""

import subprocess
import sys
import time

from chattalk.embedded import logs

CHATTY = """
import itertools, time
for number in itertools.count():
    print(f"{number} a line of the server", flush=True)
    time.sleep(0.0001)
"""


def lines(path):
    return [line for line in path.read_text().splitlines() if line.endswith("of the server")]


def test_a_log_is_cut_off_while_its_server_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(logs, "LOG_KEPT", 20_000)
    path = tmp_path / "server.log"
    with path.open("ab") as output:
        server = subprocess.Popen([sys.executable, "-c", CHATTY], stdout=output)
    rotation = logs.Rotation([path])
    rotation.start()
    try:
        old, deadline = tmp_path / "server.log.old", time.monotonic() + 30
        while not (old.exists() and lines(old)) or not lines(path):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        rotation.stop()
        server.kill()
        server.wait()
    assert old.stat().st_size <= 20_000
    assert path.read_bytes()[:1].isdigit()  # no hole where it was cut off
    assert int(lines(path)[-1].split()[0]) > int(lines(old)[0].split()[0])
