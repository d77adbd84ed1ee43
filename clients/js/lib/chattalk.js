// The client of ChatTalk, for pages and Node: rooms, what is said in them, each line once and in
// order over every break. Frames are those of docs/wire.md, as they came.
//
//   const chat = new ChatTalk("https://chat.example.org", { email, password });
//   const room = await chat.enter(7);
//   for await (const event of room.events()) …
//   await room.send("hello");

import { Emitter } from "./emitter.js";
import { Rest } from "./rest.js";
import { Room } from "./room.js";
import { SessionSignIn, TokenSignIn } from "./sign_in.js";
import { Socket } from "./socket.js";

export { namedWait, waitBefore } from "./backoff.js";
export { Emitter } from "./emitter.js";
export { ChatTalkError, Closed, Ended, Refused, SignedOut, Unreachable } from "./errors.js";
export { Outbox, randomId } from "./outbox.js";
export { Room } from "./room.js";

export class ChatTalk extends Emitter {
  /** `options`: see README.md. Nothing is sent until something is asked for. */
  constructor(url = globalThis.location?.origin, options = {}) {
    super();
    this.url = new URL(url).href;
    const { session = false, as, fetch, random } = options;
    this.api = new Rest({ url, fetch, credentials: session ? "same-origin" : "omit" });
    this.api.signIn = session ? new SessionSignIn(options) : new TokenSignIn(this.api, options);
    const socket = { url: new URL("/ws/", url).href.replace(/^http/, "ws"), as, random };
    this.socket = new Socket({ ...socket, signIn: this.api.signIn, make: maker(options) });
    this.options = options;
    this.me = null; // { id, name }, from the first hello on
    this.held = new Map(); // id → Room
    this.watched = null;
    this.waiting = [];
    this.socket.on("frame", (frame) => this.hear(frame));
    this.socket.on("state", (state) => this.become(state));
    this.socket.on("over", (error) => this.over(error));
  }

  /** A new account; answers it. Sign in with the same e-mail and password afterwards. */
  static signUp(url, { email, password, displayName, language, fetch }) {
    const account = { email, password, display_name: displayName, language };
    return new Rest({ url, fetch }).plainly("POST", "accounts/", account);
  }

  /** "connecting" | "open" | "offline" | "over" */
  get state() {
    return this.socket.state;
  }

  /** Why it is over: SignedOut, Ended, Closed, or what the server refused; null while it is not. */
  get error() {
    return this.socket.error;
  }

  /** Resolves with `me` once there is a connection. */
  connect() {
    if (this.error) return Promise.reject(this.error);
    if (this.state === "open") return Promise.resolve(this.me);
    this.socket.open();
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** For good. What was not sent is refused with Closed. */
  close() {
    this.socket.end();
  }

  /** Ends the sign-in by tokens, on this device. */
  async signOut() {
    await this.call("POST", "tokens/revoke/", {});
    this.close();
  }

  /** Is the connection still alive? For a page that was looked away from. */
  check() {
    if (this.state === "open") this.socket.check();
    else this.socket.open();
  }

  // ---- rooms ----

  /** The room as this client knows it, subscribed to or not. */
  room(id) {
    if (!Number.isSafeInteger(id) || id < 1) throw new TypeError(`A room is a number, not ${id}.`);
    if (!this.held.has(id)) this.held.set(id, this.made(id));
    return this.held.get(id);
  }

  /** Subscribes; raises Refused("not_member") without a seat. */
  enter(id, from) {
    return this.room(id).enter(from);
  }

  /** Cards of rooms: { mine, q, state }. */
  rooms({ mine, q, state } = {}) {
    return this.pages("rooms/", { mine, q, state });
  }

  /** Opens a room and takes its first seat; answers its card. */
  open(title, { description, capacity, seatOwner } = {}) {
    const room = { title, description, capacity, seat_owner: seatOwner };
    return this.call("POST", "rooms/", room);
  }

  /** Takes a seat; harmless where I have one. */
  join(id) {
    return this.call("PUT", `rooms/${id}/membership/`);
  }

  leave(id) {
    return this.call("DELETE", `rooms/${id}/membership/`);
  }

  /** Of these rooms `watching` and `activity` tell; it replaces the earlier list. */
  watch(ids) {
    this.watched = [...ids];
    this.socket.open();
    this.socket.send({ type: "watch", rooms: this.watched });
  }

  // ---- the rest of the API ----

  /** Anything of docs/openapi.yaml, below /api/v1/; answers its JSON. */
  call(method, path, body) {
    return this.api.call(method, path, body);
  }

  /** All `results` of a list, page after page. */
  async *pages(path, query = {}) {
    const asked = Object.entries(query).filter(([, value]) => value !== undefined);
    for (let next = `${path}?${new URLSearchParams(asked)}`; next; ) {
      const page = await this.call("GET", next);
      yield* page.results;
      next = page.next;
    }
  }

  // ---- inside ----

  made(id) {
    const { store, keepsRefused, outboxMax: max } = this.options;
    const room = new Room(this, id, { store: store?.(id), keepsRefused, max });
    if (this.state === "open") room.connected();
    return room;
  }

  hear(frame) {
    this.tell("frame", frame);
    if (frame.type === "event") return this.held.get(frame.room)?.log.take(frame);
    if (frame.type === "hello") this.greeted(frame);
    if (frame.type === "heads") this.compare(frame.rooms);
    this.of(frame)?.hear(frame);
    this.tell(frame.type, frame);
  }

  // A frame that could not be read is refused by its names alone.
  of({ room, cid, ref }) {
    if (room !== undefined) return this.held.get(room);
    const rooms = [...this.held.values()];
    return rooms.find(({ log, outbox }) => (cid && outbox.find(cid)) || (ref && log.asking === ref));
  }

  greeted({ user }) {
    this.me = user;
    if (this.watched) this.socket.send({ type: "watch", rooms: this.watched });
    for (const room of this.held.values()) room.connected();
    for (const { resolve } of this.waiting.splice(0)) resolve(user);
  }

  compare(heads) {
    for (const [id, head] of Object.entries(heads)) this.held.get(Number(id))?.log.heard(head);
  }

  become(state) {
    if (state !== "open") for (const room of this.held.values()) room.disconnected();
    this.tell("state", state);
  }

  over(error) {
    for (const room of this.held.values()) room.over(error);
    for (const { reject } of this.waiting.splice(0)) reject(error);
    this.tell("over", error);
  }
}

function maker({ WebSocket = globalThis.WebSocket, socket }) {
  if (socket) return socket;
  return (url, protocols) => {
    if (WebSocket) return new WebSocket(url, protocols);
    throw new TypeError("There is no WebSocket here: Node has one from 22 on, else give one.");
  };
}
