// Tells the server how far I have read.

import { attentive } from "./dom.js";

const TOLD_EVERY = 1_000; // ms

export class ReadPosition {
  // position() → how far;  tell(seq) → was it put on the wire?
  constructor({ read, position, tell }) {
    Object.assign(this, { told: read, position, tell });
    this.timer = null;
    // On the way out at once: the next page counts what is unread.
    addEventListener("beforeunload", () => this.report());
  }

  look() {
    if (!attentive()) return;
    if (this.position() > this.told) this.timer ??= setTimeout(() => this.report(), this.wait());
  }

  // Subscribed again: the server knows `read`.
  resume(read) {
    this.told = read;
    this.look();
  }

  wait() {
    const since = performance.now() - (this.last ?? -Infinity);
    return Math.max(0, TOLD_EVERY - since);
  }

  report() {
    clearTimeout(this.timer);
    this.timer = null;
    const position = this.position();
    if (position <= this.told || !this.tell(position)) return;
    this.told = position;
    this.last = performance.now();
  }
}
