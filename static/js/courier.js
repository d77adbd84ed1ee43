// Sends what closed tabs have left unsent, for the rooms that this page does not show.
//
//   new Courier(socket, { room, took })  // the room that it shows, which sends its own

import { Outbox } from "./conversation/outbox.js";
import { openUnsent } from "./unsent.js";
import { me, whenOver } from "./whose.js";

export class Courier {
  constructor(socket, { room = null, took = () => {} } = {}) {
    Object.assign(this, { socket, room, took });
    this.boxes = new Map();
    socket.on("hello", () => this.resume());
    socket.on("state", (state) => state === "open" || this.each((box) => box.pause()));
    socket.on("ack", ({ room, cid, seq }) => this.boxes.get(room)?.acknowledged(cid, seq, seq));
    socket.on("nack", (refusal) => this.each((box) => box.refused(refusal)));
    document.addEventListener("visibilitychange", () => document.hidden || this.unsent?.look());
    whenOver(() => this.over());
  }

  // Answers where what is written here is kept; null if it is not.
  async open() {
    this.unsent = await openUnsent(me());
    const wants = ({ room, state }) => room === this.room || state === "pending";
    this.unsent?.take(wants, (room, items) => this.takeOver(room, items));
    return this.unsent;
  }

  takeOver(room, items) {
    if (room === this.room) return this.took(items);
    const box = this.boxes.get(room) ?? this.box(room, () => items.title);
    box.adopt(items);
  }

  box(room, title) {
    const box = new Outbox({
      transmit: ({ cid, body }) => this.socket.send({ type: "send", room, cid, body }),
      changed: () => this.letGo(box),
      store: this.unsent.store(room, title),
    });
    this.boxes.set(room, box);
    if (this.socket.state === "open") box.resume();
    return box;
  }

  // What was refused, its author decides on, in its room or in the lobby.
  letGo(box) {
    const refused = box.items.filter(({ state }) => state === "failed");
    box.items = box.items.filter((item) => !refused.includes(item));
    for (const { cid } of refused) {
      box.store.release(cid).then(() => document.dispatchEvent(new Event("refused")));
    }
  }

  resume() {
    this.unsent?.look();
    this.each((box) => box.resume());
  }

  each(task) {
    for (const box of this.boxes.values()) task(box);
  }

  over() {
    this.unsent?.end();
    this.each((box) => box.pause());
  }
}
