"""What people do on the pages, in the words of the tests."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect


def sign_up(page: Page, name: str, email: str) -> None:
    page.goto("/accounts/sign-up/")
    page.locator("[name=email]").fill(email)
    page.locator("[name=display_name]").fill(name)
    for field in page.locator("input[type=password]").all():
        field.fill("a long and quiet evening")
    page.locator("main button[type=submit]").click()
    page.wait_for_url(re.compile(r"^http://[^/]+/$"))


def open_room(page: Page, title: str) -> str:
    page.goto("/rooms/new/")
    page.locator("[name=title]").fill(title)
    page.get_by_role("button", name="Open the room").click()
    page.wait_for_url(re.compile(r"/rooms/\d+/$"))
    return re.sub(r"^http://[^/]+", "", page.url)


def say(page: Page, text: str) -> None:
    page.locator("#body").fill(text)
    page.locator("#body").press("Enter")


def connected(page: Page) -> None:
    expect(page.locator("#here-count")).not_to_be_empty()


def visit(room: int, *pages: Page) -> None:
    """All of them open the room, and are connected."""
    for page in pages:
        page.goto(f"/rooms/{room}/")
        connected(page)


def until(page: Page, done: Callable[[], bool]) -> None:
    """Wait for what no page shows; the page lives on meanwhile."""
    for _ in range(100):
        if done():
            return
        page.wait_for_timeout(100)
    raise AssertionError("It did not happen within 10 s.")


def messages(page: Page) -> Locator:
    return page.locator("#log .message-body")


def sees(page: Page, *texts: str) -> None:
    """Exactly these messages, in this order."""
    expect(messages(page)).to_have_text(list(texts))


def waiting(page: Page) -> Locator:
    return page.locator("#outbox .message-body")


def room_of(stack: Any, owner: Any, *members: Any, said: int = 0, title: str = "Tea") -> int:
    """A room that is already there, with `said` messages of its owner."""
    return stack.run(_room, title, owner, members, said)


def _room(title: str, owner: Any, members: Any, said: int) -> int:
    from django.db import transaction

    from accounts.models import User
    from messaging import log, services
    from rooms import services as rooms

    user = User.objects.get(pk=owner.id)
    room = services.open_room(user, title=title, capacity=50)
    with transaction.atomic():  # services.join would do it in a thread of its own
        rooms.seat(room.pk, [member.id for member in members])
        log.append(room.pk, "enter", [member.id for member in members])
    write(room.pk, owner.id, [f"line {number}" for number in range(1, said + 1)])
    return room.pk


def write(room_id: int, user_id: int, bodies: list[str]) -> None:
    """Messages as if they had been said while nobody was looking."""
    from django.db import transaction

    from messaging import log

    with transaction.atomic():
        for body in bodies:
            log.append(room_id, "message", [user_id], body)


def has_read(stack: Any, room: int, email: str) -> bool:
    """Has the server heard that everything in that room is read?"""
    return stack.run(_has_read, room, email)


def _has_read(room_id: int, email: str) -> bool:
    from rooms.models import Membership

    seat = Membership.objects.select_related("room").get(room_id=room_id, user__email=email)
    return seat.read_seq == seat.room.last_seq
