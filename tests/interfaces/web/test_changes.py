"""A page follows its room and its day; what it was rendered with is where it began."""

import json
from uuid import uuid4

from playwright.sync_api import expect

from tests.interfaces.web.talk import connected, messages, room_of, say, sees, until, visit, write

LOOKED_AT_EVERY = 15_000  # ms, as static/js/my_rooms.js has it
TOMORROW = """() => {
    const Now = Date;
    window.Date = class extends Now {
        constructor(...given) { given.length ? super(...given) : super(Date.now()); }
        static now() { return Now.now() + 86_400_000; }
    };
}"""


def as_user(do, room_id, person_id, *args):
    from accounts.models import User

    return do(room_id, *args, by=User.objects.get(pk=person_id))


def edited(room_id, person_id, changes):
    from messaging import services

    as_user(lambda room, by: services.edit_room(room, by, **changes), room_id, person_id)


def handed_over(room_id, person_id, to):
    from messaging import services

    as_user(services.transfer_room, room_id, person_id, to)


def opened(lobby, path="/"):
    """The lobby, told of its rooms from here on."""
    told = []
    lobby.on("websocket", lambda wire: wire.on("framereceived", lambda frame: told.append(frame)))
    lobby.goto(path)
    until(lobby, lambda: any('"watching"' in str(frame) for frame in told))


