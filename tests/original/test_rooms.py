"""Lists, creating, and what was missed, as the original's page asks for them."""

import pytest
from django.core.cache import cache

from accounts.models import User
from messaging import queries, services
from messaging.models import Event
from messaging.stomp import unread
from messaging.wire import Person
from rooms.models import Membership, Room
from tests.original.page import Page
from tests.stomp.client import called


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def alice(transactional_db):
    return Page("alice").come_in()


@pytest.fixture
def bob(transactional_db):
    return Page("bob").come_in()


@pytest.fixture
def charlie(transactional_db):
    return Page("charlie").come_in()


def person(page):
    return User.objects.get(email=page.email)


def say(page, room_id, text):
    one = person(page)
    return services.say(int(room_id), Person(one.pk, one.display_name), text)


def texts(page, room_id):
    answer = page.get(f"open-chats/read/{room_id}")
    assert answer.status_code == 200
    return [line["message"] for line in answer.json() if line["type"] == "MESSAGE"]


# --- lists ------------------------------------------------------------------------------------


def test_a_new_room_is_answered_as_the_page_lists_it(alice):
    answer = alice.opens("차 한 잔", 5)
    assert answer.status_code == 200
    room = answer.json()
    assert room == {
        "chatId": str(Room.objects.get().pk),
        "title": "차 한 잔",
        "openUsername": "alice@example.com",
        "personnel": 0,
        "maxPersonnel": 5,
    }
    assert alice.get("open-chats").json() == [room]


def test_who_opens_a_room_is_no_member_before_they_enter(alice):
    alice.opens()
    assert alice.get("open-chats/subscribe").json() == []
    assert not Membership.objects.exists()


def test_my_list_has_the_rooms_in_which_i_have_a_seat(alice, bob):
    room_id = alice.opens().json()["chatId"]
    alice.opens("Other")
    services.join(int(room_id), person(bob))
    assert [room["chatId"] for room in bob.get("open-chats/subscribe").json()] == [room_id]
    assert bob.get("open-chats/subscribe").json()[0]["personnel"] == 1


def test_the_list_is_a_bare_array_in_one_order_the_liveliest_first(alice):
    ids = [alice.opens(f"Room {n}").json()["chatId"] for n in range(5)]
    listed = alice.get("open-chats").json()
    assert isinstance(listed, list)
    assert [room["chatId"] for room in listed] == ids[::-1]


def test_a_closed_room_is_not_listed(alice):
    room_id = alice.opens().json()["chatId"]
    services.close_room(int(room_id), person(alice))
    assert alice.get("open-chats").json() == []


def test_pages_are_there_for_who_asks_for_them(alice):
    ids = [alice.opens(f"Room {n}").json()["chatId"] for n in range(5)][::-1]
    first = alice.get("open-chats?size=2")
    assert [room["chatId"] for room in first.json()] == ids[:2]
    assert first["Link"] == '<http://testserver/api/open-chats?page=2&size=2>; rel="next"'
    last = alice.get("open-chats?page=3&size=2")
    assert [room["chatId"] for room in last.json()] == ids[4:]
    assert "Link" not in last


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "size=501", "size=-1", "page=99999999999999"]
)
def test_a_bad_page_is_refused(alice, query):
    assert alice.get(f"open-chats?{query}").status_code == 400


def test_the_list_is_bounded_and_one_query(alice, django_assert_num_queries):
    owner = person(alice)
    Room.objects.bulk_create(Room(title=f"Room {n}", owner=owner) for n in range(520))
    alice.get("open-chats")  # now the token is known
    with django_assert_num_queries(1):
        answer = alice.get("open-chats")
    assert len(answer.json()) == 500
    assert "page=2" in answer["Link"]


