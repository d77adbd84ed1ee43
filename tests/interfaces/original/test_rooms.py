"""Lists and creating, as the original's page asks for them, and pages of other sites."""

import pytest

from messaging import services
from rooms.models import Membership, Room
from tests.interfaces.stomp.client import called

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
    services.join(int(room_id), bob.person)
    assert [room["chatId"] for room in bob.get("open-chats/subscribe").json()] == [room_id]
    assert bob.get("open-chats/subscribe").json()[0]["personnel"] == 1


def test_the_list_is_a_bare_array_in_one_order_the_liveliest_first(alice):
    ids = [alice.opens(f"Room {n}").json()["chatId"] for n in range(5)]
    listed = alice.get("open-chats").json()
    assert isinstance(listed, list)
    assert [room["chatId"] for room in listed] == ids[::-1]


def test_a_closed_room_is_not_listed(alice):
    room_id = alice.opens().json()["chatId"]
    services.close_room(int(room_id), alice.person)
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
    owner = alice.person
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
        services.join(int(room_id), page.person)
    alice.says(room_id, "hello")
    for page, others in ((bob, (alice, charlie)), (charlie, (alice, bob))):
        told = ""
        for path in ("open-chats", "open-chats/subscribe", f"open-chats/read/{room_id}"):
            told += page.get(path).content.decode()
        assert called(alice.person) in told
        assert not [other.email for other in others if other.email in told]
    assert bob.email in bob.get("open-chats").content.decode()


def test_there_is_no_redirect_to_a_slash(alice):
    for path in ("open-chats/", "open-chats/subscribe/"):
        assert alice.get(path).status_code == 404


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
