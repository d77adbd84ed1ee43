"""Three members by clients/js over two processes, one of which is killed or restarted: nothing is
lost, nothing comes twice, all is in order at each of them."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.clients.js.node import ROOT, SECONDS, needs_node, node

pytestmark = needs_node
COUNT = 40  # messages of each; more than may be said at once, so that the talk lasts
NAMES = ("alice", "bob", "dana")


@pytest.fixture
def talk(stack) -> Iterator["subprocess.Popen[str]"]:
    command = node("tests/clients/js/members.mjs", json.dumps(stack.urls), COUNT)
    talk = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield talk
    talk.kill()
    talk.wait()
    talk.stdout.close()


def told(talk, name):
    """What it tells next under that name."""
    for line in talk.stdout:
        if name in (what := json.loads(line)):
            return what
    raise AssertionError(f"it ended without {name}")


def kill(stack):
    stack.kill9(0)
    stack.restart(0)


def restart(stack):
    stack.restart(0)


@pytest.mark.parametrize("fault", [kill, restart])
def test_a_process_that_goes_costs_no_message(stack, talk, fault):
    assert told(talk, "heard")["heard"] < len(NAMES) * COUNT / 2  # in the middle of it
    fault(stack)
    members = [told(talk, "name") for _ in NAMES]
    receipts = told(talk, "receipts")["receipts"]
    assert talk.wait(SECONDS) == 0
    assert [bool(member["breaks"]) for member in members] == [True, False, True]
    assert sorted(seq for seq, _body in members[0]["heard"]) == sorted(receipts)
    for member in members:
        assert member["heard"] == members[0]["heard"]
        seqs = member["called"]
        assert seqs == list(range(seqs[0], seqs[-1] + 1))
        for name in NAMES:
            said = [body for _seq, body in member["heard"] if body.startswith(name)]
            assert said == [f"{name} {number}" for number in range(COUNT)]
