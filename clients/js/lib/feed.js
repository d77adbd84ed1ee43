// One reader's way through a room's log: `for await (const event of room.events())`.
//
// It holds a bounded number of events. Who reads more slowly than the room talks loses nothing: what
// does not fit is let go, and fetched again as pages when the reader comes to it.

import { pause, waitBefore, waitNamedBy } from "./backoff.js";
import { isPassing } from "./errors.js";

const HELD_MAX = 256; // events
const PAGE = 100; // events; the server gives no more at once

export class Feed {
  // after: the last line that was seen; undefined: where the room was entered
  constructor(log, { after, held = HELD_MAX, signal }) {
    Object.assign(this, { log, held, last: after });
    this.queue = [];
    this.behind = false; // are there lines after `last` that are not in the queue?
    this.isOver = false;
    this.error = null;
    this.wake = () => {};
    this.turn = Promise.resolve();
    signal?.addEventListener("abort", () => this.end(signal.reason), { once: true });
    if (signal?.aborted) this.end(signal.reason);
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** One after the other, however many are asked for. */
  next() {
    const step = this.turn.then(() => this.step());
    this.turn = step.catch(() => {});
    return step;
  }

  async return(value) {
    this.end();
    this.queue = [];
    return { value, done: true };
  }

  // ---- told by the room ----

  // It was entered at `from`, and has come to `last` since.
  begin(from, last) {
    this.last ??= from;
    this.behind ||= this.last < last;
    this.wake();
  }

  put(event) {
    if (this.isOver || this.behind || event.seq <= this.last) return;
    if (this.queue.length >= this.held) {
      this.behind = true;
      return;
    }
    this.take([event]);
  }

  // The room itself has passed over lines: they are looked for, and pages go around what is gone.
  missed() {
    this.behind = true;
    this.wake();
  }

  // What comes after that line is not the log's any more: others come in its place.
  goBack(kept) {
    this.queue = this.queue.filter(({ seq }) => seq <= kept);
    this.last = Math.min(this.last, kept);
  }

  // What came before is still given out.
  end(error = null) {
    if (this.isOver) return;
    Object.assign(this, { isOver: true, error });
    this.log.feeds.delete(this);
    this.wake();
  }

  // ---- inside ----

  async step() {
    for (;;) {
      if (this.queue.length) return { value: this.queue.shift(), done: false };
      if (this.error) throw this.thrown();
      if (this.isOver) return { value: undefined, done: true };
      if (this.behind) await this.pull();
      else await new Promise((wake) => (this.wake = wake));
    }
  }

  thrown() {
    const { error } = this;
    this.error = null; // as a generator, once
    return error;
  }

  async pull() {
    for (let attempt = 0; !this.isOver; attempt += 1) {
      try {
        return this.paged(await this.log.page({ after: this.last, limit: PAGE }));
      } catch (error) {
        if (!isPassing(error)) return this.end(error);
        await pause(waitNamedBy(error) ?? waitBefore(attempt));
      }
    }
  }

  paged({ results, head }) {
    if (this.isOver) return;
    this.take(results.filter(({ seq }) => seq > this.last));
    if (!results.length) this.last = Math.max(this.last, head); // none of them is kept any more
    this.behind = this.last < this.log.last;
  }

  take(events) {
    if (!events.length) return;
    this.queue.push(...events);
    this.last = events.at(-1).seq;
    this.wake();
  }
}
