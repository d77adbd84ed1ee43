// Who is writing, and telling the others that I am.

import { make } from "./dom.js";
import { fill } from "./words.js";

const SHOWN_FOR = 5_000; // ms after the last sign
const TOLD_EVERY = 3_100; // ms; the server passes on one in 3 s

export class Typing {
  constructor({ element, tell, me }) {
    Object.assign(this, { element, tell, me });
    this.people = new Map();
    this.told = 0;
    this.timer = null;
    this.writing = false;
  }

  heard(person) {
    if (person.id === this.me.id) return;
    this.stopped(person.id);
    const timer = setTimeout(() => this.stopped(person.id), SHOWN_FOR);
    this.people.set(person.id, { name: person.name, timer });
    this.show();
  }

  // Said it, or left.
  stopped(id) {
    const person = this.people.get(id);
    if (!person) return;
    clearTimeout(person.timer);
    this.people.delete(id);
    this.show();
  }

  // I changed my text. What falls into the pause is told at its end, if I still write.
  wrote(text) {
    this.writing = Boolean(text.trim());
    if (this.writing) this.timer ??= setTimeout(() => this.report(), this.pause());
  }

  pause() {
    return Math.max(0, this.told + TOLD_EVERY - Date.now());
  }

  report() {
    this.timer = null;
    if (this.writing && this.tell()) this.told = Date.now();
  }

  show() {
    const names = [...this.people.values()].map((person) => person.name);
    const dots = make("span", { class: "dots" }, make("i"), make("i"), make("i"));
    this.element.replaceChildren(...(names.length ? [dots, sentence(names)] : []));
  }
}

function sentence(names) {
  const [first, second] = names;
  if (names.length === 1) return fill(gettext("%(name)s is typing"), { name: first });
  if (names.length === 2) {
    return fill(gettext("%(first)s and %(second)s are typing"), { first, second });
  }
  return gettext("Several people are typing");
}
