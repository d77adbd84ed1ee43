// The conversation page: what comes by the wire and what the reader does, brought together.

import { ChatTalkError } from "../client/chattalk.js";
import { watchAbout } from "./conversation/about.js";
import { Composer } from "./conversation/composer.js";
import { Connection } from "./conversation/connection.js";
import { attentive, byId } from "./conversation/dom.js";
import { Drawer } from "./conversation/drawers.js";
import { kindOf } from "./conversation/kinds.js";
import { Names } from "./conversation/names.js";
import { People } from "./conversation/people.js";
import { Place } from "./conversation/place.js";
import { waiting } from "./conversation/render.js";
import { Room } from "./conversation/room.js";
import { Typing } from "./conversation/typing.js";
import { chatOfPage } from "./chat.js";
import { Courier } from "./courier.js";
import { watchMyRooms } from "./my_rooms.js";
import { tabStore } from "./tab_store.js";
import { whenDayChanges } from "./time.js";
import { whenOver } from "./whose.js";

const LEFT = new Set(["left", "removed", "not_member"]); // how the client's hold on the room ends
const TOLD = [
  "subscribed", "lost", "ended", "event", "ack", "nack", "outbox",
  "presence", "typing", "about", "read", "seat",
];

class Conversation {
  constructor(start) {
    Object.assign(this, { id: start.room.id, me: start.me });
    this.isOver = false; // the page is somebody else's now, and shows nothing of this one
    this.tab = `chattalk:${this.id}:${this.me.id}`;
    whenOver((hasSignedOut) => this.over(hasSignedOut));
    const store = (id) => (id === this.id ? tabStore(`${this.tab}:outbox`) : undefined);
    this.chat = chatOfPage({ store });
    this.wire = this.chat.room(this.id); // the room as the client hears it
    this.outbox = this.wire.outbox;
    this.build(start);
    this.buildWriting();
    this.show(start);
    this.listen();
    this.enter();
    this.keepUnsent();
  }

  build(start) {
    const { me } = this;
    this.place = new Place({
      start,
      wire: this.wire,
      paged: (event) => this.settleOwn(event),
      shown: (unread) => this.showUnread(unread),
    });
    this.scrollback = this.place.scrollback;
    this.typing = new Typing({ element: byId("typing"), me });
    this.people = new People({ parts: peopleParts(), url: start.urls.members, me });
    this.myRooms = watchMyRooms(byId("my-rooms"), this.chat);
    const { about, moderates } = start;
    this.room = new Room({ about, moderates, me, changed: (now) => this.people.become(now) });
    this.lookAtDay = whenDayChanges(() => this.newDay());
    new Names({ wire: this.wire, view: this.scrollback.view });
  }

  buildWriting() {
    this.connection = new Connection(byId("connection"), () => this.showOutbox());
    this.composer = new Composer({
      form: byId("composer"),
      text: byId("body"),
      counter: byId("counter"),
      draft: tabStore(`${this.tab}:draft`),
      send: (body) => this.write(body),
      typed: (text) => this.wire.typing(Boolean(text.trim())),
    });
  }

  async keepUnsent() {
    const { id } = this;
    const unsent = await new Courier(this.chat, { room: id }).open();
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
    this.chat.on("state", (state) => {
      this.connection.become(state);
      byId("conversation").classList.toggle("is-off", state !== "open");
    });
    this.chat.on("hello", () => this.comeBack());
    for (const type of TOLD) this.wire.on(type, (what) => this[`on_${type}`](what));
    this.chat.on("watching", ({ rooms }) => rooms.forEach((one) => this.seats(one)));
    this.chat.on("activity", (frame) => this.seats(frame));
  }

  // What becomes of it is told as `subscribed` or `ended`. What is too much to be brought line by line
  // comes as pages, as far as the reader goes.
  enter() {
    const { live } = this.scrollback.log;
    this.wire.enter({ after: live, whole: false }).catch((error) => {
      if (!(error instanceof ChatTalkError)) throw error;
    });
  }

  // If I am a member again. A refusal that came late may have said otherwise while the client is in.
  comeBack() {
    if (this.room.isMember) return;
    this.wire.exit();
    this.enter();
  }

  on_subscribed(frame) {
    this.connection.stick(false);
    if (!this.room.isMember) this.people.enter();
    this.room.enter();
    this.room.become(frame.about);
    this.place.resume(frame);
    this.place.moved();
  }

  // What is shown after that line is not in the room any more; `subscribed` follows.
  on_lost({ after }) {
    this.place.goBack(after);
  }

  on_ended({ how }) {
    if (LEFT.has(how)) this.left();
  }

  on_event(event) {
    const how = this.scrollback.log.take(event);
    if (how === "repeat") return;
    this.lookAtDay();
    this.place.take(event, how === "added");
    this.changedBy(event);
    this.place.moved();
  }

  changedBy(event) {
    this.typing.stopped(event.from.id);
    this.room.heard(event);
    if (kindOf(event).changesPeople) this.people.refresh();
  }

  on_ack() {
    this.connection.stick(false);
  }

  on_nack({ code, cid, ref }) {
    if (code === "not_member") this.left();
    if (code === "room_closed") this.room.closed();
    // Only of what is tried again (a message, a subscribe): its answer says when it is over.
    if (code === "unavailable" && (cid || ref)) this.connection.stick(true);
  }

  on_outbox() {
    this.showOutbox();
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
    if (taken) this.comeBack();
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
    if (attentive()) this.comeBack();
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
