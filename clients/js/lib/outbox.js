// What I wrote to one room and the room has not confirmed yet. One message is under way at a time,
// so that they arrive in the order they were written; each keeps its id until it is answered, so
// that sending it again can't say it twice.
//
// An item: { cid, body, at, state: "pending" | "stored" | "failed", seq, code, why }.
// A store: { load() → items (or a promise of them), save(items), release(cid)? }; save gets all that
// must outlive the program, each time it changed. By default nothing is kept.

import { Refused } from "./errors.js";

const ANSWER_WITHIN = 10_000; // ms, then it is sent again with the same id
const AGAIN_AFTER = { unavailable: 2, too_many: 1, rate_limited: 1, not_subscribed: 1 }; // seconds
const ITEMS_MAX = 1_000; // then the next one is refused here
const LATE = 50; // ms, so that a clock that runs fast does not ask too early
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

export class Outbox {
  // transmit(item) → was it put on the wire?  changed() → show it
  // keepsRefused: what was refused stays, to be tried again or discarded by its author
  constructor({ transmit, changed = () => {}, store = noStore, keepsRefused = false, max, newId }) {
    Object.assign(this, { transmit, changed, store, keepsRefused });
    this.max = max ?? ITEMS_MAX;
    this.newId = newId ?? randomId;
    this.items = [];
    this.promises = new Map(); // cid → { promise, resolve, reject, patient }
    this.ready = false; // is there a connection?
    this.underWay = this.timer = null;
    this.load();
  }

