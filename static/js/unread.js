// How much of a room I have not read, derived: from how much it was when the list was made, from the
// stretches of the log that `activity` has told of since, and from how far I have read. Nothing is
// added to a number, so nothing can be added twice. Nothing here touches the document.

const STRETCHES_MAX = 100; // a page may stay open for weeks; the oldest become one

export class Unread {
  // Up to `head` there were so many.
  constructor({ head, count }) {
    this.stretches = [{ after: 0, head, count }];
    this.isKnown = true;
  }

  get head() {
    return this.stretches.at(-1).head;
  }

  // null: it can't be told from here; the server knows.
  get count() {
    if (!this.isKnown) return null;
    return this.stretches.reduce((sum, { count }) => sum + count, 0);
  }

  // So many messages of others stand after one line and up to another.
  heard({ after, head, count }) {
    if (head <= this.head) return;
    // A hole before it, or a part of it that is counted already.
    if (after !== this.head && (count || after > this.head)) this.isKnown = false;
    this.stretches.push({ after: Math.max(after, this.head), head, count });
    if (this.stretches.length > STRETCHES_MAX) this.joinOldest();
  }

  joinOldest() {
    const [first, second] = this.stretches.splice(0, 2);
    const count = first.count + second.count;
    this.stretches.unshift({ after: first.after, head: second.head, count });
  }

  read(seq) {
    const last = this.stretches.at(-1);
    if (seq >= last.head) {
      this.stretches = [{ after: 0, head: last.head, count: 0 }];
      this.isKnown = true;
      return;
    }
    // Of a stretch that was read in part nobody here knows what is left.
    if (this.stretches.some((one) => one.after < seq && seq < one.head && one.count)) {
      this.isKnown = false;
    }
    for (const one of this.stretches) if (one.head <= seq) one.count = 0;
  }
}
