"""Whether presence documents name who is there, and nobody is here with nobody to hold them."""

import time
from collections.abc import Callable
from typing import Any

from chattalk.maintenance import verify_sql
from chattalk.maintenance.progress import Advance
from chattalk.maintenance.report import Findings
from presence import counts, last_seen, stored

DOCUMENTS_AT_ONCE = 500
SUSPECTS_MAX = 100_000  # who are looked at again; about 20 MB
SOON_SECONDS = 3.0  # most have just gone, and their document follows
GRACE_SECONDS = 60.0  # within it a process that died is noticed, and its people are marked as gone

Pair = tuple[int, int]  # room, user
FAILURES = (*last_seen.FAILURES, *counts.FAILURES)


def check(
    findings: Findings,
    advance: Advance,
    grace: float = GRACE_SECONDS,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Whoever looks wrong is looked at again: documents come a moment after what they tell of."""
    try:
        strays, ghosts, began = _suspects(findings, advance)
        for seconds in (min(SOON_SECONDS, grace), grace):
            if ghosts:
                wait(max(0.0, began + seconds - time.monotonic()))
                ghosts = _still_ghosts(ghosts)
        for room, user in _still_strays(strays):
            findings.add("presence_stray", f"{room}:{user}")
        for room, user in ghosts:
            findings.add("ghost", f"{user} in room {room}")
    except FAILURES as error:
        findings.unchecked.append(f"presence: {error}")


def _suspects(findings: Findings, advance: Advance) -> tuple[list[Pair], dict[Pair, int], float]:
    """Documents of what is not there, those of people nobody holds, and when all were seen."""
    strays: list[Pair] = []
    ghosts: dict[Pair, int] = {}
    for batch in stored.batches(DOCUMENTS_AT_ONCE):
        strays += _absent([(one["room"], one["user"]) for one in batch])
        ghosts |= _unheld({_pair(one): one["version"] for one in batch if one["online"]})
        findings.saw("presence documents", len(batch))
        advance(len(batch))
        if len(strays) + len(ghosts) > SUSPECTS_MAX:
            findings.unchecked.append(f"presence: more than {SUSPECTS_MAX:,} documents look wrong")
            break
    return strays, ghosts, time.monotonic()


def _pair(document: dict[str, Any]) -> Pair:
    return document["room"], document["user"]


def _absent(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair, (there, _) in verify_sql.present(pairs).items() if not there]


def _unheld(online: dict[Pair, int]) -> dict[Pair, int]:
    if not online:
        return {}
    held = counts.held(sorted({room for room, _ in online}))
    return {pair: version for pair, version in online.items() if pair[1] not in held[pair[0]]}


def _still_strays(strays: list[Pair]) -> list[Pair]:
    """A document that was removed meanwhile is none."""
    found: list[Pair] = []
    for begin in range(0, len(strays), DOCUMENTS_AT_ONCE):
        some = strays[begin : begin + DOCUMENTS_AT_ONCE]
        found += _absent([(one.room, one.user) for one in stored.named(some)])
    return found


def _still_ghosts(ghosts: dict[Pair, int]) -> dict[Pair, int]:
    """Nothing has changed about them since."""
    found: dict[Pair, int] = {}
    pairs = list(ghosts)
    for begin in range(0, len(pairs), DOCUMENTS_AT_ONCE):
        named = stored.named(pairs[begin : begin + DOCUMENTS_AT_ONCE])
        online = {(one.room, one.user): one.version for one in named if one.online}
        unheld = _unheld(online)
        found |= {pair: version for pair, version in unheld.items() if version == ghosts[pair]}
    return found
