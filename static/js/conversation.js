// The conversation page: what comes by the wire and what the reader does, brought together.

import { Composer } from "./conversation/composer.js";
import { Connection } from "./conversation/connection.js";
import { attentive, byId } from "./conversation/dom.js";
import { Drawer } from "./conversation/drawers.js";
import { Missed } from "./conversation/missed.js";
import { Outbox, tabStore } from "./conversation/outbox.js";
import { People } from "./conversation/people.js";
import { ReadPosition } from "./conversation/read.js";
import { Reader } from "./conversation/reader.js";
import { waiting } from "./conversation/render.js";
import { Typing } from "./conversation/typing.js";
import { counted } from "./conversation/words.js";
import { watchMine } from "./mine.js";
import { connect } from "./socket.js";
import { whenOver } from "./whose.js";

const ASK_AGAIN = 2_000; // ms after a subscribe that the server could not answer
const FRAMES = ["subscribed", "event", "ack", "nack", "presence", "typing", "unsubscribed"];

class Conversation {
  constructor(start) {
    Object.assign(this, { room: start.room.id, me: start.me, title: document.title });
    this.below = 0; // messages that came where the reader does not look
    this.unseen = 0; // messages that came while nobody looked at the page
    this.asking = false; // a subscribe is on its way
    this.isOver = false; // the page is somebody else's now, and shows nothing of this one
    whenOver(() => (this.isOver = true));
    this.socket = connect();
    this.build(start);
    this.buildWriting(`chattalk:${start.room.id}:${start.me.id}`);
    this.show(start);
    this.listen();
  }

  build(start) {
    const { me } = this;
    this.reader = new Reader({
      start,
      moved: () => this.moved(),
      confirmed: (event) => this.settleOwn(event),
    });
    this.typing = new Typing({ element: byId("typing"), tell: () => this.say("typing"), me });
    this.read = new ReadPosition({
      read: start.read,
      seen: () => this.reader.seen,
      tell: (seq) => this.say("read", { seq }),
    });
    const { owner } = start.room;
    this.people = new People({ parts: peopleParts(), url: start.urls.members, owner, me });
    this.missed = new Missed({
      ...start.missed,
      view: this.reader.view,
      go: (seq) => this.reader.goTo(seq),
    });
    this.mine = watchMine(byId("my-rooms"), this.socket);
  }

