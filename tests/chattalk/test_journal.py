"""What is written down is bounded, whoever floods the site; and a fault of ours is told whole."""

import http.client
import io
import logging
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from chattalk.server import journal
from chattalk.server.journal import Journal, Line


class Written:
    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.handler = Journal()
        self.handler.setStream(self.stream)
        self.handler.setFormatter(Line("{levelname} {name}: {message}", style="{"))
        self.log = logging.getLogger("tests.journal")

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


@pytest.fixture
def written():
    made = Written()
    made.log.addHandler(made.handler)
    yield made
    made.log.removeHandler(made.handler)
    made.handler.close()


def test_a_line_is_a_line_and_not_longer_than_a_kibibyte(written):
    written.log.warning("Not Found: %s", "/가\x1b[2J\n2026 ERROR root: forged" + "가" * 50_000)
    (line,) = written.lines
    assert line.startswith("WARNING tests.journal: Not Found: /가\\x1b[2J\\n2026 ERROR")
    assert 900 < len(line.encode()) <= journal.LINE_MAX and journal.CUT in line


def test_a_refusal_has_no_traceback_and_a_fault_of_ours_has_a_bounded_one(written):
    try:
        raise ValueError("x" * 100_000)
    except ValueError:
        written.log.error("Forbidden: %s", "/", exc_info=True, extra={"status_code": 403})
        assert written.lines == ["ERROR tests.journal: Forbidden: /"]
        written.log.exception("a request failed")
    said = written.stream.getvalue()
    assert "Traceback (most recent call last)" in said and "ValueError" in said
    assert len(said) < journal.LINE_MAX + journal.TRACE_MAX


def test_what_comes_again_and_again_is_counted(written, monkeypatch):
    monkeypatch.setattr(journal, "WINDOW", 0.2)
    for number in range(1_254):
        written.log.warning("Not Found: %s", f"/{number}")
    assert len(written.lines) == journal.OFTEN
    written.log.warning("something else")  # is not lost in it
    assert written.lines[-1].endswith("something else")
    deadline = time.monotonic() + 10
    while len(written.lines) == journal.OFTEN + 1 and time.monotonic() < deadline:
        time.sleep(0.02)  # nothing more is written, and it is told all the same
    assert written.lines[-1] == (
        "WARNING tests.journal: … and 1,234 more like it in 0 s: Not Found: /1253"
    )


def test_what_was_counted_is_told_at_the_end(written):
    for _ in range(journal.OFTEN + 3):
        written.log.warning("again")
    written.handler.close()
    assert written.lines[-1].endswith("… and 3 more like it in 0 s: again")


def test_there_are_not_more_kinds_than_can_be_counted(written):
    for number in range(journal.KINDS_MAX + 1_000):
        written.log.warning(f"a text of its own {number}")  # noqa: G004
    assert len(written.lines) == journal.KINDS_MAX + journal.OFTEN


def test_strangers_cost_lines_of_the_log_not_pages(stack):
    [alice] = stack.people("alice")
    stack.said()
    host = urlsplit(stack.urls[0]).netloc
    hostile = [("h" * 50_000, "/"), (host, "/" + "p" * 50_000)]
    hostile += [(f"evil{number}.example", "/") for number in range(50)]
    hostile += [(host, "/no-such-page")] * 50
    for name, path in hostile:
        with closing(http.client.HTTPConnection(host, timeout=10)) as asked:
            asked.putrequest("GET", path, skip_host=True)
            asked.putheader("Host", name)
            asked.endheaders()
            assert asked.getresponse().status in (400, 404)
    said = stack.said()
    assert "Traceback" not in said
    assert max(len(line.encode()) for line in said.splitlines()) <= journal.LINE_MAX
    assert 2 * 15 <= len(said.splitlines()) <= 2 * (journal.OFTEN + 2)
    stack.terminate(0)
    assert "more like it" in stack.said()  # what was only counted is told in the end


def test_who_may_not_in_the_admin_is_no_traceback(stack):
    from accounts.models import User

    [helper] = stack.people("helper")
    stack.run(lambda: User.objects.filter(pk=helper.id).update(is_staff=True))
    stack.said()
    host = urlsplit(stack.urls[0]).netloc
    asked = http.client.HTTPConnection(host, timeout=10)
    asked.request("GET", "/admin/rooms/room/", headers={"Cookie": f"sessionid={helper.session}"})
    assert asked.getresponse().status == 403
    asked.close()
    said = stack.said()
    assert "Forbidden (Permission denied): /admin/rooms/room/" in said
    assert "Traceback" not in said
