"""Many cores: who gets which, and several generators' reports made one."""

import asyncio
import os
import shutil
from collections import Counter

import pytest

from bench import load as loads
from bench.cores import crowd, table
from bench.cores.split import split
from bench.load.fleet import Fleet, Share
from bench.load.merge import merged, quantile_ms
from tests.bench.test_load import MEMBERS, honest, loses, room

TIMES = {"latency_ms": [[10, 3]], "last_ms": [], "joined_ms": [], "pinged_ms": []}


def report(**more):
    counts = dict.fromkeys(
        ("clients", "rooms", "sent", "acked", "delivered", "completed", "lost", "repeated",
         "disorder", "refused", "closed_early", "stalled_closed", "frames", "bytes", "reads",
         "other_frames"), 1,
    )  # fmt: skip
    times = {name: {"buckets": some, "max": 1.5} for name, some in TIMES.items()}
    return {"wire": "plain", "seconds": 3.0, "busy": 0.5, **counts, **times, **more}


def single(many):
    """Cores of one thread."""
    return [(n,) for n in range(many)]


@pytest.mark.parametrize("cores", [3, 4, 8, 12, 13, 16, 64, 97])
def test_each_core_is_for_one_thing(cores):
    found = split(single(cores))
    assert found.is_apart
    assert sorted(found.stores + found.workers + found.load) == list(range(cores))


@pytest.mark.parametrize(
    ("cores", "sizes"),
    [(4, (1, 2, 1)), (8, (2, 4, 2)), (12, (2, 8, 2)), (16, (4, 8, 4)), (64, (16, 32, 16))],
)
def test_half_are_for_workers_and_of_twelve_eight(cores, sizes):
    found = split(single(cores))
    assert (len(found.stores), len(found.workers), len(found.load)) == sizes


def test_of_two_cores_the_load_has_its_own_and_it_is_said_what_is_not_apart():
    found = split([(4,), (7,)])
    assert (found.stores, found.workers, found.load) == ((4,), (4,), (7,))
    assert "share" in found.note


def test_cores_that_are_not_there_are_played_and_it_is_said():
    found = split(single(2), played=8)
    assert len(found.workers) == 4 and set(found.workers) == {0, 1}
    assert "no figure counts" in found.note


def test_two_threads_of_a_core_are_for_the_same_thing_and_few_workers_have_a_core_each():
    found = split([(n, n + 8) for n in range(8)])
    assert (found.stores, found.load) == ((0, 1, 8, 9), (6, 7, 14, 15))
    assert found.workers == (2, 3, 4, 5, 10, 11, 12, 13)


def test_workers_are_doubled_up_to_what_there_is():
    assert split(single(16)).counts == [1, 2, 4, 8]
    assert split(single(12)).counts == [1, 2, 4, 8]
    assert split(single(24)).counts == [1, 2, 4, 8, 12]


def test_counts_are_added_and_the_busiest_tells():
    whole = merged([report(lost=1, busy=0.4), report(lost=2, busy=0.95, seconds=3.1)])
    assert (whole["lost"], whole["delivered"], whole["generators"]) == (3, 2, 2)
    assert (whole["busy"], whole["seconds"]) == (0.95, 3.1)


def test_a_quantile_is_that_of_all_and_no_mean_of_means():
    slow = {"buckets": [[63, 1]], "max": 2.0}
    whole = merged([report(), report(latency_ms=slow)])["latency_ms"]
    assert (whole["count"], whole["p50"], whole["max"]) == (4, 0.010, 2.0)
    assert whole["p999"] == 0.063


def test_buckets_are_read_as_the_generator_reads_them():
    assert quantile_ms(Counter({64: 1}), 0.5) == pytest.approx(0.0645)
    assert quantile_ms(Counter({128: 1}), 0.5) == pytest.approx(0.129)
    assert quantile_ms(Counter(), 0.5) == 0


# --- the table ------------------------------------------------------------------------------------


def row(workers, messages, busy=0.5, **more):
    return {
        "workers": workers, "cores": workers, "messages_per_second": messages,
        "per_cpu_second": 1e6, "busy": busy, "reconnects_per_second": 100.0 * workers,
        "reconnects_per_cpu_second": 90.0, "faults": [], **more,
    }  # fmt: skip


def goals(rows, cores, theirs=(), crowded=()):
    found = {"rows": rows, "centrifugo": dict(theirs), "crowded": dict(crowded), "pauses": {}}
    return [(one.goal, one.met) for one in table.figures(found, cores) if one.goal]


def test_eight_workers_are_judged_beside_one_and_beside_eight_threads():
    rows = [row(1, 1000.0), row(8, 8000.0)]
    assert goals(rows, 16, {8: row(8, 6000.0)}) == [("S2", True), ("S2", False)]


def test_few_cores_judge_nothing_about_many():
    assert goals([row(1, 1000.0), row(8, 8000.0)], 8) == []


def test_where_the_load_was_the_limit_nothing_is_judged():
    assert goals([row(1, 1000.0), row(8, 8000.0, busy=0.93)], 16) == []


def test_thirty_two_workers_are_judged_by_the_cost_of_a_delivery():
    crowded = {8: row(8, 1.0), 32: row(32, 1.0, per_cpu_second=0.5e6, cores=8)}
    assert goals([], 16, crowded=crowded) == [("S3", False)]


# --- several generators ---------------------------------------------------------------------------


def test_each_generator_plays_whole_rooms_whose_people_come_by_all_ports(tmp_path):
    rooms = [(number, ["a", "b", "c"]) for number in range(5)]
    found = crowd.shares(rooms, [7001, 7002], [2, 3], tmp_path)
    assert [(one.rooms, one.core) for one in found] == [(3, 2), (2, 3)]
    assert found[1].plan.read_text().splitlines()[:4] == [
        "7001 1 a", "7002 1 b", "7001 1 c", "7001 3 a",
    ]  # fmt: skip


def test_there_are_no_more_generators_than_rooms(tmp_path):
    assert len(crowd.shares([(1, ["a"])], [7001], [1, 2, 3], tmp_path)) == 1


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is missing")
@pytest.mark.parametrize(("spoil", "told"), [(honest, []), (loses, ["1 lost"])])
async def test_two_generators_are_one_report_and_hide_nothing(tmp_path, monkeypatch, spoil, told):
    monkeypatch.setattr(loads, "HOME", tmp_path)
    async with room(honest) as one, room(spoil) as other:
        plans = [share(tmp_path / f"plan-{port}.txt", port) for port in (one, other)]
        run, taken = await asyncio.to_thread(talk, plans)
    assert run.faults == told
    assert run.report["generators"] == 2 and run.report["clients"] == 2 * MEMBERS
    assert run.report["latency_ms"]["count"] == run.report["delivered"] > 0
    assert list(taken) == [os.getpid()]


def share(plan, port):
    plan.write_text(f"{port} 1 -\n" * MEMBERS)
    return Share(plan, 1, 0)


def talk(plans):
    times = {"warm": 0, "measure": 0.3, "drain": 0.3, "doze": True, "publishers": 1}
    return Fleet("plain", "/%s/", plans, {"rate": 200}, **times).measured([os.getpid()])
