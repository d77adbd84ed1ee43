// What people are called now: the newest name that was heard of somebody stands at all their lines.

import { rename } from "./render.js";

export class Names {
  constructor({ socket, room, list, me }) {
    Object.assign(this, { list, me, known: new Map() });
    const hear = (people = []) => people.forEach((person) => this.heard(person));
    const here = (type, of) =>
      socket.on(type, (frame) => frame.room === room && hear(of(frame)));
    here("event", ({ from }) => [from]);
    here("typing", ({ user }) => [user]);
    here("presence", ({ here: all = [], came = [] }) => [...all, ...came]);
  }

  heard({ id, name }) {
    if (this.known.get(id) === name) return;
    this.known.set(id, name);
    for (const element of this.list.children) {
      const { from } = element.event;
      if (from.id === id && from.name !== name) rename(element, name, this.me);
    }
  }
}
