// One WebSocket per tab: it comes back by itself, at random times, and at once when there is hope.
//
//   const socket = connect();
//   socket.on("hello", frame => …);      // and every other frame by its type
//   socket.on("state", state => …);      // "connecting" | "open" | "offline"
//   socket.send({type: "ping"});         // false if there is no connection to send it by
//
// It says whom the page was made for, and is nobody else's: nothing is sent before `hello`.

import { me, notMine, whenOver } from "./whose.js";

const PING_EVERY = 25_000; // ms, as often as the server's own heartbeat
const ANSWER_WITHIN = 10_000; // ms, then the connection counts as dead
const FIRST_WAIT = 500; // ms, doubled with each failure …
const LONGEST_WAIT = 30_000; // … up to this, and each wait is a random part of it
const LONGEST_NAMED = 60; // seconds that the server may ask us to stay away
const STABLE_AFTER = 10_000; // ms of connection that make the waits short again
const NOT_MINE = new Set([4001, 4003]); // nobody is signed in; somebody else is
const SOON = [500, 5_000]; // ms
const LATER = [1_000, 10_000];
const WAIT_AFTER = { 1001: SOON, 1012: SOON, 4013: LATER, 4500: LATER }; // by close code

export function waitBefore(attempt, code, random = Math.random) {
  const [low, high] = WAIT_AFTER[code] || [0, Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempt)];
  return low + random() * (high - low);
}

// The server names a time for each whom it sends away, so that a crowd does not come back at once.
export function namedWait(reason) {
  try {
    const seconds = JSON.parse(reason).retry_after;
    return seconds >= 0 && seconds <= LONGEST_NAMED ? seconds * 1_000 : null;
  } catch {
    return null; // it says something else, or nothing
  }
}

export function connect(path = "/ws/") {
  const socket = new Socket(path);
  socket.open();
  return socket;
}

class Socket {
  constructor(path) {
    this.url = new URL(path, location.href.replace(/^http/, "ws")).href;
    this.state = "connecting";
    this.listeners = new Map();
    this.attempt = 0;
    this.wire = null;
    this.timers = {};
    this.followThePage();
    whenOver(() => this.end());
  }

  on(type, listener) {
    if (!this.listeners.has(type)) this.listeners.set(type, []);
    this.listeners.get(type).push(listener);
    return this;
  }

  send(frame) {
    if (this.state !== "open") return false;
    this.wire.send(JSON.stringify(frame));
    return true;
  }

  // Is the other side still there? If it does not answer, begin anew.
  check() {
    if (!this.send({ type: "ping" })) return;
    clearTimeout(this.timers.ping);
    this.timers.pong ??= setTimeout(() => this.drop(), ANSWER_WITHIN);
  }

  // ---- inside ----

  open() {
    this.forgetTimers();
    if (this.wire || this.isOver) return;
    if (this.state !== "offline") this.become("connecting");
    const wire = new WebSocket(this.url, ["chattalk", `as.${me()}`]);
    this.wire = wire;
    this.timers.hello = setTimeout(() => this.drop(), ANSWER_WITHIN);
    wire.onmessage = (message) => wire === this.wire && this.receive(JSON.parse(message.data));
    wire.onclose = (event) => wire === this.wire && this.closed(event.code, event.reason);
  }

  receive(frame) {
    if (frame.type === "hello" && String(frame.user.id) !== me()) return this.end();
    if (frame.type === "hello") this.greeted();
    if (frame.type === "pong") this.answered();
    this.tell(frame.type, frame);
  }

  greeted() {
    clearTimeout(this.timers.hello);
    this.timers.stable = setTimeout(() => (this.attempt = 0), STABLE_AFTER);
    this.become("open");
    this.answered();
  }

  answered() {
    clearTimeout(this.timers.pong);
    clearTimeout(this.timers.ping);
    this.timers.pong = undefined;
    this.timers.ping = setTimeout(() => this.check(), PING_EVERY);
  }

  // Does not wait for the closing handshake: a dead peer would not answer that either.
  drop(again = true) {
    const wire = this.wire;
    if (!wire) return;
    this.wire = null;
    wire.close();
    this.gone(again ? waitBefore(this.attempt) : null);
  }

  closed(code, reason) {
    this.wire = null;
    if (NOT_MINE.has(code)) return void this.end();
    this.gone(namedWait(reason) ?? waitBefore(this.attempt, code));
  }

  gone(wait) {
    this.forgetTimers();
    this.become("offline");
    if (wait === null) return;
    this.attempt = Math.min(this.attempt + 1, 10);
    this.timers.again = setTimeout(() => this.open(), wait);
  }

  // This page is for somebody who is not signed in here any more.
  end() {
    this.isOver = true;
    if (this.wire) this.drop(false);
    else this.gone(null); // the server has closed it: nothing can be sent by it any more
    notMine();
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.tell("state", state);
  }

  tell(type, what) {
    for (const listener of this.listeners.get(type) || []) listener(what);
  }

  forgetTimers() {
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.timers = {};
  }

  followThePage() {
    const now = () => (this.wire ? this.check() : this.open());
    addEventListener("online", now);
    addEventListener("offline", () => this.drop());
    // A page kept for the Back button is not a person in the room.
    addEventListener("pagehide", () => this.drop(false));
    addEventListener("pageshow", (event) => event.persisted && this.open());
    document.addEventListener("visibilitychange", () => document.hidden || now());
  }
}
