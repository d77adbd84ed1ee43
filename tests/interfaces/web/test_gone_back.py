"""A page that shows lines which a failover of the database has lost."""

from playwright.sync_api import expect

from messaging import services
from messaging.log.event import Person
from tests import gone_back
from tests.interfaces.web.talk import messages, room_of, say, sees, visit


def test_what_was_lost_goes_from_the_page_and_what_came_in_its_place_is_there(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page, other = visitors.come(0, alice), visitors.come(1, bob)
    visit(room, page, other)
    for text in ("kept", "lost 1", "lost 2", "lost 3"):
        say(page, text)
        expect(messages(page).last).to_have_text(text)
    sees(other, "kept", "lost 1", "lost 2", "lost 3")
    stack.run(gone_back.lose, room, 3)
    sender = Person(bob.id, bob.name)
    for number in range(2):
        stack.run(services.post, room, sender, f"new {number}")
    for one in (page, other):
        sees(one, "kept", "new 0", "new 1")
    say(page, "and on")
    for one in (page, other):
        sees(one, "kept", "new 0", "new 1", "and on")
    expect(page).to_have_title("Tea · ChatTalk")
