// One room as this client knows it: its log (subscription.js), who is here, how far I have read, and
// what I say to it (outbox.js).

import { Emitter } from "./emitter.js";
import { Feed } from "./feed.js";
import { Outbox } from "./outbox.js";
import { Subscription } from "./subscription.js";

const TYPING_EVERY = 3_100; // ms; the server passes on one in 3 s
const READ_EVERY = 1_000; // ms
const PAGE = 100; // events
const GONE = new Set(["left", "removed"]);

export class Room extends Emitter {
  constructor(chat, id, outbox) {
    super();
    Object.assign(this, { chat, id });
    this.outbox = new Outbox({
      ...outbox,
      transmit: ({ cid, body }) => this.say("send", { cid, body }),
      changed: () => this.tell("outbox", this),
    });
    this.log = new Subscription({
      say: (type, fields) => this.say(type, fields),
      page: (span) => this.page(span),
      give: (event) => this.given(event),
      tell: (type, what) => this.logged(type, what),
    });
    Object.assign(this, { about: null, people: new Map(), count: 0, degraded: false });
    Object.assign(this, { readSeq: 0, wantsRead: 0, toldAt: 0, isWriting: false, typedAt: 0 });
    this.timers = { read: null, typing: null };
  }

  /** The last line that was given out. */
  get last() {
    return this.log.last;
  }

  /** When that line was written: to enter again after it, if the program is started anew. */
  get at() {
    return this.log.at;
  }

  /** The last line that is known of. */
  get head() {
    return this.log.head;
  }

  /** How my hold on it ended: "exited", "left", "removed", "not_member", …; null while it has not. */
  get ended() {
    return this.log.ended;
  }

  /** Who is here, as far as told. */
  get here() {
    return [...this.people.values()];
  }

  /** Subscribes. `after`: the last line that was seen, and `at`, when it was written; else from
   * now on. */
  async enter(from) {
    if (this.chat.error) throw this.chat.error;
    this.chat.socket.open();
    await this.log.enter(from);
    return this;
  }

  /** No events any more; the seat stays. */
  exit() {
    if (this.log.wanted) this.say("unsubscribe");
    this.isWriting = false;
    this.log.over("exited");
  }

  /** The log, in order, each line once, from where the room was entered or after that line. */
  events(options = {}) {
    const feed = new Feed(this.log, options);
    if (feed.isOver) return feed;
    this.enter().catch((error) => feed.end(error));
    this.log.add(feed);
    return feed;
  }

  /** Resolves with { room, cid, seq, at, repeated } once it is stored; raises Refused. */
  async send(body, options) {
    if (this.chat.error) throw this.chat.error;
    this.chat.socket.open();
    this.isWriting = false;
    return this.outbox.send(body, options);
  }

  /** I write, or with `false` not any more. It is told as often as the server passes it on; what
   * falls into the pause is told at its end, if I still write. Answers whether it was told just now. */
  typing(isWriting = true) {
    this.isWriting = isWriting;
    if (!isWriting || this.timers.typing) return false;
    const wait = left(this.typedAt, TYPING_EVERY);
    if (!wait) return this.tellTyping();
    this.timers.typing = setTimeout(() => this.tellTyping(), wait);
    return false;
  }

  /** I have read up to there. Told at most once a second, and later where there is no connection. */
  read(seq) {
    this.wantsRead = Math.max(seq, this.wantsRead);
    if (this.wantsRead <= this.readSeq) return;
    this.timers.read ??= setTimeout(() => this.report(), left(this.toldAt, READ_EVERY));
  }

  /** The same at once, for a page that is left. */
  report() {
    clearTimeout(this.timers.read);
    this.timers.read = null;
    if (this.wantsRead <= this.readSeq || !this.say("read", { seq: this.wantsRead })) return;
    this.readSeq = this.wantsRead;
    this.toldAt = Date.now();
  }

  /** { results, head, read, … }: lines after or before that one, or the newest. */
  page({ after, before, limit }) {
    const span = Object.entries({ after, before, limit }).filter(([, value]) => value !== undefined);
    return this.chat.call("GET", `rooms/${this.id}/events/?${new URLSearchParams(span)}`);
  }

  /** The log as pages, without the socket: on from `after`, or back from `before` or the end. */
  async *history({ after, before, limit = PAGE } = {}) {
    for (;;) {
      const { results } = await this.page({ after, before, limit });
      if (!results.length) return;
      yield* after === undefined ? results.toReversed() : results;
      if (after === undefined) before = results[0].seq;
      else after = results.at(-1).seq;
    }
  }

  // ---- told by the client ----

  connected() {
    this.log.ask(); // before anything is sent, so that what is sent is heard
    this.outbox.resume();
    if (!this.log.wanted) this.report(); // else as soon as it is known how far the server knows
  }

  disconnected() {
    this.log.lost();
    this.outbox.pause();
  }

  hear(frame) {
    this[`on_${frame.type}`]?.(frame);
    this.tell(frame.type, frame);
  }

  over(error) {
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.log.over("closed", error);
    this.outbox.end(error);
  }

  // ---- inside ----

  say(type, fields = {}) {
    return this.chat.socket.send({ type, room: this.id, ...fields });
  }

  tellTyping() {
    this.timers.typing = null;
    if (!this.isWriting || !this.say("typing")) return false;
    this.typedAt = Date.now();
    return true;
  }

  given(event) {
    if (event.cid && event.from?.id === this.chat.me?.id) this.outbox.settled(event.cid);
    this.outbox.settleUpTo(event.seq);
    this.tell("event", event);
    this.chat.tell("event", event);
  }

  logged(type, what) {
    if (type === "lost") this.goneBack(what);
    if (type === "ended") this.outbox.settleUpTo(Infinity); // their lines don't come any more
    this.tell(type, what);
  }

  goneBack({ after: kept }) {
    this.wantsRead = Math.min(this.wantsRead, kept); // what comes after it nobody has read
    this.outbox.goneBack(kept);
  }

  on_subscribed(frame) {
    if (!this.log.subscribed(frame)) return;
    this.about = frame.about;
    this.readSeq = frame.read; // exactly: what was told last may have been lost with its connection
    this.report();
    this.outbox.settleUpTo(this.last);
  }

  on_unsubscribed({ code }) {
    if (GONE.has(code)) this.log.over(code);
  }

  on_ack(frame) {
    const live = this.log.wanted ? (this.last ?? 0) : undefined; // else its line does not come
    this.outbox.acknowledged(frame, live);
  }

  on_nack(frame) {
    if (!this.log.refused(frame) && frame.cid) this.outbox.refused(frame);
  }

  on_about({ about }) {
    this.about = about;
  }

  // On another device, or as the server knows it.
  on_read({ seq }) {
    this.readSeq = Math.max(seq, this.readSeq);
  }

  on_presence({ full, here = [], came = [], went = [], count, degraded }) {
    if (full) this.people.clear();
    for (const person of [...here, ...came]) this.people.set(person.id, person);
    for (const { id } of went) this.people.delete(id);
    Object.assign(this, { count, degraded });
  }
}

// Milliseconds until it may be told again. A clock that was set back holds up nothing for long.
const left = (since, every) => Math.min(every, Math.max(0, since + every - Date.now()));