  buildWriting(tab) {
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

  show(start) {
    this.showOutbox();
    this.missed.show();
    byId("latest").addEventListener("click", () => this.reader.toLatest());
    addEventListener("focus", () => this.looked());
    document.addEventListener("visibilitychange", () => this.looked());
    this.drawers();
    this.reader.watchEdges();
    this.moved();
    if (start.room.closed) this.closed();
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
    this.connection = new Connection(byId("connection"));
    this.socket.on("state", (state) => {
      this.connection.become(state);
      byId("conversation").classList.toggle("is-off", state !== "open");
      if (state !== "open") this.outbox.pause();
    });
    this.socket.on("hello", () => this.subscribe());
    for (const type of FRAMES) {
      this.socket.on(type, (frame) => frame.room === this.room && this[`on_${type}`](frame));
    }
    this.socket.on("watching", ({ rooms }) => rooms.forEach((one) => this.seats(one)));
    this.socket.on("activity", (frame) => this.seats(frame));
    this.socket.on("heads", ({ rooms }) => {
      if (this.reader.log.isBehind(rooms[this.room] || 0)) this.subscribe();
    });
  }

  say(type, fields = {}) {
    return this.socket.send({ type, room: this.room, ...fields });
  }

  subscribe() {
    this.asking = this.say("subscribe", { after: this.reader.log.live });
  }

  on_subscribed({ head, read, recovered }) {
    this.asking = false;
    this.connection.stick(false);
    if (!recovered) this.reader.skipTo(head);
    this.read.resume(read);
    this.outbox.resume();
  }

  on_event(event) {
    const how = this.reader.log.take(event);
    if (how === "hole" && !this.asking) this.subscribe();
    if (how === "hole" || how === "repeat") return;
    const news = event.kind === "message" && event.from.id !== this.me.id;
    if (news) this.noticed(how === "added");
    else this.settleOwn(event);
    if (how === "added") this.reader.add(event);
    if (news && this.isFirstNew()) this.reader.view.markNew(event.seq);
    this.outbox.settleUpTo(this.reader.log.live);
    this.changedBy(event);
    this.moved();
  }

  // A message of somebody else.
  noticed(shown) {
    if (!shown || !this.reader.view.pinned) this.below += 1;
    if (!attentive()) this.unseen += 1;
    this.showTitle();
  }

  // The line marks where the reader stopped: looking away, or scrolled up with nothing missed.
  isFirstNew() {
    return this.unseen === 1 || (this.below === 1 && this.missed.isDone);
  }

  changedBy({ kind, from }) {
    this.typing.stopped(from.id);
    if (kind === "enter" || kind === "leave") this.people.refresh();
    if (kind === "close") this.closed();
    if (kind === "open") this.opened();
    if (kind === "owner") this.people.refresh();
  }

  on_ack({ cid, seq }) {
    this.connection.stick(false);
    this.outbox.acknowledged(cid, seq, this.reader.log.live);
  }

  on_nack(refusal) {
    if (refusal.code === "not_member") this.left();
    if (refusal.code === "room_closed") this.closed();
    // Only what is tried again, for its answer says when it is over.
    const waits = refusal.cid || this.asking;
    if (refusal.code === "unavailable" && waits) this.connection.stick(true);
    if (refusal.cid) this.outbox.refused(refusal);
    else if (this.asking) setTimeout(() => this.subscribe(), ASK_AGAIN);
  }

  seats({ room, personnel }) {
    if (room === this.room) this.people.seats(personnel);
  }

  on_presence(frame) {
    this.people.presence(frame);
  }

  on_typing({ user }) {
    this.typing.heard(user);
  }

  on_unsubscribed({ code }) {
    if (code === "left" || code === "removed") this.left();
    if (code === "closed") this.closed();
  }

  // ---- the reader ----

  write(body) {
    this.outbox.add(body);
    this.missed.wrote();
    this.reader.toLatest();
  }

  settleOwn({ cid, from }) {
    if (cid && from.id === this.me.id) this.outbox.settled(cid);
  }

  showOutbox() {
    if (this.isOver) return;
    const act = {
      retry: (cid) => this.outbox.retry(cid),
      discard: (cid) => this.outbox.discard(cid),
    };
    const items = this.outbox.items.map((item) => waiting(item, this.me, act));
    this.reader.view.settleAfter(items);
    byId("outbox").replaceChildren(...items);
    if (this.reader.view.pinned) this.reader.view.toEnd();
  }

  moved() {
    if (this.isOver) return;
    const { atEnd, log } = this.reader;
    if (atEnd) this.below = 0;
    byId("outbox").hidden = !log.attached;
    byId("latest").hidden = atEnd;
    byId("latest").classList.toggle("has-news", this.below > 0);
    byId("latest-text").textContent = this.below
      ? counted(ngettext("%(count)s new message", "%(count)s new messages", this.below), this.below)
      : gettext("Latest messages");
    this.missed.moved();
    this.read.look();
    if (attentive()) this.mine.read(this.room);
  }

  looked() {
    if (!attentive()) return;
    this.unseen = 0;
    this.showTitle();
    this.moved();
  }

  showTitle() {
    document.title = this.unseen ? `(${this.unseen}) ${this.title}` : this.title;
  }

  closed() {
    byId("composer").hidden = true;
    byId("closed").hidden = false;
  }

  opened() {
    byId("composer").hidden = false;
    byId("closed").hidden = true;
  }

  left() {
    byId("closed-text").textContent = gettext("You are not a member of this room any more.");
    this.asking = false;
    this.closed();
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
  };
}

new Conversation(JSON.parse(byId("start").textContent));
