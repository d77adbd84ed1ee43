"""docs/kinds.md is enough: who does what it says has a new kind of line, at every door."""

import json
import os
import re
import shutil
import urllib.parse
import urllib.request

import pytest

from accounts.models import User
from tests.doors.clients import until
from tests.doors.on_socket import OnSocket
from tests.doors.people import OnOriginal, OnRest, OnStomp
from tests.messaging.kinds_page import DO, STEPS, Copy, quoted
from tests.stack import Stack, address_of

pytestmark = pytest.mark.skipif(
    not (shutil.which("msgfmt") and shutil.which("node") or os.environ.get("CI")),
    reason="gettext or Node is not installed.",
)
# What test_kinds.py says of each step that it promises to name, when that is left out.
NAMED = {
    1: [
        "test_the_pages_show_it",
        "test_the_schema_of_kafka_has_no_other_kind",
        "test_the_table_has_each_kind_once",
    ],
    2: ["test_a_migration_writes_it_down[wave]"],
    5: ["test_the_pages_show_it"],
    7: [
        "test_the_document_of_rest_has_it[wave]",
        "test_the_document_of_the_wire_has_it[wave]",
        "test_the_schema_of_kafka_has_it[wave]",
    ],
    8: ["test_its_sentence_names_the_person_in_both_languages[wave]"],
}
KIND = r"\nclass Kind\b.+?(?=\n\n\n)"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    copy = Copy(tmp_path_factory.mktemp("waves"))
    for number in sorted(DO):
        copy.follow(number)
    return copy


@pytest.fixture(scope="module")
def site(copy, django_db_setup, django_db_blocker):
    """A worker of it."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr("chattalk.server.workers.ROOT", copy.folder)
        patch.setattr("tests.stack.ROOT", copy.folder)
        stack = Stack(1, "waves", PYTHONPATH=str(copy.folder))
        with stack.in_use():
            yield stack
        print(stack.said())
        stack.close()


def failing(copy, *what):
    """Which tests of the copy fail."""
    database = address_of("postgres")  # Django makes one for tests beside it
    ran = copy.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *what, DATABASE_URL=database)
    failed = sorted(re.findall(r"^(?:FAILED|ERROR) \S+::(\S+)", ran.stdout, re.M))
    assert (ran.returncode == 0) == (failed == []), ran.stdout + ran.stderr
    return failed


def test_the_page_has_ten_steps_and_one_of_them_asks_for_nothing():
    assert list(STEPS) == list(range(1, 11))
    assert "nothing is to be done" in STEPS[6]
    [promised] = re.findall(r"what is still missing of steps ([\d, and]+)\.", STEPS[9])
    assert [int(number) for number in re.findall(r"\d+", promised)] == list(NAMED)


def by_the_page():
    """The test that step 9 names."""
    [command] = [one for one in quoted(STEPS[9]) if one.startswith("make test ")]
    return command.removeprefix("make test ARGS=")


def test_who_has_done_it_all_misses_nothing(copy):
    what = [by_the_page(), "tests/test_locale.py", "tests/doors/test_matrix_rest.py"]
    assert failing(copy, *what, "-k", "test_kinds or test_locale or wave or row") == []


@pytest.mark.parametrize("number", NAMED)
def test_a_step_that_was_left_out_is_named(copy, number):
    with copy.without(number):
        if number == 1:  # without a name nothing could be missed: it has no rules
            copy.edit("messaging/log/kinds.py", KIND, "\n    WAVE = 'wave'")
        assert failing(copy, by_the_page()) == NAMED[number]


def test_a_wave_is_seen_at_every_door(site):
    url = site.urls[0]
    alice, charlie = OnSocket(url, "Alice"), OnRest(url, "Charlie")
    room = alice.rest("POST", "/api/v1/rooms/", {"title": "Tea"}).json["id"]
    heard = [OnRest(url, "Bob"), OnStomp(url, "Dana"), OnOriginal(url, "Erin")]
    for each in (alice, *heard):
        each.enter(room)
    bob, dana, erin = heard

    assert charlie.rest("POST", f"/api/v1/rooms/{room}/wave/").status == 404
    assert bob.rest("POST", f"/api/v1/rooms/{room}/wave/").status == 204

    [seen] = until(lambda: alice.events("wave"), "not at /ws/")
    bob.heard()
    assert bob.events[-1] == seen and seen["from"]["name"] == "Bob"
    for each in (dana, erin):
        until(lambda each=each: "Bob waved" in said_by_the_site(each), each.name)
    document = {"query": f"{{ room(number: {room}) {{ lastEvent {{ kind seq }} }} }}"}
    answer = bob.rest("POST", "/graphql/", document).json
    assert answer["data"]["room"]["lastEvent"] == {"kind": "wave", "seq": seen["seq"]}
    assert exported(site, room)["events"][-1] == seen
    for each in (alice, dana, erin):
        each.go()


def said_by_the_site(talker):
    return [one["message"] for one in talker.messages("chat") if one["username"] == "ChatTalk"]


def exported(site, room):
    [boss] = site.people("boss")
    staff = {"is_staff": True, "is_superuser": True}
    site.run(lambda: User.objects.filter(pk=boss.id).update(**staff))
    asked = urllib.request.Request(
        f"{site.urls[0]}/admin/rooms/room/{room}/export/",
        urllib.parse.urlencode({"shape": "json"}).encode(),
        boss.headers | {"Content-Type": "application/x-www-form-urlencoded"},
    )
    with urllib.request.urlopen(asked, timeout=15) as answer:
        return json.load(answer)
