"""Hosts in network namespaces: one can be cut off, and nothing of them is left."""

import os
import socket
import subprocess
import sys

import pytest

from faults.network import Missing, Network, _ip

PORT, MOMENT = 8000, 0.3  # seconds
LISTEN = "import socket; one = socket.create_server(('', 8000)); print('on', flush=True); input()"

LEAVE = "from faults.network import Network; n = Network(2); n.start(); print(n.bridge)"


@pytest.fixture
def network():
    made = Network(1)
    try:
        made.start()
    except Missing as why:
        pytest.skip(f"No hosts here: {why}.")
    yield made
    made.stop()


def answers(network):
    try:
        with socket.create_connection((network.addresses[0], PORT), MOMENT):
            return True
    except OSError:
        return False


def names():
    return _ip("-o", "link", "show") + _ip("netns", "list")


def test_a_host_answers_until_it_is_cut_off_and_again_when_it_joins(network):
    command = network.inside(0, [sys.executable, "-c", LISTEN])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as server:
        assert server.stdout.readline() == b"on\n"
        assert answers(network)
        network.cut(0)
        assert not answers(network)
        network.join(0)
        assert any(answers(network) for _ in range(20))
        server.communicate(b"\n")
    network.stop()
    assert network.bridge not in names()


def test_what_one_that_was_killed_left_is_removed_by_the_next(network):
    left = (
        "import os; from faults.network import Network; n = Network(2); n.start(); print(n.bridge)"
    )
    ended = subprocess.run([sys.executable, "-c", left], capture_output=True, text=True, check=True)
    bridge = ended.stdout.strip()
    assert bridge in names()
    network.stop()
    network.start()
    assert bridge not in names() and network.bridge in names()
    assert str(os.getpid()) in network.bridge
