// A client's hold on one room's log: each line once, in order, over every break.
//
//   last   the last line that was given out; where to resume from
//   at     when that was written, by which the server knows whether it is still the log's
//   head   the last line that is known of
//
// A line out of turn is not given out: the room is subscribed to again from `last`, and the server
// brings what was missed. Where that is too much for it, the lines come as pages.

import { pause, waitBefore, waitNamedBy } from "./backoff.js";
import { Closed, isPassing, Refused } from "./errors.js";

const ASK_AGAIN = 2; // seconds after a subscribe that the server could not answer
const PAGE = 100; // events
const LATER = new Set(["unavailable", "rate_limited"]); // nack codes
let asked = 0; // in all rooms, so that each has another `ref`

export class Subscription {
  // say(type, fields) → was it put on the wire?  page(span) → a page of the log
  // give(event), tell(type, what): to the room
  constructor({ say, page, give, tell }) {
    Object.assign(this, { say, page, pass: give, tell });
    this.feeds = new Set();
    this.age = 0; // goes up when what is on its way does not count any more
    this.begin();
  }

  begin({ after, at, whole = true } = {}) {
    Object.assign(this, { last: after, at, whole, head: after ?? 0 });
    this.wanted = this.isIn = this.isFilling = false;
    this.began = undefined; // where the room was entered
    this.ended = null; // how it ended
    this.asking = null; // the `ref` of the subscribe that is on its way
  }

  enter(from) {
    if (this.wanted) return this.entering.promise;
    this.begin(from);
    this.wanted = true;
    const entering = (this.entering = {});
    entering.promise = new Promise((done, failed) => Object.assign(entering, { done, failed }));
    this.ask();
    return entering.promise;
  }

  add(feed) {
    this.feeds.add(feed);
    if (this.began !== undefined) feed.begin(this.began, this.last);
  }

  over(how, error = null) {
    if (!this.wanted) return;
    this.wanted = false;
    this.ended = how;
    this.lost();
    for (const feed of this.feeds) feed.end(error instanceof Closed ? null : error);
    this.entering.failed(error ?? new Closed()); // if it waits
    this.tell("ended", { how, error });
  }

  // ---- told by the connection ----

  ask() {
    clearTimeout(this.timer);
    if (!this.wanted) return;
    const ref = `subscribe ${(asked += 1)}`;
    const from = this.last === undefined ? {} : { after: this.last, at: this.at };
    this.asking = this.say("subscribe", { ...from, ref }) ? ref : null;
  }

  lost() {
    this.age += 1;
    this.isIn = this.isFilling = false;
    this.asking = null;
    clearTimeout(this.timer);
  }

  // Answers whether it is the answer to what was asked last.
  subscribed({ ref, head, after, recovered, kept }) {
    if (!this.asking || ref !== this.asking) return false;
    this.asking = null;
    this.isIn = true;
    this.last ??= after;
    this.began ??= this.last;
    this.head = head;
    for (const feed of this.feeds) feed.begin(this.began, this.last);
    const end = kept ?? (recovered ? Infinity : head);
    if (end < this.last) this.goBack(end);
    if (!recovered && this.last < after) this.missed(head);
    this.entering.done();
    return true;
  }

  take(event) {
    if (!this.isIn || event.seq <= this.last) return;
    this.head = Math.max(this.head, event.seq);
    if (this.isFilling) return; // it comes with the pages
    if (event.seq === this.last + 1) this.give(event);
    else if (!this.asking) this.ask();
  }

  // The server says how far the log goes.
  heard(head) {
    if (this.isIn && head > this.last && !this.asking && !this.isFilling) this.ask();
  }

  // Answers whether it was about what was asked last.
  refused(refusal) {
    if (!this.asking || refusal.ref !== this.asking) return false;
    this.asking = null;
    const { code, retry_after: wait = ASK_AGAIN } = refusal;
    if (LATER.has(code)) this.timer = setTimeout(() => this.ask(), wait * 1_000);
    // Let in before: then the seat was lost meanwhile, as if it had been told.
    else this.over(code, this.began !== undefined && code === "not_member" ? null : Refused.of(refusal));
    return true;
  }

  // ---- inside ----

  give(event) {
    Object.assign(this, { last: event.seq, at: event.at });
    for (const feed of this.feeds) feed.put(event);
    this.pass(event);
  }

  // More than a resume brings. Feeds that are not to be held up find their own way there.
  missed(head) {
    if (this.whole) return void this.fill();
    this.tell("skipped", { after: this.last, head });
    this.skip(head);
    for (const feed of this.feeds) feed.missed();
  }

  // The server has lost lines that were given out: its log goes on from there.
  goBack(kept) {
    this.tell("lost", { after: kept, upto: this.last });
    this.began = Math.min(this.began, kept);
    this.skip(kept);
    for (const feed of this.feeds) feed.goBack(kept);
  }

  skip(seq) {
    Object.assign(this, { last: seq, at: undefined });
  }

  async fill() {
    const { age } = this;
    this.isFilling = true;
    for (let attempt = 0; age === this.age && this.last < this.head; ) {
      try {
        const page = await this.page({ after: this.last, limit: PAGE });
        if (age === this.age) this.paged(page);
        attempt = 0;
      } catch (error) {
        if (age !== this.age) return;
        if (!isPassing(error)) return this.over("failed", error);
        await pause(waitNamedBy(error) ?? waitBefore((attempt += 1)));
      }
    }
    if (age === this.age) this.isFilling = false;
  }

  paged({ results, head }) {
    const fresh = results.filter(({ seq }) => seq > this.last);
    const next = fresh[0]?.seq ?? Math.max(head, this.head) + 1;
    if (next > this.last + 1) this.tell("hole", { after: this.last, next }); // not kept any more
    if (!fresh.length) this.skip(next - 1);
    for (const event of fresh) this.give(event);
  }
}
