// How far I have read: what was on the screen while I looked at it.

import { attentive } from "./dom.js";

const TOLD_EVERY = 1_000; // ms

export class ReadPosition {
  // seen() → the last seq on the screen;  tell(seq) → was it put on the wire?
  constructor({ read, seen, tell }) {
    Object.assign(this, { seen, tell });
    this.position = this.told = read;
    this.timer = null;
    addEventListener("focus", () => this.look());
    document.addEventListener("visibilitychange", () => this.look());
    // On the way out at once: the next page counts what is unread.
    addEventListener("beforeunload", () => this.report());
  }

  look() {
    if (!attentive()) return;
    this.position = Math.max(this.position, this.seen());
    if (this.position > this.told) this.timer ??= setTimeout(() => this.report(), this.wait());
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
    if (this.position <= this.told || !this.tell(this.position)) return;
    this.told = this.position;
    this.last = performance.now();
  }
}
