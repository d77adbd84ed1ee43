// Who came and went, many in a row, as one line that can be opened: "Alice, Bob and 198 others
// entered". However they came: with the page, from history or by the wire.
//
// Each event keeps an entry of its own, so that positions stay what they are; the entries of a
// folded run have no height, and the first of them carries the sentence.

import { make } from "./dom.js";
import { kindOf } from "./kinds.js";
import { amount, dayKey, fill, moment, time } from "./words.js";

const FOLDED_FROM = 4; // lines in a row; fewer are told one by one
const LONGEST = 300; // lines under one sentence

// What happened to them, and how it is said of one, of two and of more.
const DEEDS = {
  enter: {
    one: () => gettext("%(name)s entered"),
    two: () => gettext("%(first)s and %(second)s entered"),
    more: (count) =>
      ngettext(
        "%(first)s, %(second)s and %(count)s other entered",
        "%(first)s, %(second)s and %(count)s others entered",
        count,
      ),
  },
  leave: {
    one: () => gettext("%(name)s left"),
    two: () => gettext("%(first)s and %(second)s left"),
    more: (count) =>
      ngettext(
        "%(first)s, %(second)s and %(count)s other left",
        "%(first)s, %(second)s and %(count)s others left",
        count,
      ),
  },
  removed: {
    one: () => gettext("%(name)s was removed"),
    two: () => gettext("%(first)s and %(second)s were removed"),
    more: (count) =>
      ngettext(
        "%(first)s, %(second)s and %(count)s other were removed",
        "%(first)s, %(second)s and %(count)s others were removed",
        count,
      ),
  },
};

const comesOrGoes = (event) => Boolean(kindOf(event).folds);
const deed = ({ kind, body }) => (kind === "leave" && body === "removed" ? "removed" : kind);

// What is said of one who came or went, with a place for the name.
export const alone = (event) => DEEDS[deed(event)].one();

// "Alice and Bob entered · Charlie left": each person once for what they did.
export function sentence(events) {
  const names = new Map();
  for (const event of events) {
    if (!names.has(deed(event))) names.set(deed(event), new Map());
    names.get(deed(event)).set(event.from.id, event.from.name);
  }
  return [...names].map(([what, people]) => clause(DEEDS[what], [...people.values()])).join(" · ");
}

function clause(say, [first, second, ...others]) {
  if (second === undefined) return fill(say.one(), { name: first });
  if (!others.length) return fill(say.two(), { first, second });
  return fill(say.more(others.length), { first, second, count: amount(others.length) });
}

export class Folds {
  // quietly(change) changes what a screen reader shall not read out as news.
  constructor(quietly) {
    this.quietly = quietly;
  }

  // These entries are in the list, in its order, or were before and got new neighbours.
  gather(elements) {
    const changed = new Set();
    for (const element of elements) {
      if (!comesOrGoes(element.event)) continue;
      element.run ??= new Run(element, this.quietly);
      element.previousElementSibling?.run?.take(element.run, element);
      changed.add(element.run);
    }
    for (const run of changed) run.show();
  }

  // These entries leave the list.
  release(elements) {
    const changed = runs(elements);
    for (const element of elements) element.run?.lose(element);
    for (const run of changed) run.show();
  }

  // These entries say something else now.
  renew(elements) {
    for (const run of runs(elements)) run.show();
  }

  // How many of the list's entries show nothing because of us.
  hidden(list) {
    return list.querySelectorAll(":scope > .entry > .quiet[hidden]").length;
  }
}

const runs = (elements) => new Set(elements.map((element) => element.run).filter(Boolean));

class Run {
  constructor(element, quietly) {
    Object.assign(this, { entries: [element], isOpen: false, quietly });
  }

  // The run that begins with this entry goes on with ours, if it may.
  take(other, element) {
    const isNext = other !== this && other.entries[0] === element;
    const fits = this.entries.length + other.entries.length <= LONGEST;
    if (!isNext || !fits || !sameDay(this.entries.at(-1), element)) return;
    if (element.querySelector(".new-line")) return;
    this.isOpen ||= other.isOpen;
    this.entries.push(...other.entries);
    other.line?.remove();
    for (const one of other.entries) one.run = this;
  }

  lose(element) {
    this.entries = this.entries.filter((one) => one !== element);
    element.run = null;
  }

  show() {
    const isFolded = this.entries.length >= FOLDED_FROM;
    for (const { lastElementChild: line } of this.entries) line.hidden = isFolded && !this.isOpen;
    if (isFolded) this.tell();
    else this.line?.remove();
  }

  tell() {
    const events = this.entries.map((entry) => entry.event);
    const [first, last] = [events[0], events.at(-1)].map((event) => new Date(event.at));
    const span = [...new Set([time(first), time(last)])].join("–");
    const at = make("time", { datetime: events.at(-1).at, title: moment(last) }, span);
    this.line ??= this.build();
    this.button.replaceChildren(sentence(events), " ", at);
    this.button.setAttribute("aria-expanded", String(this.isOpen));
    this.place();
  }

  // A screen reader hears of the first who come; that the sentence grows is no news.
  build() {
    this.button = make("button", { type: "button", dir: "auto" });
    this.button.addEventListener("click", () => this.turn());
    return make("p", { class: "fold", "aria-live": "off" }, this.button);
  }

  place() {
    const quiet = this.entries[0].lastElementChild;
    if (quiet.previousElementSibling === this.line) return;
    const hadFocus = document.activeElement === this.button;
    quiet.before(this.line);
    if (hadFocus) this.button.focus({ preventScroll: true });
  }

  turn() {
    this.isOpen = !this.isOpen;
    this.quietly(() => this.show());
  }
}

function sameDay(one, other) {
  return dayKey(new Date(one.event.at)) === dayKey(new Date(other.event.at));
}