@pytest.mark.parametrize(
    "body, pointer",
    [
        ({"title": "", "maxPersonnel": 5}, "/title"),
        ({"maxPersonnel": 5}, "/title"),
        ({"title": "Tea"}, "/maxPersonnel"),
        ({"title": "Tea", "maxPersonnel": 0}, "/maxPersonnel"),
        ({"title": "Tea", "maxPersonnel": -3}, "/maxPersonnel"),
        ({"title": "Tea", "maxPersonnel": 10001}, "/maxPersonnel"),
        ({"title": "Tea", "maxPersonnel": 10**30}, "/maxPersonnel"),
        ({"title": "Tea", "maxPersonnel": "many"}, "/maxPersonnel"),
        ({"title": "T" * 81, "maxPersonnel": 5}, "/title"),
        ({"title": "\u202eaeT", "maxPersonnel": 5}, "/title"),
    ],
)
def test_a_bad_room_is_refused_by_the_names_that_were_sent(alice, body, pointer):
    answer = alice.post("open-chats/create", body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Room.objects.exists()


def test_nobodys_e_mail_is_told_but_ones_own(alice, bob, charlie):
    room_id = alice.opens().json()["chatId"]
    bob.opens("Bobs")
    for page in (alice, bob):
        services.join(int(room_id), person(page))
    say(alice, room_id, "hello")
    for page, others in ((bob, (alice, charlie)), (charlie, (alice, bob))):
        told = ""
        for path in ("open-chats", "open-chats/subscribe", f"open-chats/read/{room_id}"):
            told += page.get(path).content.decode()
        assert called(person(alice)) in told
        assert not [other.email for other in others if other.email in told]
    assert bob.email in bob.get("open-chats").content.decode()


def test_there_is_no_redirect_to_a_slash(alice):
    for path in ("open-chats/", "open-chats/subscribe/"):
        assert alice.get(path).status_code == 404


# --- what was missed --------------------------------------------------------------------------


@pytest.fixture
def room_id(alice, bob):
    room_id = alice.opens().json()["chatId"]
    services.join(int(room_id), person(alice))
    return room_id


def test_the_first_visit_has_missed_nothing(alice, bob, room_id):
    say(alice, room_id, "before bob came")
    assert bob.get(f"open-chats/read/{room_id}").json() == []
    services.join(int(room_id), person(bob))
    assert texts(bob, room_id) == []


def test_what_was_said_while_i_was_away_comes_oldest_first(alice, bob, room_id):
    services.join(int(room_id), person(bob))
    bob.put(f"open-chats/read/{room_id}")
    for text in ("one", "two", "three"):
        say(alice, room_id, text)
    lines = bob.get(f"open-chats/read/{room_id}").json()
    assert [line["message"] for line in lines] == ["one", "two", "three"]
    assert {line["username"] for line in lines} == {called(person(alice))}
    assert {line["chatId"] for line in lines} == {room_id}
    assert [line["createdAt"] for line in lines] == sorted(line["createdAt"] for line in lines)
    assert all(line["createdAt"].endswith("Z") and len(line["createdAt"]) == 27 for line in lines)


def test_asking_again_is_answered_again_until_i_go_away(alice, bob, room_id):
    services.join(int(room_id), person(bob))
    say(alice, room_id, "one")
    assert texts(bob, room_id) == texts(bob, room_id) == ["one"]
    for _ in range(2):
        assert bob.put(f"open-chats/read/{room_id}").status_code == 200
    assert texts(bob, room_id) == []


def test_who_comes_and_goes_is_among_what_was_missed(alice, bob, charlie, room_id):
    services.join(int(room_id), person(bob))
    bob.put(f"open-chats/read/{room_id}")
    services.join(int(room_id), person(charlie))
    services.leave(int(room_id), person(charlie))
    lines = bob.get(f"open-chats/read/{room_id}").json()
    assert [line["type"] for line in lines] == ["ENTER", "LEAVE"]
    assert all("charlie" in line["message"] for line in lines)


def test_of_very_much_the_newest_are_shown(alice, bob, room_id, monkeypatch):
    monkeypatch.setattr(unread, "UNREAD_MAX", 3)
    services.join(int(room_id), person(bob))
    bob.put(f"open-chats/read/{room_id}")
    for number in range(5):
        say(alice, room_id, str(number))
    assert texts(bob, room_id) == ["2", "3", "4"]


@pytest.mark.parametrize("character", ["가", "😀", "<", '"', "\u2028", "a"])
def test_much_text_is_answered_in_pages_of_256_kib(alice, bob, room_id, character):
    services.join(int(room_id), person(bob))
    bob.put(f"open-chats/read/{room_id}")
    bodies = [f"{n:03}{character * 3_900}{n:03}" for n in range(100)]
    queries.append(int(room_id), "message", [person(alice).pk] * 100, "x")
    for event, body in zip(Event.objects.filter(body="x").order_by("seq"), bodies, strict=True):
        Event.objects.filter(pk=event.pk).update(body=body)
    answer = bob.get(f"open-chats/read/{room_id}")
    assert len(answer.content) <= 320 * 1024
    told = [line["message"] for line in answer.json()]
    while "Link" in answer:
        address, rel = answer["Link"].split("; ")
        assert rel == 'rel="prev"'
        answer = bob.get(address.strip("<>").partition("/api/")[2])
        assert len(answer.content) <= 320 * 1024
        told = [line["message"] for line in answer.json()] + told
    assert told == bodies


@pytest.mark.parametrize("before", ["0", "x", "9" * 19, "9" * 5000])
def test_an_older_page_before_what_is_no_line_is_refused(bob, room_id, before):
    answer = bob.get(f"open-chats/read/{room_id}?before={before}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_charlie_reads_nothing(alice, charlie, room_id):
    say(alice, room_id, "for members")
    assert charlie.get(f"open-chats/read/{room_id}").json() == []
    assert charlie.get(f"open-chats/read/{room_id}?before=9").json() == []
    assert charlie.put(f"open-chats/read/{room_id}").status_code == 404


def test_who_has_left_reads_nothing(alice, bob, room_id):
    services.join(int(room_id), person(bob))
    services.leave(int(room_id), person(bob))
    say(alice, room_id, "about bob")
    assert texts(bob, room_id) == []


@pytest.mark.parametrize(
    "chat_id", ["", "0", "999999", "x", "-1", "9" * 40, "²", "%00", "undefined"]
)
def test_a_room_that_is_none_is_404(bob, chat_id):
    for ask in (bob.get, bob.put):
        answer = ask(f"open-chats/read/{chat_id}")
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"


# --- other sites ------------------------------------------------------------------------------

OURS, THEIRS = "http://localhost:3000", "https://evil.example"


def test_a_foreign_page_changes_nothing(alice, settings):
    settings.CORS_ALLOWED_ORIGINS = [OURS]
    for headers in ({"Origin": THEIRS}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = alice.post("open-chats/create", {"title": "x", "maxPersonnel": 5}, **headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
        assert alice.post("users/logout", **headers).status_code == 403
    assert not Room.objects.exists()
    assert alice.get("open-chats").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://testserver"}, {"Origin": OURS}, {"Sec-Fetch-Site": "same-site"}],
)
def test_pages_of_ours_and_programs_may_change_things(alice, settings, headers):
    settings.CORS_ALLOWED_ORIGINS = [OURS]
    body = {"title": "Tea", "maxPersonnel": 5}
    assert alice.post("open-chats/create", body, **headers).status_code == 200


def test_a_form_of_another_site_can_send_nothing(alice):
    answer = alice.client.post("/api/open-chats/create", {"title": "x", "maxPersonnel": 5})
    assert answer.status_code == 415


def test_a_page_of_a_listed_origin_is_told_that_it_may(alice, settings):
    settings.CORS_ALLOWED_ORIGINS = [OURS]
    answer = alice.get("open-chats", Origin=OURS)
    assert answer["Access-Control-Allow-Origin"] == OURS
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert "Access-Control-Allow-Origin" not in alice.get("open-chats", Origin=THEIRS)
    assert "Access-Control-Allow-Origin" not in alice.client.get("/", headers={"Origin": OURS})


def test_its_preflight_is_answered(alice, settings):
    settings.CORS_ALLOWED_ORIGINS = [OURS]
    headers = {
        "Origin": OURS,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = alice.client.options("/api/open-chats/create", headers=headers)
    assert answer.status_code == 200
    assert "content-type" in answer["Access-Control-Allow-Headers"]
    assert "PUT" in answer["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("path", ["/stomp/chat/info", "/stomp/participant/info"])
def test_sockjs_is_told_to_open_a_websocket(client, settings, path):
    settings.CORS_ALLOWED_ORIGINS = [OURS]
    answer = client.get(path, {"t": "123"}, headers={"Origin": OURS})
    told = answer.json()
    assert isinstance(told.pop("entropy"), int)
    assert told == {"websocket": True, "origins": ["*:*"], "cookie_needed": True}
    assert "no-store" in answer["Cache-Control"]
    assert answer["Access-Control-Allow-Origin"] == OURS
    assert client.get(path).json()["entropy"] != client.get(path).json()["entropy"]
