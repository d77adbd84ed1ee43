// Pages of the log, fetched on the way up and down, one at a time.

import { insist } from "../whose.js";

const AGAIN_AFTER = 2_000; // ms after a page that did not come

export class History {
  // loaded(direction, page) puts a page where it belongs.
  constructor({ url, loaded, wanted }) {
    Object.assign(this, { url, loaded, wanted });
    this.busy = { before: false, after: false };
    this.age = 0; // goes up when the log begins anew, so that late pages are dropped
  }

  async fetch(span) {
    const answer = await insist(`${this.url}?${new URLSearchParams(span)}`, "application/json");
    if (!answer.ok) throw new Error(`The history answered ${answer.status}.`);
    return answer.json();
  }

  begin() {
    this.age += 1;
    this.busy = { before: false, after: false };
  }

  // A page in that direction from seq, unless one is on its way.
  async load(direction, seq) {
    if (this.busy[direction]) return;
    const { age } = this;
    this.busy[direction] = true;
    try {
      const page = await this.fetch({ [direction]: seq, limit: 50 });
      if (age !== this.age) return;
      this.busy[direction] = false;
      this.loaded(direction, page);
    } catch (error) {
      console.warn("A page of the history did not come:", error.message);
      if (age === this.age) this.again(direction);
    }
  }

  again(direction) {
    const { age } = this;
    setTimeout(() => {
      if (age !== this.age) return;
      this.busy[direction] = false;
      this.wanted(direction);
    }, AGAIN_AFTER);
  }
}
