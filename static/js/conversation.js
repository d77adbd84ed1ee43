// The conversation page: what comes by the wire and what the reader does, brought together.

import { watchAbout } from "./conversation/about.js";
import { Composer } from "./conversation/composer.js";
import { Connection } from "./conversation/connection.js";
import { attentive, byId } from "./conversation/dom.js";
import { Drawer } from "./conversation/drawers.js";
import { kindOf } from "./conversation/kinds.js";
import { Names } from "./conversation/names.js";
import { Outbox, tabStore } from "./conversation/outbox.js";
import { People } from "./conversation/people.js";
import { Place } from "./conversation/place.js";
import { waiting } from "./conversation/render.js";
import { Room } from "./conversation/room.js";
import { Typing } from "./conversation/typing.js";
import { Courier } from "./courier.js";
import { watchMyRooms } from "./my_rooms.js";
import { connect } from "./socket.js";
import { whenDayChanges } from "./time.js";
import { whenOver } from "./whose.js";

const ASK_AGAIN = 2_000; // ms after a subscribe that the server could not answer
const FRAMES = [
  "subscribed", "unsubscribed", "event", "ack", "nack",
  "presence", "typing", "about", "read", "seat",
];

class Conversation {
  constructor(start) {
    Object.assign(this, { id: start.room.id, me: start.me });
    this.asking = false; // a subscribe is on its way
    this.isOver = false; // the page is somebody else's now, and shows nothing of this one
    whenOver((hasSignedOut) => this.over(hasSignedOut));
    this.socket = connect();
    this.build(start);
    this.buildWriting(`chattalk:${start.room.id}:${start.me.id}`);
    this.show(start);
    this.listen();
    this.keepUnsent();
  }

  build(start) {
    const { me } = this;
    this.place = new Place({
      start,
      tell: (seq) => this.say("read", { seq }),
      paged: (event) => this.settleOwn(event),
      shown: (unread) => this.showUnread(unread),
    });
    this.scrollback = this.place.scrollback;
    this.typing = new Typing({ element: byId("typing"), tell: () => this.say("typing"), me });
    this.people = new People({ parts: peopleParts(), url: start.urls.members, me });
    this.myRooms = watchMyRooms(byId("my-rooms"), this.socket);
    const { about, moderates } = start;
    this.room = new Room({ about, moderates, me, changed: (now) => this.people.become(now) });
    this.lookAtDay = whenDayChanges(() => this.newDay());
    new Names({ socket: this.socket, room: this.id, view: this.scrollback.view });
  }

  buildWriting(tab) {
    this.connection = new Connection(byId("connection"), () => this.showOutbox());
    this.outbox = new Outbox({
      transmit: ({ cid, body }) => this.say("send", { cid, body }),
      changed: () => this.showOutbox(),
      store: tabStore(`${tab}:outbox`),
    });
    this.composer = new Composer({
      form: byId("composer"),
      text: byId("body"),
      counter: byId("counter"),
      draft: tabStore(`${tab}:draft`),
      send: (body) => this.write(body),
      typed: (text) => this.typing.wrote(text),
    });
  }

  async keepUnsent() {
    const { id } = this;
    const took = (items) => this.outbox.adopt(items);
    const unsent = await new Courier(this.socket, { room: id, took }).open();
    if (!unsent) return;
    this.outbox.keepIn(unsent.store(id, () => this.room.about.title));
    this.connection.keeps = true;
  }

  show(start) {
    this.showOutbox();
    this.place.show(start);
    addEventListener("focus", () => this.looked());
    document.addEventListener("visibilitychange", () => this.looked());
    this.drawers();
    watchAbout(byId("about"), byId("about-more"));
  }

  drawers() {
    const shade = byId("shade");
    new Drawer({ panel: byId("side-rooms"), button: document.querySelector(".talk-rooms"), shade });
    new Drawer({
      panel: byId("side-people"),
      button: document.querySelector(".talk-people"),
      shade,
      opened: () => this.people.open(),
    });
    byId("my-rooms").addEventListener("unread", (event) => {
      byId("rooms-dot").hidden = !event.detail.unread;
    });
  }

  // ---- the wire ----

  listen() {
    this.socket.on("state", (state) => {
      this.connection.become(state);
      byId("conversation").classList.toggle("is-off", state !== "open");
      if (state !== "open") this.outbox.pause();
    });
    this.socket.on("hello", () => this.subscribe());
    for (const type of FRAMES) {
      this.socket.on(type, (frame) => frame.room === this.id && this[`on_${type}`](frame));
    }
    this.socket.on("watching", ({ rooms }) => rooms.forEach((one) => this.seats(one)));
    this.socket.on("activity", (frame) => this.seats(frame));
    this.socket.on("heads", ({ rooms }) => {
      if (this.scrollback.log.isBehind(rooms[this.id] || 0)) this.subscribe();
    });
  }

