"""The verdict on a history: what was lost, repeated, out of order, over the limit; by number.

attempted, acked: messages that were sent, and those that were acknowledged. stored: what the
database has. shown: what a member was given to read in the end, live or caught up, in that order.
streams: what the line of a member told, before the member's client left out or mended anything.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from faults.history import History
from faults.wire import Stream
from messaging.live.close_codes import CloseCode

MUST_BE_ZERO = (
    "lost_durable",  # acknowledged, and not in the database, or as another line
    "lost_delivery",  # stored, and not shown to somebody who was a member throughout
    "dup_stored",  # more than one row for one client id
    "dup_shown",  # a message shown twice
    "phantom",  # shown, and never sent; or of another room
    "order_err",  # shown after a later one
    "gaps",  # numbers missing in the log
    "unconverged",  # sent again and again, and never answered for good, or refused; never back
    "oversub",  # members over the capacity, at the worst moment
    "lost_slots",  # free seats that nobody got although they asked
    "drift",  # the counter of members, against the members
    "ghosts",  # shown as here and gone
    "missing",  # here and not shown
    "false_unread",  # counted as unread and read, or the other way round; a position that went back
    "miscounted",  # messages in the counters, against those in the log; a wrong last message
    "unhandled",  # tracebacks in the logs, 5xx that are not 503, closes with 4500
)  # fmt: skip


NO_PONG = "keepalive ping timeout"  # uvicorn's reason of a 1011, to who does not answer


def is_fault(code: int | None, reason: str) -> bool:
    """Whether a socket was closed for a fault of the site. 1011 says so in the standard, and in
    uvicorn that its client was silent."""
    return code == CloseCode.FAULT or (code == CloseCode.INTERNAL_ERROR and reason != NO_PONG)


class Line(NamedTuple):
    """A row of messaging_event."""

    seq: int
    kind: str
    sender: int
    cid: str


LOG = """
SELECT seq, kind, sender_id, coalesce(client_id::text, '') FROM messaging_event
WHERE room_id = %s ORDER BY seq"""
ROOM = """
SELECT capacity, personnel, last_seq,
       (SELECT count(*) FROM rooms_membership m WHERE m.room_id = r.id)
