"""A room beside a model of it: entering, sending, leaving, going away and coming back, closing and
showing out, in any order, over two worker processes, by REST and by sockets.

After each step the room's card and its log are as the model says; at the end each socket has heard
what was said while it listened, once and in order.
"""

import time
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from faults.fuzz import options, site
from faults.fuzz.listening import NAMES, Ear, World

CAPACITY = 3
STEPS, EXAMPLES = 30, 10  # of one example, and at once

PEOPLE, WORKERS = st.sampled_from(NAMES), st.sampled_from((0, 1))
BODIES = st.text("ab\u00e9\uac00\U0001f600", min_size=1, max_size=20)


class Room(RuleBasedStateMachine):
    world: World
    steps = 0

    @initialize()
    def open(self) -> None:
        asked = {"title": "Model", "capacity": CAPACITY}
        status, card = self.world.ask("alice", 0, "POST", "rooms/", asked)
        assert status == 201
        self.room = card["id"]
        self.seats, self.is_closed = {"alice"}, False
        self.log: list[tuple[str, str, str]] = [("enter", "alice", "")]
        self.cids: list[tuple[str, str, str, int]] = []
        self.ears: dict[str, Ear] = {}
        self.old: list[tuple[Ear, int, int]] = []  # it heard up to one of these two lines

    # --- what people do -------------------------------------------------------------------------

    @rule(name=PEOPLE, worker=WORKERS)
    def enter(self, name: str, worker: int) -> None:
        status, answer = self._ask(name, worker, "PUT", "membership/")
        if name in self.seats:
            assert status == 200, answer
        elif self.is_closed or len(self.seats) >= CAPACITY:
            code = "room_closed" if self.is_closed else "room_full"
            assert (status, answer["code"]) == (409, code)
        else:
            assert status == 201, answer
            self.seats.add(name)
            self.log.append(("enter", name, ""))

    @rule(name=PEOPLE, worker=WORKERS)
    def leave(self, name: str, worker: int) -> None:
        status, _ = self._ask(name, worker, "DELETE", "membership/")
        assert status == (204 if name in self.seats else 404)
        self._gone(name, "left")

    @rule(name=st.sampled_from(NAMES[1:]), worker=WORKERS)
    def show_out(self, name: str, worker: int) -> None:
        status, _ = self._ask("alice", worker, "DELETE", f"members/{self.world.ids[name]}/")
        assert status == (204 if name in self.seats else 404)
        self._gone(name, "removed")

    @rule(worker=WORKERS)
    def close(self, worker: int) -> None:
        assert self._ask("alice", worker, "POST", "close/")[0] == 200
        if not self.is_closed:
            self.log.append(("close", "alice", ""))
        self.is_closed = True

    @rule(worker=WORKERS)
    def reopen(self, worker: int) -> None:
        assert self._ask("alice", worker, "POST", "reopen/")[0] == 200
        if self.is_closed:
            self.log.append(("open", "alice", ""))
        self.is_closed = False

    @rule(name=PEOPLE, worker=WORKERS, body=BODIES)
    def send(self, name: str, worker: int, body: str) -> None:
        cid = str(uuid4())
        status, answer = self._ask(name, worker, "POST", "events/", {"cid": cid, "body": body})
        self._sent(name, cid, body, status == 201, answer)

    @precondition(lambda self: bool(getattr(self, "ears", None)))
    @rule(data=st.data(), body=BODIES)
    def send_by_socket(self, data: st.DataObject, body: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.ears)))
        cid, ear = str(uuid4()), self.ears[name]
        ear.tell(type="send", room=self.room, cid=cid, body=body)
        answer = ear.next("ack", "nack")
        assert answer["cid"] == cid
        self._sent(name, cid, body, answer["type"] == "ack", answer)

    @precondition(lambda self: bool(getattr(self, "cids", None)))
    @rule(data=st.data(), worker=WORKERS)
    def send_again(self, data: st.DataObject, worker: int) -> None:
        name, cid, body, seq = data.draw(st.sampled_from(self.cids))
        status, answer = self._ask(name, worker, "POST", "events/", {"cid": cid, "body": body})
        if status == 200:
            assert (answer["seq"], answer["repeated"]) == (seq, True)
        else:
            assert name not in self.seats or self.is_closed, answer

    @rule(name=PEOPLE, worker=WORKERS, back=st.integers(0, 5))
    def come(self, name: str, worker: int, back: int) -> None:
        """Or come back: from where they were, or a little before it."""
        self._hang_up(name)
        head = len(self.log)
        ear = Ear(self.world, name, worker, self.room, max(head - back, 0))
        assert ear.is_in == (name in self.seats)
        if ear.is_in:
            self.ears[name] = ear
        else:
            ear.close()

    @rule(name=PEOPLE)
    def go(self, name: str) -> None:
        self._hang_up(name)

    # --- what is so -----------------------------------------------------------------------------

    @invariant()
    def the_room_is_as_the_model_says(self) -> None:
        Room.steps += 1
        if not hasattr(self, "room"):
            return
        _, card = self.world.ask("dana", 0, "GET", f"rooms/{self.room}/")
        assert card["personnel"] == len(self.seats) <= CAPACITY
        assert (card["closed_at"] is not None) == self.is_closed
        for worker, name in enumerate(sorted(self.seats)[:2]):
            self._check_log(name, worker)

    def _check_log(self, name: str, worker: int) -> None:
        first = max(len(self.log) - 50, 0)
        _, page = self._ask(name, worker, "GET", f"events/?after={first}&limit=100")
        assert page["head"] == len(self.log)
        seqs = [event["seq"] for event in page["results"]]
        assert seqs == list(range(first + 1, len(self.log) + 1))
        assert [self._plain(event) for event in page["results"]] == self.log[first:]

    def teardown(self) -> None:
        for ear in getattr(self, "ears", {}).values():
            ear.hear(len(self.log))
            self._check_heard(ear, len(self.log), len(self.log))
            ear.close()
        for ear, least, most in getattr(self, "old", []):
            self._check_heard(ear, least, most)

    def _check_heard(self, ear: Ear, least: int, most: int) -> None:
        heard = ear.after + len(ear.events)
        assert least <= heard <= most, (least, heard, most)
        assert [event["seq"] for event in ear.events] == list(range(ear.after + 1, heard + 1))
        assert [self._plain(event) for event in ear.events] == self.log[ear.after : heard]

    # --- the same for several -------------------------------------------------------------------

    def _ask(
        self, name: str, worker: int, method: str, path: str, body: Any = None
    ) -> tuple[int, Any]:
        return self.world.ask(name, worker, method, f"rooms/{self.room}/{path}", body)

    def _sent(self, name: str, cid: str, body: str, is_good: bool, answer: Any) -> None:
        if name in self.seats and not self.is_closed:
            assert is_good, answer
            self.log.append(("message", name, body))
            assert answer["seq"] == len(self.log) and not answer["repeated"]
            self.cids.append((name, cid, body, len(self.log)))
        else:
            assert not is_good
            assert answer["code"] == ("room_closed" if name in self.seats else "not_member")

    def _gone(self, name: str, how: str) -> None:
        if name not in self.seats:
            return
        self.seats.remove(name)
        self.log.append(("leave", name, how))
        if ear := self.ears.pop(name, None):
            ear.next("unsubscribed")
            self._over(ear, len(self.log) - 1)

    def _hang_up(self, name: str) -> None:
        if ear := self.ears.pop(name, None):
            ear.rest()
            self._over(ear, ear.after)

    def _over(self, ear: Ear, least: int) -> None:
        """It has heard that much at least, and no more than was said by now."""
        ear.close()
        self.old.append((ear, least, len(self.log)))

    def _plain(self, event: dict[str, Any]) -> tuple[str, str, str]:
        names = {number: name for name, number in self.world.ids.items()}
        return event["kind"], names[event["from"]["id"]], event.get("body", "")


def run(seconds: float = 120, seed: int = 1) -> dict[str, Any]:
    """`{"executions": steps, "examples": …, "findings": {"other_than_the_model": …,
    "logged_tracebacks": …}, "shown": […]}`."""
    findings, shown, examples = 0, [], 0
    Room.steps = 0
    with site.running(workers=2) as ours:
        Room.world = World(ours)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not findings:
            try:
                run_state_machine_as_test(_seeded(seed + examples), settings=SETTINGS)
            except Exception as other:  # of the checks, or of a socket that was let down
                findings += 1
                shown.append("\n".join([repr(other)[:500], *getattr(other, "__notes__", [])]))
            examples += EXAMPLES
        tracebacks = len(ours.complaints())
    found = {"other_than_the_model": findings, "logged_tracebacks": tracebacks}
    return {"executions": Room.steps, "examples": examples, "findings": found, "shown": shown}


def _seeded(number: int) -> type[Room]:
    """The same steps again for the same number."""
    return seeded(number)(type("Room", (Room,), {}))


SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    verbosity=Verbosity.quiet,
    phases=[Phase.generate],  # to make it smaller takes longer than to read it
    suppress_health_check=list(HealthCheck),
)


if __name__ == "__main__":
    options.main(run, __doc__)
