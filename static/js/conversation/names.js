// What people are called now: the newest name that was heard of somebody stands at all their lines.

export class Names {
  constructor({ socket, room, view }) {
    Object.assign(this, { view, known: new Map() });
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
    this.view.rename(id, name);
  }
}
