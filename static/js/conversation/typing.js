// Who is writing.

import { make } from "./dom.js";
import { fill } from "./words.js";

const SHOWN_FOR = 5_000; // ms after the last sign

export class Typing {
  constructor({ element, me }) {
    Object.assign(this, { element, me });
    this.people = new Map();
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
