// The WebSocket of one client: it comes back by itself, at random times, and at once when there is
// hope. Nothing is sent before `hello`.
//
//   socket.on("state", state => …)   // "connecting" | "open" | "offline" | "over"
//   socket.on("frame", frame => …)
//   socket.on("over", error => …)    // it does not come back

import { namedWait, waitBefore, waitNamedBy } from "./backoff.js";
import { Emitter } from "./emitter.js";
import { Closed, Ended, isPassing, Refused, SignedOut } from "./errors.js";

const PING_EVERY = 25_000; // ms of silence, as long as between two of the server's own beats
const ANSWER_WITHIN = 10_000; // ms, then the connection counts as dead
const STABLE_AFTER = 10_000; // ms of connection that make the waits short again
const ATTEMPTS_MAX = 10; // what is counted of them
const FRAME_MAX = 64 * 1024; // bytes; a longer one would end the connection
const FINAL = new Set([1009, 4003]); // coming back would end the same way
const SIGNED_OUT = 4001;
const SOMEBODY_ELSE = 4003;

export class Socket extends Emitter {
  // make(url, protocols) → a WebSocket;  as: whom this client is for, if that is known
  constructor({ url, signIn, make, as, random = Math.random }) {
    super();
    Object.assign(this, { url, signIn, make, as, random });
    this.state = "connecting";
    this.error = null; // why it is over
    this.attempt = 0;
    this.age = 0; // goes up with each wire, so that what an older one still says is dropped
    this.wire = null;
    this.hasBegun = this.isOpening = this.hasRenewed = false;
    this.timers = {};
    this.page = new AbortController();
    this.followThePage();
  }

  /** Does nothing where it is open, or on its way. */
  open() {
    if (this.wire || this.isOpening || this.error) return;
    this.hasBegun = true;
    this.forgetTimers();
    this.begin((this.age += 1));
  }

  /** Was it put on the wire? */
  send(frame) {
    if (this.state !== "open") return false;
    this.wire.send(encoded(frame));
    return true;
  }

  /** Is the other side still there? If it does not answer, begin anew. */
  check() {
    if (!this.send({ type: "ping" })) return;
    this.askedAt = Date.now();
    this.timers.answer ??= setTimeout(() => this.drop(), ANSWER_WITHIN);
  }

  /** Not because of an error, but it may come back: `open`. */
  rest() {
    this.drop(false);
  }

  end(error = new Closed()) {
    if (this.error) return;
    this.error = error;
    this.page.abort();
    this.signIn.stop();
    this.drop(false);
    this.become("over");
    this.tell("over", error);
  }

  // ---- inside ----

  async begin(age) {
    this.isOpening = true;
    try {
      const protocols = await this.signIn.protocols();
      if (age === this.age) this.listen(this.make(this.url, protocols));
    } catch (error) {
      if (age === this.age) this.failed(error);
    }
  }

  listen(wire) {
    this.isOpening = false;
    this.wire = wire;
    this.timers.hello = setTimeout(() => this.drop(), ANSWER_WITHIN);
    wire.onmessage = ({ data }) => wire === this.wire && this.receive(JSON.parse(data));
    wire.onclose = ({ code, reason }) => wire === this.wire && this.closed(code, reason);
    wire.onerror = () => {}; // its close follows, and says more
  }

  receive(frame) {
    this.heardAt = Date.now();
    if (this.timers.answer) this.answered();
    if (frame.type === "hello" && !this.greeted(frame)) return;
    this.tell("frame", frame);
  }

  greeted({ user }) {
    if (this.as !== undefined && String(this.as) !== String(user.id)) {
      this.end(new Ended(SOMEBODY_ELSE));
      return false;
    }
    clearTimeout(this.timers.hello);
    this.hasRenewed = false;
    this.timers.stable = setTimeout(() => (this.attempt = 0), STABLE_AFTER);
    this.timers.beat = setTimeout(() => this.beat(), PING_EVERY);
    this.become("open");
    return true;
  }

  // Any frame is a sign of life; who hears none asks for one.
  beat() {
    const silence = Date.now() - this.heardAt;
    if (silence >= PING_EVERY) this.check();
    this.timers.beat = setTimeout(() => this.beat(), Math.max(1_000, PING_EVERY - silence));
  }

  answered() {
    clearTimeout(this.timers.answer);
    this.timers.answer = undefined;
  }

  // Does not wait for the closing handshake: a dead peer would not answer that either.
  drop(again = true) {
    const { wire } = this;
    if (!wire && !this.isOpening && again) return;
    this.wire = null;
    wire?.close();
    this.gone(again ? waitBefore(this.attempt, undefined, this.random) : null);
  }

  closed(code, reason) {
    this.wire = null;
    if (FINAL.has(code)) return this.end(new Ended(code, reason));
    if (code === SIGNED_OUT) return void this.signedOut();
    this.gone(namedWait(reason) ?? waitBefore(this.attempt, code, this.random));
  }

  // A token may have run out on its way: once a new one is worth a try.
  async signedOut() {
    if (this.hasRenewed) return this.end(new SignedOut());
    this.gone(null);
    const age = (this.age += 1);
    this.isOpening = true;
    try {
      if (!(await this.signIn.renew())) throw new SignedOut();
      if (age !== this.age) return;
      this.hasRenewed = true;
      this.gone(waitBefore(0, undefined, this.random));
    } catch (error) {
      if (age === this.age) this.failed(error);
    }
  }

  // There is no proof to open a socket with.
  failed(error) {
    if (!isPassing(error)) return this.end(error);
    this.gone(waitNamedBy(error) ?? waitBefore(this.attempt, undefined, this.random));
  }

  gone(wait) {
    this.age += 1;
    this.isOpening = false;
    this.forgetTimers();
    this.become("offline");
    if (wait === null) return;
    this.attempt = Math.min(this.attempt + 1, ATTEMPTS_MAX);
    this.timers.again = setTimeout(() => this.open(), wait);
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.tell("state", state);
  }

  forgetTimers() {
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.timers = {};
  }

  // Where there is a window. A page kept for the Back button is not a person in the room.
  followThePage() {
    if (!globalThis.addEventListener || !globalThis.document) return;
    const once = { signal: this.page.signal };
    const now = () => (this.wire ? this.check() : this.hasBegun && this.open());
    addEventListener("online", now, once);
    addEventListener("offline", () => this.drop(), once);
    addEventListener("pagehide", () => this.rest(), once);
    addEventListener("pageshow", (event) => event.persisted && now(), once);
    document.addEventListener("visibilitychange", () => document.hidden || now(), once);
  }
}

function encoded(frame) {
  const text = JSON.stringify(frame);
  const isLong = text.length * 3 > FRAME_MAX && new TextEncoder().encode(text).length > FRAME_MAX;
  if (isLong) throw new Refused("too_long", "A frame has at most 64 KiB.");
  return text;
}
