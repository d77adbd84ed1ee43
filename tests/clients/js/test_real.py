"""clients/js at two real worker processes."""

import json

from tests.clients.js.node import needs_node, run_tests
from tests.doors.clients import sign_up
from tests.interfaces.web.talk import room_of

SAID = 1_101  # more than a resume brings


def long_room(stack) -> dict:
    email, owner = sign_up(stack.urls[0], "Erin")
    person = stack.run(_named, email)
    room = room_of(stack, person, said=SAID - 1)  # its owner's seat is the first line
    return {"room": room, "said": SAID, "access": owner.headers["Authorization"].split()[1]}


def _named(email):
    from accounts.models import User

    return User.objects.get(email=email)


@needs_node
def test_what_a_client_does_is_what_the_server_does(stack):
    run_tests(
        "real.mjs",
        CHATTALK_URLS=json.dumps(stack.urls),
        CHATTALK_LONG=json.dumps(long_room(stack)),
    )
