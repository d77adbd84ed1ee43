// What people are called now: the newest name that was heard of somebody stands at all their lines.

export class Names {
  // wire: the room as the client hears it
  constructor({ wire, view }) {
    Object.assign(this, { view, known: new Map() });
    const hear = (type, of) => wire.on(type, (what) => of(what).forEach((one) => this.heard(one)));
    hear("event", ({ from }) => [from]);
    hear("typing", ({ user }) => [user]);
    hear("presence", ({ here = [], came = [] }) => [...here, ...came]);
  }

  heard({ id, name }) {
    if (this.known.get(id) === name) return;
    this.known.set(id, name);
    this.view.rename(id, name);
  }
}