  /** Resolves with what the acknowledgement says; raises Refused. */
  send(body, { cid, patient = true } = {}) {
    try {
      const item = this.put(body, cid);
      const waiting = this.promises.get(item.cid) ?? this.waiting(item.cid, patient);
      this.next();
      return waiting.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The same where nobody waits for the answer. */
  add(body, cid) {
    const item = this.put(body, cid);
    this.next();
    return item;
  }

  /** From here on they are kept there. */
  keepIn(store) {
    this.store.save([]);
    this.store = store;
    this.keep();
  }

  /** What a tab or program of before has left. */
  adopt(items) {
    const fresh = items.filter(({ cid }) => !this.find(cid));
    const adopted = fresh.map((item) => ({ ...item, state: item.state || "pending" }));
    this.items = [...this.items, ...adopted].sort(byTime);
    this.keep();
    this.next();
  }

  /** None of them can be sent any more. */
  failAll(code, why) {
    this.free();
    for (const item of this.items.filter(({ state }) => state === "pending")) {
      this.fail(item, new Refused(code, why));
    }
    this.keep();
  }

  /** Once more what was refused. */
  retry(cid) {
    const item = this.find(cid);
    if (!item) return;
    // An id that names another text is lost for this one.
    if (item.code === "conflict") item.cid = this.newId();
    Object.assign(item, { state: "pending", code: undefined, why: undefined });
    this.items = [...this.items.filter((other) => other !== item), item];
    this.keep();
    this.next();
  }

  discard(cid) {
    const item = this.find(cid);
    if (!item) return;
    this.remove(item);
    this.settle(item, (waiting) => waiting.reject(new Refused("discarded", "It was discarded.")));
    this.answered(item);
  }

  /** Somebody else's from here on, to send or to show; the store keeps it, if it can. */
  release(cid) {
    this.items = this.items.filter((item) => item.cid !== cid);
    this.changed();
    return this.store.release?.(cid);
  }

  // ---- told by the room ----

  // The connection is there (again): begin with the oldest, whatever was under way.
  resume() {
    this.ready = true;
    this.free();
    this.next();
  }

  pause() {
    this.ready = false;
    this.free();
  }

  // The room has it; it stays on show until its line is given out, if lines are.
  acknowledged(receipt, live = Infinity) {
    const item = this.find(receipt.cid);
    if (!item) return;
    const { cid, room, seq, at, repeated } = receipt;
    Object.assign(item, { state: "stored", seq });
    this.settle(item, (waiting) => waiting.resolve({ room, cid, seq, at, repeated }));
    this.answered(item);
    if (seq <= live) this.settleUpTo(live);
    else this.keep();
  }

  // Its line is in the log; the acknowledgement may still come, for who waits for it.
  settled(cid) {
    const item = this.find(cid);
    if (!item || this.promises.has(cid)) return;
    this.remove(item);
    this.answered(item);
  }

  settleUpTo(live) {
    const shown = this.items.filter((item) => item.state === "stored" && item.seq <= live);
    if (!shown.length) return;
    this.items = this.items.filter((item) => !shown.includes(item));
    this.keep();
  }

  // What the room had and has lost, and nobody was shown yet, is sent again with the same id.
  goneBack(kept) {
    for (const item of this.items) {
      if (item.state === "stored" && item.seq > kept) item.state = "pending";
    }
    this.keep();
    this.next();
  }

  refused(refusal) {
    const item = this.find(refusal.cid);
    if (!item || item.state === "stored") return;
    const { code, retry_after: wait } = refusal;
    const waits = this.promises.get(item.cid)?.patient !== false || code !== "rate_limited";
    if (code in AGAIN_AFTER && waits) return this.later(item, wait ?? AGAIN_AFTER[code]);
    this.fail(item, Refused.of(refusal));
    this.keep();
    this.answered(item);
  }

  // The client ends; what is kept in a store stays there.
  end(error) {
    this.pause();
    for (const item of [...this.items]) this.settle(item, (waiting) => waiting.reject(error));
  }

  // ---- inside ----

  load() {
    const items = this.store.load();
    if (Array.isArray(items)) this.loaded(items);
    else items.then((late) => this.loaded(late));
  }

  loaded(items) {
    if (items.length) this.adopt(items);
  }

  put(body, given) {
    if (given !== undefined && !UUID.test(given)) throw new TypeError(`A cid is a UUID, not ${given}.`);
    const cid = given?.toLowerCase() ?? this.newId(); // as the server writes it in its answer
    const known = this.waitingAs(cid, body);
    if (known) return known;
    if (this.items.length >= this.max) {
      throw new Refused("outbox_full", "Too many messages wait to be sent.");
    }
    const item = { cid, body, at: new Date().toISOString(), state: "pending" };
    this.items.push(item);
    this.keep();
    return item;
  }

  // The same said twice is sent once; what was answered already is asked for again.
  waitingAs(cid, body) {
    const known = this.find(cid);
    if (known && known.body !== body) {
      throw new Refused("conflict", "This id was used with another text.");
    }
    if (known?.state === "pending") return known;
    this.items = this.items.filter((item) => item !== known);
    return null;
  }

  find(cid) {
    return this.items.find((item) => item.cid === cid);
  }

  waiting(cid, patient) {
    const waiting = { patient };
    waiting.promise = new Promise((resolve, reject) => Object.assign(waiting, { resolve, reject }));
    this.promises.set(cid, waiting);
    return waiting;
  }

  next() {
    if (!this.ready || this.underWay) return;
    const item = this.items.find((one) => one.state === "pending");
    if (!item || !this.wasSent(item)) return;
    this.underWay = item.cid;
    this.timer = setTimeout(() => this.resume(), ANSWER_WITHIN);
  }

  wasSent(item) {
    try {
      return this.transmit(item);
    } catch (error) {
      this.fail(item, error);
      this.keep();
      queueMicrotask(() => this.next());
      return false;
    }
  }

  later(item, seconds) {
    this.free();
    this.underWay = item.cid; // holds back those behind it
    this.timer = setTimeout(() => this.resume(), seconds * 1_000 + LATE);
  }

  fail(item, error) {
    if (this.keepsRefused) Object.assign(item, { state: "failed", code: error.code, why: error.message });
    else this.items = this.items.filter((other) => other !== item);
    this.settle(item, (waiting) => waiting.reject(error));
  }

  settle({ cid }, how) {
    const waiting = this.promises.get(cid);
    this.promises.delete(cid);
    if (waiting) how(waiting);
  }

  answered(item) {
    if (this.underWay !== item.cid) return;
    this.free();
    this.next();
  }

  free() {
    clearTimeout(this.timer);
    this.underWay = this.timer = null;
  }

  remove(item) {
    this.items = this.items.filter((other) => other !== item);
    this.keep();
  }

  keep() {
    this.store.save(this.items.filter((item) => item.state !== "stored"));
    this.changed();
  }
}

const noStore = { load: () => [], save: () => {} };
const byTime = (one, other) => (one.at < other.at ? -1 : Number(one.at > other.at));

/** crypto.randomUUID exists on https and localhost only; a LAN address over http has neither. */
export function randomId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
