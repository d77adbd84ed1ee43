"""Three members by clients/js over two processes, while one is killed or restarted, or the line to
it is cut again and again: nothing is lost, nothing comes twice, all is in order at each of them."""

import asyncio
import json
import subprocess
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from faults.proxy import Proxy
from tests.clients.js.node import ROOT, SECONDS, needs_node, node

pytestmark = needs_node
COUNT = 40  # messages of each; more than may be said at once, so that the talk lasts
NAMES = ("alice", "bob", "dana")  # the second one is at the process that nothing happens to
CUT_AFTER = 2_500  # bytes to a member, about ten frames, mostly in the middle of one
CUTS = 6


@contextmanager
def talking(urls):
    command = node("tests/clients/js/members.mjs", json.dumps(urls), COUNT)
    talk = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield talk
    finally:
        talk.kill()
        talk.wait()
        talk.stdout.close()


def told(talk, name):
    """What it tells next under that name."""
    for line in talk.stdout:
        if name in (what := json.loads(line)):
            return what
    raise AssertionError(f"it ended without {name}")


def begins(talk):
    assert told(talk, "heard")["heard"] < len(NAMES) * COUNT / 2  # it is in the middle of it


def nothing_is_lost(talk):
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


def kill(stack):
    stack.kill9(0)
    stack.restart(0)


def restart(stack):
    stack.restart(0)


@pytest.mark.parametrize("fault", [kill, restart])
def test_a_process_that_goes_costs_no_message(stack, fault):
    with talking(stack.urls) as talk:
        begins(talk)
        fault(stack)
        nothing_is_lost(talk)


class Counted(Proxy):
    """Says when it has cut often enough, and is a good line from then on."""

    cuts = 0

    async def _pass_on(self, *args, **named):
        passed = await super()._pass_on(*args, **named)
        self.cuts += not passed
        if self.cuts == CUTS:
            self.mend()
        return passed


async def test_a_line_that_is_cut_in_the_middle_of_frames_costs_no_message(stack):
    address = urlsplit(stack.urls[0])
    proxy = Counted(lambda: asyncio.open_connection(address.hostname, address.port))
    await proxy.start()
    with talking([f"http://127.0.0.1:{proxy.port}", stack.urls[1]]) as talk:
        await asyncio.to_thread(begins, talk)
        proxy.be(cut_down=CUT_AFTER)
        await asyncio.to_thread(nothing_is_lost, talk)
    await proxy.stop()
    assert proxy.cuts >= CUTS
