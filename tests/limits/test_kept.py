"""What a browser or a cache may keep: nothing of a person, whatever they open."""

import pytest
from django.test import Client

from messaging import services
from tests.interfaces.original.page import token_of
from tests.routes import path_of, routes

MAY_BE_KEPT = {  # and is asked for whether it still holds
    "api/schema/": "public, no-cache",  # the same for everyone
    "api/v1/rooms/<number:room_id>/": "private, no-cache",  # by who asked; it has an ETag
}


@pytest.fixture
def values(transactional_db, alice, bob):
    alice.is_staff = alice.is_superuser = True
    alice.save()
    room = services.open_room(alice, title="Tea")
    services.join(room.pk, bob)
    numbers = {"room_id": room.pk, "chat_id": room.pk, "object_id": room.pk, "user_id": bob.pk}
    return numbers | {"device_id": "0e4a7c1e-1d4e-4a43-a5a5-0d6f0f0a7b51", "person_id": bob.pk}


def test_nothing_that_a_person_is_answered_may_be_kept(values, alice, settings):
    settings.API_RATE = 1_000_000
    client = Client()
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    client.cookies["Authorization"] = f"Bearer%20{token_of(alice)}"  # for the original's doors
    seen, found = 0, {}
    for route in sorted(set(routes())):
        if (path := path_of(route, values)) and "sign-out" not in route:
            answer = client.get(path)
            seen += answer.status_code == 200
            said = answer.headers.get("Cache-Control", "")
            if not {"private", "no-store"} <= set(said.replace(",", " ").split()):
                found[route] = said
    assert seen > 40
    assert found == MAY_BE_KEPT


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/nowhere/", "/rooms/1/", "/api/nothing/", "/jsi18n/"])
def test_nor_what_nobody_in_particular_is_answered(client, path):
    assert client.get(path)["Cache-Control"] == "private, no-store"
