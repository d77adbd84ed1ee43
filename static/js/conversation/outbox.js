// What I wrote and the room has not confirmed yet. One message is under way at a time, so that
// they arrive in the order they were written; each keeps its id until it is answered, so that
// sending it again can't say it twice. Where it is kept over the end of the tab: ../unsent.js.

const ANSWER_WITHIN = 10_000; // ms, then it is sent again with the same id
const AGAIN_AFTER = { unavailable: 2, too_many: 1, rate_limited: 1, not_subscribed: 1 }; // seconds

export class Outbox {
  // transmit(item) → was it put on the wire?  changed() → show it
  constructor({ transmit, changed, store = noStore, newId = randomId, clock = timers }) {
    Object.assign(this, { transmit, changed, store, newId, clock });
    this.items = store.load().map((item) => ({ ...item, state: item.state || "pending" }));
    this.ready = false; // is there a subscribed connection?
    this.underWay = null;
    this.timer = null;
  }

  add(body) {
    const item = { cid: this.newId(), body, at: new Date().toISOString(), state: "pending" };
    this.items.push(item);
    this.keep();
    this.next();
    return item;
  }

  // From here on they are kept there.
  keepIn(store) {
    this.store.save([]);
    this.store = store;
    this.keep();
  }

  // What a tab of before has left.
  adopt(items) {
    const fresh = items.filter(({ cid }) => !this.find(cid));
    this.items = [...this.items, ...fresh].sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
    this.keep();
    this.next();
  }

  // None of them can be sent any more; they stay for who wrote them.
  failAll(code, why) {
    this.pause();
    for (const item of this.items) {
      if (item.state === "pending") Object.assign(item, { state: "failed", code, why });
    }
    this.keep();
  }

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

  // The room has it as `seq`; it stays on show until that line is.
  acknowledged(cid, seq, live) {
    const item = this.find(cid);
    if (!item) return;
    Object.assign(item, { state: "stored", seq });
    this.answered(item);
    this.settleUpTo(live);
  }

  // Its line is in the log.
  settled(cid) {
    const item = this.find(cid);
    if (!item) return;
    this.remove(item);
    this.answered(item);
  }

  settleUpTo(live) {
    const shown = this.items.filter((item) => item.state === "stored" && item.seq <= live);
    if (!shown.length) return;
    this.items = this.items.filter((item) => !shown.includes(item));
    this.keep();
  }

  refused({ cid, code, detail, retry_after: wait }) {
    const item = this.find(cid);
    if (!item || item.state === "stored") return;
    if (code in AGAIN_AFTER) return this.later(item, wait ?? AGAIN_AFTER[code]);
    Object.assign(item, { state: "failed", code, why: detail });
    this.keep();
    this.answered(item);
  }

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
    if (item) this.remove(item);
  }

  // ---- inside ----

  find(cid) {
    return this.items.find((item) => item.cid === cid);
  }

  next() {
    if (!this.ready || this.underWay) return;
    const item = this.items.find((one) => one.state === "pending");
    if (!item || !this.transmit(item)) return;
    this.underWay = item.cid;
    this.timer = this.clock.set(() => this.resume(), ANSWER_WITHIN);
  }

  later(item, seconds) {
    this.free();
    this.underWay = item.cid; // holds back those behind it
    this.timer = this.clock.set(() => this.resume(), seconds * 1000 + 50);
  }

  answered(item) {
    if (this.underWay !== item.cid) return;
    this.free();
    this.next();
  }

  free() {
    this.clock.clear(this.timer);
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
const timers = { set: (task, ms) => setTimeout(task, ms), clear: (timer) => clearTimeout(timer) };

// What a tab remembers over a reload. Without storage (private mode, full) it forgets, no more.
export function tabStore(key) {
  return {
    load() {
      try {
        return JSON.parse(sessionStorage.getItem(key)) || [];
      } catch (error) {
        console.warn("This tab's storage can't be read:", error.message);
        return [];
      }
    },
    save(items) {
      try {
        if (items.length) sessionStorage.setItem(key, JSON.stringify(items));
        else sessionStorage.removeItem(key);
      } catch (error) {
        console.warn("This tab's storage can't be written:", error.message);
      }
    },
  };
}

// crypto.randomUUID exists on https and localhost only; a LAN address over http has neither.
export function randomId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
