"""What a check has found: counts by name, and a few examples of each."""

from dataclasses import dataclass, field

EXAMPLES_MAX = 5  # of each name

# In the order of the report. Each must be zero.
FAULTS = {
    "seq_hole": "lines of a log that are missing",
    "seq_twice": "lines of a log that share a seq",
    "beginning_missing": "logs that don't begin with 1, though nothing is ever pruned here",
    "head_wrong": "rooms whose last_seq is not that of their last line",
    "sent_twice": "messages that were stored twice for one client_id",
    "personnel_wrong": "rooms whose personnel is not the number of their members",
    "over_capacity": "rooms with more members than seats",
    "role_wrong": "members whose role does not say who owns the room",
    "read_ahead": "rooms in which somebody has read further than the log goes",
    "sender_missing": "lines of people who are not there",
    "member_missing": "members who are not there",
    "owner_missing": "rooms whose owner is not there",
    "line_without_room": "rooms that lines name and that are not there",
    "seat_without_room": "rooms that members name and that are not there",
    "follower_ahead": "followers that have come further than a room's log goes",
    "last_message_wrong": "rooms whose last message was not when the counters say",
    "minute_wrong": "minutes in which another number of messages was said than counted",
    "schema_missing": "constraints and indexes that the database does not have",
    "schema_invalid": "constraints and indexes that the database does not keep",
    "presence_stray": "presence documents of rooms or people that are not there",
    "ghost": "people who are shown as here with nobody to hold them",
}


@dataclass
class Findings:
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FAULTS, 0))
    examples: dict[str, list[str]] = field(default_factory=dict)
    looked_at: dict[str, int] = field(default_factory=dict)
    unchecked: list[str] = field(default_factory=list)  # what could not be looked at, and why

    def add(self, name: str, example: str, many: int = 1) -> None:
        self.counts[name] += many
        if len(some := self.examples.setdefault(name, [])) < EXAMPLES_MAX:
            some.append(example)

    def saw(self, what: str, many: int) -> None:
        self.looked_at[what] = self.looked_at.get(what, 0) + many

    @property
    def good(self) -> bool:
        return not self.unchecked and not any(self.counts.values())
