"""What a screen reader and weak eyes need, checked on the page itself."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.interfaces.admin.test_live import appoint
from tests.interfaces.web.talk import room_of, say, visit

# Text below 4.5:1 against what is behind it (WCAG 2.2 AA), as far as plain colours go.
FAINT = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.slice(0, 3).map((value) => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const colour = rgba(getComputedStyle(one).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return [255, 255, 255, 255];
    };
    const shown = (element) => element.checkVisibility({visibilityProperty: true});
    const texts = [...document.querySelectorAll("body *")].filter((element) =>
        shown(element) && !element.disabled &&
        [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    return texts.map((element) => {
        const [one, other] = [rgba(getComputedStyle(element).color), behind(element)].map(light);
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        return [ratio, element.className + ": " + element.textContent.trim().slice(0, 40)];
    }).filter(([ratio]) => ratio < 4.5).map(([ratio, name]) => `${ratio.toFixed(2)} ${name}`);
}"""

NAMELESS = """() => [...document.querySelectorAll("button, a, input, textarea, summary")]
    .filter((element) => element.type !== "hidden" && element.checkVisibility())
    .filter((element) => !(element.getAttribute("aria-label") || element.textContent.trim()
        || element.labels?.length || element.title
        || (["submit", "button"].includes(element.type) && element.value)))
    .map((element) => element.outerHTML)"""

# Who speaks to the page says what is written there: it has to be in the name (WCAG 2.2, 2.5.3).
MISNAMED = """() => {
    const plain = (text) => text.toLowerCase().replace(/[^\\p{L}\\p{N}]+/gu, " ").trim();
    const seen = (element) => [...element.childNodes].map((node) => {
        if (node.nodeType === 3) return node.data;
        const counts = node.nodeType === 1 && node.checkVisibility()
            && node.ariaHidden !== "true" && !node.matches(".visually-hidden");
        return counts ? seen(node) : "";
    }).join(" ");
    const named = (element) => element.ariaLabel ?? element.getAttribute("aria-labelledby")
        .split(" ").map((id) => document.getElementById(id).textContent).join(" ");
    return [...document.querySelectorAll("a, button, summary")]
        .filter((element) => element.matches("[aria-label], [aria-labelledby]"))
        .filter((element) => element.checkVisibility())
        .filter((element) => !plain(named(element)).includes(plain(seen(element))))
        .map((element) => `${named(element)}: ${seen(element)}`);
}"""

TWICE = """() => {
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    return ids.filter((id, index) => ids.indexOf(id) !== index);
}"""

# Parts of a page that one can go to by their names; two of one kind and name can't be told apart.
SAME_PLACE = """() => {
    const parts = document.querySelectorAll("section[aria-labelledby], nav, [role=region]");
    const title = (element) => document.getElementById(element.getAttribute("aria-labelledby"));
    const names = [...parts].filter((element) => element.checkVisibility())
        .map((element) => [element.localName === "nav" ? "nav" : "region",
            element.ariaLabel ?? title(element)?.textContent].join(" "));
    return names.filter((name, index) => names.indexOf(name) !== index);
}"""

# Headings that can be seen or heard, by their level; a page begins with its one first. What stands
# beside it, as the columns of a conversation, has an order of its own.
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
    .filter((element) => element.checkVisibility({visibilityProperty: true}))
    .filter((element) => !element.closest("aside"))
    .map((element) => Number(element.tagName[1]))"""

PAGES = ("/", "/rooms/new/", "/accounts/profile/", "/accounts/password/")
ROOM_PAGES = ("", "edit/", "people/", "leave/ask/", "people/{bob}/remove/")
ADMIN = ("", "rooms/room/", "rooms/room/{room}/change/", "rooms/room/{room}/edit/",
    "accounts/user/", "accounts/user/{bob}/change/", "accounts/user/add/")  # fmt: skip
LOOKS = [
    {"color_scheme": "light", "locale": "en-GB"},
    {"color_scheme": "dark", "locale": "ko-KR", "viewport": {"width": 390, "height": 844}},
]


@pytest.fixture
def page(visitors, stack, request):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=2)
    page = visitors.come(0, bob, **getattr(request, "param", {}))
    visit(room, page)
    say(page, "mine")
    expect(page.locator("#outbox .message")).to_have_count(0)
    return page


def test_everything_has_a_name_and_a_place(page):
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    expect(page.locator("h1")).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("article").last).to_have_accessible_name(re.compile(r"^You, \d"))
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(MISNAMED) == []
    assert page.evaluate(TWICE) == []


@pytest.mark.parametrize(
    "page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True
)
def test_text_stands_out_from_what_is_behind_it(page):
    assert page.evaluate(FAINT) == []


def faults_of(page, address):
    page.goto(address)
    levels = page.evaluate(HEADINGS)
    skipped = [two for one, two in pairwise(levels) if two > one + 1]
    in_order = levels.count(1) == 1 and not skipped and levels[0] == 1
    return {
        "headings": [] if in_order else levels,
        "nameless": page.evaluate(NAMELESS),
        "misnamed": page.evaluate(MISNAMED),
        "ids": page.evaluate(TWICE),
        "places": page.evaluate(SAME_PLACE),
        "faint": page.evaluate(FAINT),
    }


@pytest.mark.parametrize("look", LOOKS, ids=["english", "korean"])
def test_every_page_can_be_read_and_heard(visitors, stack, look):
    alice, bob, charlie = stack.people("alice", "bob", "charlie")
    room = room_of(stack, alice, bob)
    owner, guest, other = (visitors.come(0, one, **look) for one in (alice, None, charlie))
    wrong = {}
    for address in [*PAGES, *(f"/rooms/{room}/{rest}" for rest in ROOM_PAGES)]:
        address = address.format(bob=bob.id)
        wrong[address] = faults_of(owner, address)
    for address in ("/accounts/sign-in/", "/accounts/sign-up/", "/admin/login/"):
        wrong[address] = faults_of(guest, address)
    wrong["entrance"] = faults_of(other, f"/rooms/{room}/")
    assert {address: found for address, found in wrong.items() if any(found.values())} == {}


@pytest.mark.parametrize("look", LOOKS, ids=["english", "korean"])
def test_the_admin_can_be_read_and_heard(visitors, stack, look):
    alice, bob, boss = stack.people("alice", "bob", "boss")
    stack.run(appoint, boss)
    room = room_of(stack, alice, bob)
    page = visitors.come(0, boss, **look)
    found = {
        rest: faults_of(page, "/admin/" + rest.format(room=room, bob=bob.id)) for rest in ADMIN
    }
    assert {rest: wrong for rest, wrong in found.items() if any(wrong.values())} == {}


def test_a_title_without_a_break_leaves_the_other_columns_in_view(visitors, stack, shot):
    alice, boss = stack.people("alice", "boss")
    stack.run(appoint, boss)
    room_of(stack, alice, title="x" * 80)
    page = visitors.come(0, boss)
    page.goto("/admin/rooms/room/")
    shot(page, "admin-rooms")
    expect(page.locator("#result_list .field-state").first).to_be_in_viewport(ratio=1)
    width = "element => [element.scrollWidth, element.clientWidth]"
    inside, shown = page.locator("#changelist .results").evaluate(width)
    assert inside <= shown