  say(type, fields = {}) {
    return this.socket.send({ type, room: this.id, ...fields });
  }

  subscribe() {
    this.asking = this.say("subscribe", { after: this.scrollback.log.live });
  }

  on_subscribed(frame) {
    this.asking = false;
    this.connection.stick(false);
    if (!this.room.isMember) this.people.enter();
    this.room.enter();
    this.room.become(frame.about);
    this.place.resume(frame);
    this.place.moved();
    this.outbox.resume();
  }

  on_event(event) {
    const how = this.scrollback.log.take(event);
    if (how === "hole" && !this.asking) this.subscribe();
    if (how === "hole" || how === "repeat") return;
    this.lookAtDay();
    this.place.take(event, how === "added");
    this.outbox.settleUpTo(this.scrollback.log.live);
    this.changedBy(event);
    this.place.moved();
  }

  changedBy(event) {
    this.typing.stopped(event.from.id);
    this.room.heard(event);
    if (kindOf(event).changesPeople) this.people.refresh();
  }

  on_ack({ cid, seq }) {
    this.connection.stick(false);
    this.outbox.acknowledged(cid, seq, this.scrollback.log.live);
  }

  on_nack(refusal) {
    if (refusal.code === "not_member") this.left();
    if (refusal.code === "room_closed") this.room.closed();
    // Only what is tried again, for its answer says when it is over.
    const waits = refusal.cid || this.asking;
    if (refusal.code === "unavailable" && waits) this.connection.stick(true);
    if (refusal.cid) this.outbox.refused(refusal);
    else if (this.asking) setTimeout(() => this.subscribe(), ASK_AGAIN);
  }

  seats({ room, personnel }) {
    if (room === this.id) this.people.seats(personnel);
  }

  on_presence(frame) {
    this.people.presence(frame);
  }

  on_typing({ user }) {
    this.typing.heard(user);
  }

  on_unsubscribed({ code }) {
    if (code === "left" || code === "removed") this.left();
  }

  on_about({ about }) {
    this.room.become(about);
    this.place.showReading(); // and with it the title
  }

  // On another device.
  on_read({ seq }) {
    this.place.readElsewhere(seq);
  }

  // In another tab I took a seat again.
  on_seat({ taken }) {
    if (taken && !this.room.isMember) this.subscribe();
  }

  // ---- the reader ----

  write(body) {
    this.outbox.add(body);
    this.place.wrote();
  }

  settleOwn({ cid, from }) {
    if (cid && from.id === this.me.id) this.outbox.settled(cid);
  }

  showOutbox() {
    if (this.isOver) return;
    const how = {
      isHeld: !this.connection.isThrough,
      retry: (cid) => this.outbox.retry(cid),
      discard: (cid) => this.outbox.discard(cid),
    };
    const items = this.outbox.items.map((item) => waiting(item, this.me, how));
    this.scrollback.view.settleAfter(items);
    byId("outbox").replaceChildren(...items);
    if (this.scrollback.view.pinned) this.scrollback.view.toEnd();
  }

  looked() {
    if (attentive() && !this.room.isMember) this.subscribe(); // if I am one again, I come back
  }

  // What came while nobody looks.
  showUnread({ count, more }) {
    document.title = count ? `(${count}${more ? "+" : ""}) ${this.room.title}` : this.room.title;
    this.myRooms.here(this.id, count);
  }

  newDay() {
    if (this.isOver) return;
    this.place.newDay();
    this.people.newDay();
  }

  over(hasSignedOut) {
    this.isOver = true;
    const waits = this.outbox.items.some(({ state }) => state !== "stored");
    if (hasSignedOut || !waits || !this.connection.keeps) return "";
    return gettext("What was not sent is kept in this browser, for its author alone.");
  }

  left() {
    this.outbox.failAll("not_member", gettext("You are not a member of this room any more."));
    this.asking = false;
    this.people.leave();
    this.room.left();
  }
}

function peopleParts() {
  return {
    count: byId("here-count"),
    seats: byId("seat-count"),
    list: byId("here-list"),
    many: byId("here-many"),
    note: byId("presence-note"),
    members: byId("members"),
    nobody: byId("members-none"),
    lists: ["here-title", "here-list", "members-title", "members"].map(byId),
  };
}

new Conversation(JSON.parse(byId("start").textContent));