def test_who_owns_the_room_is_shown_as_soon_as_it_is_so(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    pages = visitors.come(0, alice), visitors.come(1, bob)
    visit(room, *pages)
    stack.run(handed_over, room, alice.id, bob.id)
    for page in pages:
        owner = page.locator("#here-list .person:has(.tag)")
        expect(owner.locator(".person-name")).to_contain_text("Bob")
    for page, shown in zip(pages, (False, True), strict=True):
        page.locator("#room-menu summary").click()
        expect(page.get_by_role("link", name="Edit the room")).to_be_visible(visible=shown)


def test_a_room_is_called_by_its_new_name_on_all_pages(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room, other = room_of(stack, alice, bob), room_of(stack, alice, bob, title="Other")
    page, beside, lobby = visitors.come(0, bob), visitors.come(1, bob), visitors.come(1, alice)
    page.goto(f"/rooms/{room}/")
    beside.goto(f"/rooms/{other}/")
    for one in (page, beside):
        connected(one)
    opened(lobby)
    stack.run(edited, room, alice.id, {"title": "Coffee", "description": "Freshly ground"})
    expect(page.locator("#room-title")).to_have_text("Coffee")
    expect(page.locator(".room-description")).to_have_text("Freshly ground")
    expect(page).to_have_title("Coffee · ChatTalk")
    for one in (page, beside, lobby):
        expect(one.locator(f".mine [data-room='{room}'] .title")).to_have_text("Coffee")


def test_who_comes_back_to_a_room_by_another_tab_is_back_in_this_one(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page, tab = visitors.come(0, bob), visitors.come(1, bob)
    visit(room, page)
    expect(page.locator("#members")).to_contain_text("Alice")
    stack.run(_leave, room, bob.id)
    expect(page.locator("#closed-text")).to_contain_text("not a member")
    expect(page.locator("#composer")).to_be_hidden()
    expect(page.locator("#side-people").get_by_text("Alice")).to_have_count(0)
    expect(page.locator("#side-people").get_by_text("Bob")).to_have_count(0)
    tab.goto(f"/rooms/{room}/")
    tab.get_by_role("button", name="Join the room").click()
    connected(tab)
    expect(page.locator("#composer")).to_be_visible()
    expect(page.locator("#here-list")).to_contain_text("Bob")
    expect(page.locator("#members")).to_contain_text("Alice")
    stack.run(write, room, alice.id, ["welcome back"])
    sees(page, "welcome back")
    say(page, "thank you")
    sees(tab, "welcome back", "thank you")


def test_who_comes_back_to_a_room_while_the_page_is_offline_is_back_with_its_connection(
    visitors, stack
):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page, tab = visitors.come(0, bob), visitors.come(1, bob)
    visit(room, page)
    stack.run(_leave, room, bob.id)
    expect(page.locator("#closed-text")).to_contain_text("not a member")
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_be_visible()
    tab.goto(f"/rooms/{room}/")
    tab.get_by_role("button", name="Join the room").click()
    connected(tab)
    say(tab, "here I am")
    page.context.set_offline(False)
    expect(page.locator("#composer")).to_be_visible()
    sees(page, "here I am")


def test_a_page_that_was_told_late_that_it_left_is_back_when_looked_at(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page, other = visitors.come(0, bob), visitors.come(1, alice)
    wires = []
    page.route_web_socket("**/ws/", lambda wire: wires.append((wire, wire.connect_to_server())))
    visit(room, page, other)
    late = {"type": "nack", "code": "not_member", "detail": "You are not a member of this room."}
    wires[-1][0].send(json.dumps(late | {"room": room, "cid": str(uuid4())}))
    expect(page.locator("#closed-text")).to_contain_text("not a member")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#composer")).to_be_visible()
    say(other, "welcome")
    sees(page, "welcome")


def _leave(room_id, person_id):
    from accounts.models import User
    from messaging import services

    services.leave(room_id, User.objects.get(pk=person_id))


def test_what_was_pruned_while_the_line_was_lost_is_not_shown_any_longer(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=9)
    page = visitors.come(0, bob)
    visit(room, page)
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_be_visible()
    stack.run(_pruned, room, 8)
    page.context.set_offline(False)
    sees(page, "line 7", "line 8", "line 9")
    expect(page.locator("#beginning")).to_contain_text("is not kept any more")


def _pruned(room_id, up_to):
    from messaging.models import Event

    Event.objects.filter(room_id=room_id, seq__lte=up_to).delete()


def test_today_becomes_yesterday_while_the_page_stays_open(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=2)
    page, other = visitors.come(0, alice), visitors.come(1, bob)
    for one in (page, other):
        visit(room, one)
        expect(one.locator("#log .day")).to_have_text("Today")
    page.evaluate(TOMORROW)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#log .day")).to_have_text("Yesterday")
    other.evaluate(TOMORROW)
    stack.run(write, room, alice.id, ["and nobody looked up"])
    expect(messages(other).last).to_have_text("and nobody looked up")
    expect(other.locator("#log .day").first).to_have_text("Yesterday")


def test_more_rooms_than_are_listed_are_said_and_the_liveliest_come_up(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    quiet = room_of(stack, alice, bob, title="The quietest")
    stack.run(_many_rooms, quiet, alice.id, bob.id, 200)
    lobby = visitors.come(0, bob)
    lobby.clock.install()
    opened(lobby)
    expect(lobby.locator(".mine [data-room]")).to_have_count(200)
    expect(lobby.locator("[data-more]")).to_have_text("and 1 quieter room")
    row = lobby.locator(f".mine [data-room='{quiet}']")
    expect(row).to_have_count(0)
    stack.run(write, quiet, alice.id, ["are you there?"])
    lobby.clock.fast_forward(LOOKED_AT_EVERY)
    expect(row.locator(".badge")).to_have_text("1")


def _many_rooms(quiet_id, owner_id, member_id, many):
    from datetime import timedelta

    from django.utils import timezone

    from rooms.models import Membership, Room

    earlier = timezone.now() - timedelta(hours=1)
    Room.objects.filter(pk=quiet_id).update(active_at=earlier - timedelta(hours=1))
    rooms = Room.objects.bulk_create(
        Room(title=f"Room {number}", owner_id=owner_id, personnel=1, active_at=earlier)
        for number in range(many)
    )
    Membership.objects.bulk_create(Membership(room=room, user_id=member_id) for room in rooms)