FROM rooms_room r WHERE id = %s"""


class Room(NamedTuple):
    """As the database has it in the end. `seated`: members that came without a line of the log."""

    id: int
    log: list[Line]
    capacity: int
    personnel: int
    last_seq: int
    members: int
    seated: int = 0


def conversation(
    history: History,
    room: Room,
    shown: dict[str, list[tuple[int, str]]],
    *,
    others: bool = False,
    may_refuse: Container[str] = (),
) -> Counter:
    """Of a room and its members throughout, by name: P1, P2 and P3. With `others` what is in the
    log was said, whoever said it. `may_refuse`: the codes with which a message may be refused."""
    sent, acked, refused = _answers(history, room.id)
    if others:
        sent |= {line.cid for line in room.log}
        acked = {line.cid: line.seq for line in room.log if line.cid} | acked
    stored = {line.cid: line.seq for line in room.log if line.cid}
    rows = Counter((line.sender, line.cid) for line in room.log if line.cid)
    counts = Counter(
        lost_durable=sum(stored.get(cid) != seq for cid, seq in acked.items()),
        dup_stored=sum(rows.values()) - len(rows),
        unconverged=len(sent - acked.keys() - refused.keys())
        + sum(code not in may_refuse for code in refused.values()),
        gaps=_gaps(room),
    )
    counts["dup_stored"] += sum(cid in stored for cid in refused)
    for lines in shown.values():
        counts += _of_one(lines, room, sent)
    counts["phantom"] += _of_other_rooms(history, room.id)
    return counts


def _answers(history: History, room: int) -> tuple[set[str], dict[str, int], dict[str, str]]:
    mine = [entry for entry in history.entries if entry.op == "send" and entry.room == room]
    sent = {entry.cid for entry in mine if entry.phase == "invoke"}
    acked: dict[str, int] = {}
    for entry in mine:
        if entry.phase == "ok":  # a second answer with another seq is a loss of the first
            acked[entry.cid] = -1 if acked.get(entry.cid, entry.seq) != entry.seq else entry.seq
    return sent, acked, {entry.cid: entry.note for entry in mine if entry.phase == "fail"}


def _of_one(shown: Sequence[tuple[int, str]], room: Room, sent: set[str]) -> Counter:
    log = {line.seq: line.cid for line in room.log}
    cids = [cid for _, cid in shown if cid]
    seqs = [seq for seq, _ in shown]
    return Counter(
        lost_delivery=len(log.keys() - set(seqs)),
        dup_shown=len(cids) - len(set(cids)) + len(seqs) - len(set(seqs)),
        phantom=sum(log.get(seq, "?") != cid for seq, cid in shown)
        + sum(cid not in sent for cid in cids),
        order_err=sum(later <= earlier for earlier, later in zip(seqs, seqs[1:], strict=False)),
    )


def stream(lines: Sequence[Mapping[str, Any]], after: int) -> Counter:
    """Of one subscription, as it came: each line once, in order, from `after` on without a hole."""
    seqs = [line["seq"] for line in lines]
    wanted = set(range(after + 1, max(seqs, default=after) + 1))
    return Counter(
        lost_delivery=len(wanted - set(seqs)),
        dup_shown=len(seqs) - len(set(seqs)),
        phantom=len(set(seqs) - wanted),
        order_err=sum(later < earlier for earlier, later in zip(seqs, seqs[1:], strict=False)),
    )


def wire(streams: Iterable[Stream], room: Room) -> Counter:
    """Of all subscriptions of one member."""
    log = {line.seq: line.cid for line in room.log}
    counts = Counter[str]()
    for one in streams:
        counts += stream(one.lines, one.after)
        counts["phantom"] += sum(log.get(line["seq"], "?") != line["cid"] for line in one.lines)
    return counts


def _gaps(room: Room) -> int:
    seqs = [line.seq for line in room.log]
    return len(set(range(1, room.last_seq + 1)) ^ set(seqs)) + len(seqs) - len(set(seqs))


def _of_other_rooms(history: History, room: int) -> int:
    shown = (entry for entry in history.of("show", "ok") if entry.room == room)
    return sum(entry.note.startswith("of room") for entry in shown)


def seats(room: Room) -> Counter:
    """P4. The log of a room is the order of its joins and leaves."""
    now = worst = room.seated
    for line in room.log:
        now += (line.kind == "enter") - (line.kind == "leave")
        worst = max(worst, now)
    return Counter(
        oversub=max(0, max(worst, room.members, room.personnel) - room.capacity),
        drift=abs(room.personnel - room.members) + abs(now - room.members),
    )


def told(history: History, room: int, seated: Mapping[str, bool]) -> Counter:
    """What people at the door were told, by name, against who has a seat in the end. An answer that
    never came may be carried out at any time later: with such a one either is right."""
    last: dict[str, bool] = {}
    open_ends: set[tuple[str, bool]] = set()
    counts = Counter[str]()
    for entry in history.entries:
        if entry.op not in ("join", "leave") or entry.room != room:
            continue
        if entry.phase == "ok":
            last[entry.who] = entry.op == "join"
        elif entry.phase == "info":
            open_ends.add((entry.who, entry.op == "join"))
            counts["unhandled"] += entry.note.startswith("5") and entry.note != "503"
    for name, has_seat in last.items():
        if has_seat != seated[name] and (name, not has_seat) not in open_ends:
            counts["lost_durable" if has_seat else "lost_slots"] += 1
    return counts


def after_the_end(room: Room) -> int:
    """Lines of people in a closed room."""
    is_closed, orphans = False, 0
    for line in room.log:
        orphans += is_closed and line.kind in ("message", "enter")
        is_closed = line.kind == "close" or is_closed and line.kind != "open"
    return orphans


def presence(shown: Iterable[int], here: Iterable[int]) -> Counter:
    """P6: who is shown as here, against who is."""
    shown, here = set(shown), set(here)
    return Counter(ghosts=len(shown - here), missing=len(here - shown))


# --- how long it took ---------------------------------------------------------------------------


def recoveries(history: History, room: int) -> tuple[list[float], list[float]]:
    """Seconds from the end of each fault until each sender was acknowledged something again; and
    until the last member had all that was acknowledged by then."""
    recovered: list[float] = []
    caught_up: list[float] = []
    acks = [entry for entry in history.of("send", "ok") if entry.room == room]
    shows = [entry for entry in history.of("show", "ok") if entry.room == room]
    for fault in history.of("fault", "end"):
        first: dict[str, float] = {}
        for ack in acks:
            if ack.at >= fault.at:
                first.setdefault(ack.who, ack.at - fault.at)
        recovered += first.values()
        before = max((ack.seq for ack in acks if ack.at <= fault.at), default=0)
        if late := [entry.at for entry in shows if entry.seq <= before]:
            caught_up.append(max(0.0, max(late) - fault.at))
    return recovered, caught_up


def ack_times(history: History) -> list[float]:
    """Of what was sent while something was wrong: seconds from the first try to the answer."""
    spans = _spans(history)
    first: dict[str, float] = {}
    for entry in history.of("send", "invoke"):
        first.setdefault(entry.cid, entry.at)
    return [
        ack.at - first[ack.cid]
        for ack in history.of("send", "ok")
        if any(begin <= first[ack.cid] <= end for begin, end in spans)
    ]


def answer_times(history: History) -> list[float]:
    """Seconds from each try of a message to its answer, a refusal too. What goes with its line
    has none; what only hangs is still waited for when it is said again."""
    asked: dict[str, tuple[str, float]] = {}
    took = []
    for entry in history.entries:
        if entry.op == "closed":
            asked = {cid: (who, at) for cid, (who, at) in asked.items() if who != entry.who}
        elif entry.op == "send" and entry.phase == "invoke":
            asked.setdefault(entry.cid, (entry.who, entry.at))
        elif entry.op == "send" and entry.cid in asked:
            _, at = asked.pop(entry.cid)
            took.append(entry.at - at)
    return took


def _spans(history: History) -> list[tuple[float, float]]:
    """When something was wrong; faults that overlap overlap."""
    open_since: dict[str, float] = {}
    spans = []
    for entry in history.entries:
        if entry.op == "fault" and entry.phase == "begin":
            open_since[entry.note] = entry.at
        elif entry.op == "fault":
            spans.append((open_since.pop(entry.note), entry.at))
    return spans


def percentile(values: Sequence[float], share: float = 0.95) -> float:
    """The nearest one. ValueError of nothing: a bound on it would hold, and tell nothing."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
