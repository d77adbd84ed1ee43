// Who is here: the list beside the conversation, kept by `presence` frames, and all members,
// fetched by the page.

import { insist } from "../whose.js";
import { avatar, make } from "./dom.js";
import { counted, fill, when } from "./words.js";

const RELOAD_AFTER = 1_000; // ms, so that a crowd at the door is one request

export class People {
  constructor({ parts, url, me }) {
    Object.assign(this, { parts, url, me, owner: null });
    this.here = new Map(); // id → name
    this.count = 0;
    this.wanted = false; // has someone looked at the list of members?
    this.isTold = true; // as a member is
    parts.members.addEventListener("click", (event) => {
      const more = event.target.closest(".people-more");
      if (more) this.load(more.dataset.page, more);
    });
  }

  presence(frame) {
    if (!this.isTold) return;
    if (frame.full) this.here = new Map(frame.here.map((person) => [person.id, person.name]));
    for (const person of frame.came || []) this.here.set(person.id, person.name);
    for (const { id, at } of frame.went || []) {
      this.here.delete(id);
      this.went(id, at);
    }
    this.count = frame.count;
    this.isStale = frame.degraded; // it may be out of date
    this.parts.note.hidden = !frame.degraded;
    this.show();
  }

  show() {
    const { count, list, many } = this.parts;
    const here = counted(this.isStale ? aboutHere(this.count) : justHere(this.count), this.count);
    count.replaceChildren(...(this.count ? [make("span", { class: "here-dot" }), here] : []));
    list.replaceChildren(...this.sorted().map(([id, name]) => this.person(id, name)));
    const more = Math.max(0, this.count - this.here.size);
    many.hidden = !more;
    many.textContent = counted(ngettext("and %(count)s other", "and %(count)s others", more), more);
    this.mark();
  }

  sorted() {
    const me = this.me.id;
    return [...this.here].sort(
      ([one, a], [other, b]) => (other === me) - (one === me) || a.localeCompare(b) || one - other,
    );
  }

  person(id, name) {
    const label = id === this.me.id ? fill(gettext("%(name)s (you)"), { name }) : name;
    return make(
      "li",
      { class: "person is-here", "data-user": id },
      avatar({ id, name }),
      make(
        "span",
        { class: "person-text" },
        make("span", { class: "person-name", dir: "auto" }, label),
        id === this.owner ? make("span", { class: "tag" }, gettext("owner")) : null,
      ),
    );
  }

  // In the list of members, those who are here are not shown a second time.
  mark() {
    for (const item of this.parts.members.querySelectorAll(".person")) {
      item.hidden = this.here.has(Number(item.dataset.user));
      item.classList.toggle("is-here", item.hidden);
    }
    for (const item of this.parts.members.querySelectorAll(".person-seen time:empty")) {
      seenAt(item.parentElement, item.getAttribute("datetime"));
    }
    const away = this.parts.members.querySelector(".person:not([hidden]), .people-more");
    this.parts.nobody.hidden = Boolean(away) || !this.wanted || !this.isTold;
  }

  went(id, at) {
    const item = this.parts.members.querySelector(`.person[data-user="${Number(id)}"]`);
    if (item) seenAt(item.querySelector(".person-seen"), at);
    else this.refresh();
  }

  // What the room is now.
  become({ owner, personnel }) {
    this.seats(personnel);
    if (owner === this.owner) return;
    this.owner = owner;
    this.show();
  }

  // Another day has begun: what was a time of today has a date now.
  newDay() {
    for (const time of this.parts.members.querySelectorAll(".person-seen time")) {
      time.textContent = when(new Date(time.dateTime));
    }
  }

  seats(taken) {
    const text = ngettext("%(count)s member", "%(count)s members", taken);
    this.parts.seats.textContent = counted(text, taken);
  }

  // Members came or left: fetch the list again, soon and once.
  refresh() {
    if (!this.wanted || !this.isTold) return;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.load(1);
    }, RELOAD_AFTER);
  }

  // Who is no member any more is not told who they are, and what was told would soon be wrong.
  leave() {
    clearTimeout(this.timer);
    this.timer = null;
    this.tell(false);
    this.here.clear();
    this.count = 0;
    this.show();
    this.parts.members.replaceChildren();
    this.parts.seats.textContent = "";
    this.parts.note.hidden = true;
  }

  enter() {
    this.tell(true);
    this.refresh();
  }

  tell(isTold) {
    this.isTold = isTold;
    for (const part of this.parts.lists) part.hidden = !isTold;
  }

  open() {
    this.wanted = true;
    this.load(1);
  }

  async load(page, more = null) {
    const { members } = this.parts;
    if (!this.isTold) return;
    try {
      const answer = await insist(`${this.url}?page=${page}`, "text/html");
      if (!answer.ok) throw new Error(`The list of members answered ${answer.status}.`);
      const { body } = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (more) more.replaceWith(...body.childNodes);
      else members.replaceChildren(...body.childNodes);
      this.mark();
    } catch (error) {
      console.warn("The members did not come:", error.message);
    }
  }
}

function seenAt(element, at) {
  const time = make("time", { datetime: at }, when(new Date(at)));
  element.replaceChildren(gettext("last here"), " ", time);
}

const justHere = (count) => ngettext("%(count)s here", "%(count)s here", count);
const aboutHere = (count) => ngettext("about %(count)s here", "about %(count)s here", count);
