"""The goals of those scenarios that only measure: what of their result is judged by what."""

from collections.abc import Callable
from typing import Any

from bench.figures import Figure

Found = dict[str, Any]


def judged(name: str, found: Found) -> Found:
    """The result with its figures."""
    if "figures" in found:
        return found
    return found | {"figures": [one.as_dict() for one in GOALS[name](found)]}


def _writes(found: Found) -> list[Figure]:
    peer, plain = "Django's acreate", found["acreate"]["per_second"]
    ours = {"one room": "one_room", "50 rooms": "fifty_rooms"}
    return [
        Figure(goal, f"durable writes, {found['in_flight']} in flight, {where}",
               found[key]["per_second"], "/s", peer, plain, at_least=bound)
        for goal, bound in found["goals"].items()
        for where, key in ours.items()
    ]  # fmt: skip


def _arrivals_kept(found: Found) -> list[Figure]:
    ours, theirs = found["ours"], found["upserts"]
    peer, what = (
        "an upsert each, NX-27017 as it comes",
        f"{found['people']:,} people, kept in MongoDB",
    )
    told = {"new": "come for the first time", "gone": "go", "back": "come back"}
    return [
        Figure("", f"{what}: {said}", ours[name], "s", at_most=found["goal"],
               note=f"{peer}: {theirs[name]:.2f} s, {theirs[name] / ours[name]:.1f} times as long")
        for name, said in told.items()
    ] + [
        Figure("", f"{what}: left to others when all go with their process", ours["farewell"], "s",
               at_most=found["goal_farewell"])
    ]  # fmt: skip


def _joins(found: Found) -> list[Figure]:
    what = (
        f"{found['people']:,} people at a room of {found['seats']}, {found['processes']} processes"
    )
    ours, theirs = (found[key]["per_second"] for key in ("ours", "lock_per_join"))
    return [
        Figure(goal, f"{what}: answered", ours, "/s", "a Redis lock per join", theirs,
               at_least=found["goal"], note=f"exactly {found['seats']} seated, each time")
        for goal in ("G12", "S9")
    ]  # fmt: skip


def _missed(found: Found) -> list[Figure]:
    what = f"{found['missed']:,} missed out of {found['lines']:,} rows"
    peer, theirs = "the original's query", found["original"]
    # The original reads all rows: against fewer of them there is as much less to win.
    goal = found["goal"] * found["lines"] / 10_000_000
    return [
        Figure("G14", f"{what}: the query", found["at_once"]["postgresql_ms"], "ms", peer,
               theirs["postgresql_ms"], at_most=1 / goal),
        Figure("", f"{what}: with 1,000 objects made of it", found["at_once"]["ms"], "ms", peer,
               theirs["ms"]),
        Figure("", f"{what}: by pages of 100", found["ours"]["ms"], "ms", peer, theirs["ms"]),
    ]  # fmt: skip


def _original_load(found: Found) -> list[Figure]:
    who = f"{found['users']} users of the original's load"
    lists = next(took for kind, took in found["requests_ms"].items() if "list" in kind)
    return [
        Figure("G13", f"{who}: failures", found["failed"], "", at_most=found["goal_failed"]),
        Figure("G13", f"{who}: room list p99", lists["p99"], "ms",
               at_most=found["goal_list_p99_ms"]),
    ]  # fmt: skip


def _rows(found: Found) -> list[Figure]:
    by_size = found["median_ms"]
    few, many = list(by_size)[0], list(by_size)[-1]
    return [
        Figure("G14", f"{name}, with {int(many):,} rows", by_size[many][name], "ms",
               f"with {int(few):,}", by_size[few][name], at_most=1.5)
        for name in found["growth"]
    ]  # fmt: skip


# What the table has a row for even where it was not measured; the rest of a row is its scenario's.
NAMES = {
    "S1": "40 hot rooms of 100, 8 workers on one core: deliveries",
    "S2": "40 hot rooms of 100, 8 workers on 8 cores of at least 12: messages",
    "S3": "40 hot rooms of 100, 32 workers: CPU of a delivery",
    "S4": "10,000 sockets, talk at half load: longest pause of a worker's loop",
    "S5": "40 hot rooms of 100, half the load: CPU",
    "S6": "whole reconnects, sign-in and handshake too",
    "S7": "quiet room: latency",
    "S8": "small rooms: messages",
    "S9": "1,000 people at a room of 100, 2 processes: answered",
    "S10": "memory per connection, 10,000 idle",
    "S11": "durable writes, 50 in flight",
    "S12": "large room: deliveries",
    "S13": "the original's load: CPU of a visit",
}

GOALS: dict[str, Callable[[Found], list[Figure]]] = {
    "writes": _writes,
    "joins": _joins,
    "arrivals_kept": _arrivals_kept,
    "missed": _missed,
    "original_load": _original_load,
    "rows": _rows,
}
