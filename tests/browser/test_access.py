"""What a screen reader and weak eyes need, checked on the page itself."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.talk import connected, room_of, say

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
        || element.labels?.length || element.title))
    .map((element) => element.outerHTML)"""

TWICE = """() => {
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    return ids.filter((id, index) => ids.indexOf(id) !== index);
}"""


@pytest.fixture
def page(visitors, stack, request):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=2)
    page = visitors.come(0, bob, **getattr(request, "param", {}))
    page.goto(f"/rooms/{room}/")
    connected(page)
    say(page, "mine")
    expect(page.locator("#outbox .message")).to_have_count(0)
    return page


def test_everything_has_a_name_and_a_place(page):
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    expect(page.locator("h1")).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("article").last).to_have_accessible_name(re.compile(r"^You, \d"))
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(TWICE) == []


@pytest.mark.parametrize(
    "page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True
)
def test_text_stands_out_from_what_is_behind_it(page):
    assert page.evaluate(FAINT) == []
