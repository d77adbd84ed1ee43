// What I have read of the room. From here come the line of new messages, the count on the button,
// the number in the title, and what the server is told. All of it is derived, each time it is
// asked for, from
//
//   the log   which lines this page knows, as a page or by the wire, and where it knows none
//   read      all up to here is read
//   seen      what was on the screen after it, while somebody looked
//
// Of lines that the page does not know the server has told how much in them is unread (`tell`).
// Nothing here touches the document.

import { kindOf } from "./kinds.js";
import { Stretches } from "./stretches.js";

export class Reading {
  // head() → where the log ends;  news: what came up to there the page was opened with
  constructor({ me, read, head, news = 0 }) {
    Object.assign(this, { me, read, head, newsAfter: news });
    this.others = []; // seq of what others said after `read`, as far as known
    this.seen = new Set();
    this.known = new Stretches();
    this.told = null;
    this.line = null; // before which message the line stands
    this.isOver = true; // all that is below the line was read
  }

  // ---- what comes ----

  // These are all lines that there are from one seq to the other.
  know(events, from = events[0]?.seq, to = events.at(-1)?.seq) {
    this.known.add(from, to);
    const fresh = events
      .filter((event) => kindOf(event).isUnread && event.from.id !== this.me.id)
      .map(({ seq }) => seq);
    this.others = merged(this.others, fresh);
    this.tidy();
  }

  // The server counted what is unread: after `read`, up to `head`; the first of it is `first`.
  tell({ count, more, first_seq: first, read, head }) {
    this.told = { count, more, first, read, head };
    if (!first) this.known.add(read + 1, head);
    else this.known.add(read + 1, first - 1);
    this.tidy();
  }

  // A stretch of the log is not known any more from here on: what came before counts as news, too.
  lose() {
    this.told = null;
    this.newsAfter = 0;
  }

  // What came after that line is not the log's any more: nobody has read what came in its place.
  goBack(kept) {
    this.read = Math.min(this.read, kept);
    this.others = this.others.filter((seq) => seq <= kept);
    for (const seq of this.seen) if (seq > kept) this.seen.delete(seq);
    this.known = new Stretches();
    if (this.line > kept) this.line = null;
    this.lose();
  }

  see(seqs) {
    for (const seq of seqs) if (seq > this.read) this.seen.add(seq);
    this.advance(this.position);
  }

  // The server knows it: read on another device, or here before.
  resume(read) {
    this.advance(Math.max(this.read, read));
  }

  // Passed over by somebody who went on.
  pass(seq) {
    this.advance(Math.max(this.position, Math.min(seq, this.head())));
  }

  // Somebody stops to look here: what they have not seen begins below the line. While that is
  // being read, the line stays.
  stop() {
    if (this.first === null || !(this.isOver || this.line === null)) return;
    this.line = this.first;
    this.isOver = false;
  }

  wrote() {
    this.line = null;
  }

  // ---- what follows ----

  // All up to here is read.
  get position() {
    const unseen = this.unseen[0] ?? Infinity;
    const hole = this.known.hole(this.read, this.head())?.from ?? Infinity;
    return Math.max(this.read, Math.min(unseen, hole, this.head() + 1) - 1);
  }

  // The first message that I have not read, as far as can be told; or null.
  get first() {
    const [seen = null] = this.unseen;
    const hole = this.known.hole(this.read, this.head());
    const told = this.told?.first;
    if (!hole || !told || told < hole.from || (seen !== null && seen < told)) return seen;
    return told;
  }

  // What others said that I have not read: {count, more}, where `more` says that it is no less.
  get unread() {
    return this.after(this.read);
  }

  // Of it, what has come since the page was opened.
  get news() {
    return this.after(Math.max(this.read, this.newsAfter));
  }

  // ---- inside ----

  get unseen() {
    return this.others.filter((seq) => seq > this.read && !this.seen.has(seq));
  }

  after(seq) {
    const count = this.unseen.filter((one) => one > seq).length;
    if (!this.known.hole(seq, this.head())) return { count, more: false };
    if (!this.told) return { count, more: true };
    const { read, head } = this.told;
    const counted = this.others.filter((one) => one > read && one <= head).length;
    const hidden = Math.max(0, this.told.count - counted);
    return { count: count + hidden, more: this.told.more };
  }

  advance(position) {
    this.read = position;
    this.tidy();
    if (!this.unread.count && !this.unread.more) this.isOver = true;
  }

  // What can't matter any more is let go.
  tidy() {
    const hole = this.known.hole(this.read, this.head());
    const after = hole && this.told ? Math.min(this.read, this.told.read) : this.read;
    this.others = this.others.filter((seq) => seq > after);
    for (const seq of this.seen) if (seq <= this.read) this.seen.delete(seq);
    this.known.forget(this.read);
  }
}

// Each once, in order; what comes by the wire comes after all others.
function merged(numbers, fresh) {
  if (!fresh.length || fresh[0] > (numbers.at(-1) ?? 0)) return numbers.concat(fresh);
  return [...new Set([...numbers, ...fresh])].sort((one, other) => one - other);
}
