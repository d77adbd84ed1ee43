"""G7: 1,000 messages at once from 20 clients to 20 members of a room, who all read.

As it is; with Valkey killed in the middle and started again; with one of two workers killed and
started again. What counts is what anyone missed, got twice or got out of order, and whether what
was acknowledged is what PostgreSQL holds.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from bench.figures import Figure
from bench.ours import Ours, pinned
from bench.peers import Absent, Peer, tutorial
from bench.scenarios.talkers import PlainTalker, Talker, until
from bench.servers import HOME, LOAD_CORE, SERVER_CORE, Servers

MESSAGES, MEMBERS = 1000, 20
EACH = MESSAGES // MEMBERS
FAULT_AFTER = 100  # messages acknowledged; the second half is sent right after the fault
WITHIN = 60  # seconds
QUIET_SECONDS = (
    6  # processes compare their heads every 5 s: what comes late or twice, comes by then
)
FAULTS = ("as it is", "Valkey killed", "a worker killed")
BAD = ("lost", "repeated", "reordered", "unacknowledged", "not_stored", "stored_twice", "refused")


def run(
    servers: Servers,
    *,
    short: bool,
    tell: Callable[[str], None],
    peers: Iterable[Peer] | None = None,
) -> dict[str, Any]:
    """`rounds`: what each burst did; `peers`: theirs; `figures`. Of the peers given, only those of
    the wire "plain" are asked; without any, the Channels tutorial, by its channel layers."""
    if peers is None:
        both = [tutorial.Daphne(persist=False), tutorial.Uvicorn(persist=False)]
        peers = both[:1] if short else both
    rounds: list[dict[str, Any]] = []
    with pinned(LOAD_CORE):
        with _site(servers) as site:
            for number in range(1 if short else 5):
                for fault in FAULTS:
                    tell(f"burst {number + 1}, {fault}")
                    rounds.append({"fault": fault} | asyncio.run(site.burst(fault)))
        others = {peer.name: _of(peer, servers, tell) for peer in peers if peer.wire == "plain"}
    return {"rounds": rounds, "peers": others, "figures": [*_figures(rounds, others)]}


def _figures(rounds: list[dict[str, Any]], others: dict[str, Any]) -> Iterator[dict[str, Any]]:
    what = f"{MESSAGES:,} messages at once to {MEMBERS} members"
    for fault in FAULTS:
        of_it = [one for one in rounds if one["fault"] == fault]
        bad = {name: sum(one[name] for one in of_it) for name in BAD}
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in bad.items())
        note = f"{told}; {len(of_it)} × {MESSAGES * MEMBERS:,} deliveries"
        total = sum(bad.values())
        yield Figure("G7", f"{what}, {fault}: faults", total, at_most=0, note=note).as_dict()
    share = sum(one["lost"] for one in rounds) / len(rounds) / (MESSAGES * MEMBERS)
    for name, one in others.items():
        if (lost := one.get("lost")) is not None:
            note = f"{one['repeated']} repeated, {one['reordered']} out of their sender's order"
            yield Figure(
                "G7", f"{what}: lost", 100 * share, "%", name, 100 * lost / MESSAGES / MEMBERS,
                note=note,
            ).as_dict()  # fmt: skip


class Site:
    """Two workers on the servers' core, with a Valkey of their own to kill."""

    def __init__(self, ours: Ours, valkey: Any) -> None:
        self.ours, self.valkey = ours, valkey

    async def burst(self, fault: str) -> dict[str, Any]:
        room, people = next(self.ours.rooms(1, MEMBERS))
        ports = self.ours.ports
        talkers = [
            Talker(number, person, room, ports[number % len(ports)], at_once=EACH)
            for number, person in enumerate(people)
        ]
        async with asyncio.timeout(WITHIN):
            await asyncio.gather(*(talker.come() for talker in talkers))
        began = time.monotonic()
        acked_at_fault = await self._talk(talkers, fault)
        await until(lambda: all(map(_is_done, talkers)), WITHIN)
        heard = lambda: max(talker.heard_at for talker in talkers)  # noqa: E731
        seconds = heard() - began
        await until(lambda: time.monotonic() - heard() > QUIET_SECONDS, WITHIN)
        await asyncio.gather(*(talker.leave() for talker in talkers))
        told = {"seconds": round(seconds, 3), "acknowledged_at_fault": acked_at_fault}
        return told | judge(talkers, self._stored(room))

    async def _talk(self, talkers: list[Talker], fault: str) -> int | None:
        halves = (EACH,) if fault == FAULTS[0] else (EACH // 2, EACH - EACH // 2)
        acked = lambda: sum(len(talker.acked) for talker in talkers)  # noqa: E731
        for talker in talkers:
            talker.say(halves[0])
        if len(halves) == 1:
            return None
        assert await until(lambda: acked() >= FAULT_AFTER, WITHIN), "nothing was acknowledged"
        acked_at_fault = acked()
        self._kill(fault)
        for talker in talkers:
            talker.say(halves[1])
        if "Valkey" in fault:  # while it is away, talking goes on
            await until(lambda: acked() > MESSAGES * 3 // 4, WITHIN)
        await self._start_again(fault)
        return acked_at_fault

    def _kill(self, fault: str) -> None:
        if "worker" in fault:
            self.ours.kill(1)
        else:
            self.valkey.process.signal(signal.SIGKILL)
            self.valkey.process.wait()

    async def _start_again(self, fault: str) -> None:
        if "worker" in fault:
            self.ours.start_worker(1)
            await asyncio.to_thread(self.ours.wait_for, 1)
        else:
            with pinned(SERVER_CORE):
                self.valkey.start()
            await asyncio.to_thread(self.valkey.wait)

    def _stored(self, room: int) -> list[tuple[int, str]]:
        with psycopg.connect(self.ours.database) as database:
            rows = database.execute(
                "SELECT seq, client_id::text FROM messaging_event WHERE room_id = %s ORDER BY seq",
                [room],
            )
            return rows.fetchall()


def _is_done(talker: Talker) -> bool:
    return len(talker.seen) >= MESSAGES and not talker.waiting


def judge(talkers: list[Talker], stored: list[tuple[int, str]]) -> dict[str, int]:
    """Of all members together, against the log as PostgreSQL has it."""
    lines = set(stored)
    acked = {(seq, cid) for talker in talkers for cid, seq in talker.acked.items()}
    return {
        "lost": sum(len(lines - set(talker.seen)) for talker in talkers),
        "repeated": sum(len(talker.seen) - len(set(talker.seen)) for talker in talkers),
        "reordered": sum(map(_reordered, talkers)),
        "unacknowledged": sum(len(talker.waiting) for talker in talkers),
        "not_stored": len(acked - lines),
        "stored_twice": len(stored) - len({cid for _, cid in stored}),
        "refused": sum(len(talker.refused) for talker in talkers),
        "stored": len(stored),
        "came_back": sum(talker.came - 1 for talker in talkers),
        "unrecovered": sum(talker.unrecovered for talker in talkers),
    }


def _reordered(talker: Talker) -> int:
    """Lines that came after a later one, or after a hole."""
    seqs = [seq for seq, _ in talker.seen]
    return sum(later != earlier + 1 for earlier, later in zip([0, *seqs], seqs, strict=False))


@contextmanager
def _site(servers: Servers) -> Iterator[Site]:
    from chattalk.embedded import data_dir
    from chattalk.embedded.valkey import Valkey

    data = data_dir.make_folder(HOME / "burst", 0o755)
    data_dir.make_folder(data / "run", 0o711)
    data_dir.make_folder(data / "log", 0o700)
    data_dir.make_socket_folder(data)
    valkey, ours = Valkey(data), Ours()
    try:
        with pinned(SERVER_CORE):
            valkey.start()
        valkey.wait()
        ours.start(replace(servers, redis=valkey.url()), (SERVER_CORE, SERVER_CORE))
        yield Site(ours, valkey)
    finally:
        ours.stop()
        valkey.process.stop()


# --- peers --------------------------------------------------------------------------------------


def _of(peer: Peer, servers: Servers, tell: Callable[[str], None]) -> dict[str, Any]:
    tell(f"burst, {peer.name}")
    try:
        peer.install()
    except Absent as reason:
        return {"absent": str(reason)}
    peer.start(servers)
    try:
        return asyncio.run(_burst_of(peer))
    finally:
        peer.stop()


async def _burst_of(peer: Peer) -> dict[str, Any]:
    path = peer.path.replace("%s", "burst")
    talkers = [PlainTalker(number, peer.port, path) for number in range(MEMBERS)]
    await asyncio.gather(*(talker.come() for talker in talkers))
    began = time.monotonic()
    for talker in talkers:
        talker.say(EACH)
    heard = lambda: max([began, *(talker.heard_at for talker in talkers)])  # noqa: E731
    all_there = lambda: all(len(talker.seen) >= MESSAGES for talker in talkers)  # noqa: E731
    quiet = lambda: time.monotonic() - heard() > QUIET_SECONDS  # noqa: E731
    await until(lambda: all_there() or quiet(), WITHIN)
    await until(quiet, WITHIN)
    for talker in talkers:
        talker.leave()
    return {
        "seconds": round(heard() - began, 3),
        "lost": sum(MESSAGES - len(set(talker.seen)) for talker in talkers),
        "repeated": sum(len(talker.seen) - len(set(talker.seen)) for talker in talkers),
        "reordered": sum(_out_of_turn(talker.seen) for talker in talkers),
        "cut_off": sum(talker.cut_off for talker in talkers),
    }


def _out_of_turn(seen: list[tuple[int, int]]) -> int:
    """These wires number nothing: only a sender's own order is known."""
    last: dict[int, int] = {}
    count = 0
    for sender, number in seen:
        count += number < last.get(sender, 0)
        last[sender] = max(number, last.get(sender, 0))
    return count
