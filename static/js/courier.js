// Sends what closed tabs have left unsent, whichever room it is for.
//
//   new Courier(chat, { room })  // the room that the page shows, with what was refused in it

import { openUnsent } from "./unsent.js";
import { me, whenOver } from "./whose.js";

export class Courier {
  constructor(chat, { room = null } = {}) {
    Object.assign(this, { chat, room, carried: new Set() });
    chat.on("hello", () => this.unsent?.look());
    document.addEventListener("visibilitychange", () => document.hidden || this.unsent?.look());
    whenOver(() => this.unsent?.end());
  }

  // Answers where what is written here is kept; null if it is not.
  async open() {
    this.unsent = await openUnsent(me());
    const wants = ({ room, state }) => room === this.room || state === "pending";
    this.unsent?.take(wants, (room, items) => this.takeOver(room, items));
    return this.unsent;
  }

  takeOver(id, items) {
    const room = this.chat.room(id);
    if (id !== this.room && !this.carried.has(id)) this.carry(room, items.title);
    room.outbox.adopt(items);
  }

  carry(room, title) {
    this.carried.add(room.id);
    room.outbox.keepIn(this.unsent.store(room.id, () => title));
    room.on("outbox", () => this.letGo(room.outbox));
  }

  // What was refused, its author decides on, in its room or in the lobby.
  letGo(outbox) {
    const refused = outbox.items.find(({ state }) => state === "failed");
    if (!refused) return;
    outbox.release(refused.cid).then(() => document.dispatchEvent(new Event("refused")));
  }
}
