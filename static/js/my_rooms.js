// "My rooms" moves by itself: badges, member counts, titles and the order, by the socket.
//
//   const myRooms = watchMyRooms(element, chat);
//   myRooms.here(roomId, count);   // the page itself shows that room, and knows its unread
//   myRooms.refresh();             // ask the server for the whole list again
//
// `element` holds (or is) the <nav data-mine> of templates/rooms/_mine.html. What else in it shows one
// of my rooms, as the lobby's list of all does, is kept in step.

import { showTimes } from "./time.js";
import { Unread } from "./unread.js";
import { insist } from "./whose.js";

const SHOWN_MAX = 99; // above it, "99+"
const WATCHED_MAX = 200; // rooms; the wire allows no more
const REFRESHED_EVERY = 3_000; // ms, at most
const LOOKED_AT_EVERY = 15_000; // ms, where there are more rooms than are watched

export function watchMyRooms(element, chat) {
  const list = element.matches("[data-mine]") ? element : element.querySelector("[data-mine]");
  const myRooms = new MyRooms(element, list, chat);
  chat.on("hello", () => myRooms.greeted());
  chat.on("watching", (frame) => myRooms.compare(frame.rooms));
  for (const type of ["activity", "read"]) chat.on(type, (frame) => myRooms.take(frame));
  chat.on("about", (frame) => myRooms.showAbout(frame));
  chat.on("seat", (frame) => myRooms.seat(frame));
  document.addEventListener("visibilitychange", () => document.hidden || myRooms.refresh());
  setInterval(() => document.hidden || myRooms.lookForMore(), LOOKED_AT_EVERY);
  myRooms.watch();
  return myRooms;
}

class MyRooms {
  constructor(page, list, chat) {
    this.page = page;
    this.list = list;
    this.chat = chat;
    this.wasGreeted = false;
    this.unread = new Map(); // room → Unread
    this.shown = {}; // the room of this page, and how much of it is unread
    this.fetching = false;
    this.meanwhile = []; // what was told while the list was fetched
    this.timer = null;
    this.begin();
  }

  rows() {
    return [...this.list.querySelectorAll("[data-room]")];
  }

  row(room) {
    return this.list.querySelector(`[data-room="${CSS.escape(room)}"]`);
  }

  // Wherever the page shows that room.
  places(room) {
    return this.page.querySelectorAll(`[data-room="${CSS.escape(room)}"]`);
  }

  // What the list says that has just come.
  begin() {
    this.unread.clear();
    for (const row of this.rows()) {
      const { room, head } = row.dataset;
      const { unread } = row.querySelector("[data-unread]").dataset;
      this.unread.set(Number(room), new Unread({ head: Number(head), count: Number(unread) }));
    }
  }

  greeted() {
    if (this.wasGreeted) this.refresh(); // what I read elsewhere meanwhile was not told
    this.wasGreeted = true;
  }

  watch() {
    const rooms = this.rows().map((row) => Number(row.dataset.room));
    this.chat.watch(rooms.slice(0, WATCHED_MAX));
  }

  // The page was rendered before the socket was open: did something happen in between?
  compare(rooms) {
    if (rooms.some(({ room, head }) => this.unread.get(room)?.head !== head)) this.refresh();
    for (const { room, personnel } of rooms) this.showPersonnel(room, personnel);
  }

  take(frame) {
    if (this.fetching) this.meanwhile.push(frame);
    if (frame.type === "activity") this.moved(frame);
    else this.unread.get(frame.room)?.read(frame.seq);
    this.showUnread(frame.room);
  }

  moved({ room, after, head, personnel, messages }) {
    const row = this.row(room);
    if (!row) return void this.refresh();
    const unread = this.unread.get(room);
    if (head <= unread.head) return;
    unread.heard({ after, head, count: this.ofOthers(messages) });
    row.dataset.head = head;
    this.showPersonnel(room, personnel);
    this.stamp(room, Object.keys(messages).length > 0);
    this.moveUp(row);
  }

  ofOthers(messages) {
    const me = String(this.chat.me.id);
    return Object.entries(messages)
      .filter(([user]) => user !== me)
      .reduce((sum, [, count]) => sum + count, 0);
  }

  here(room, count) {
    this.shown = { room, count };
    this.showUnread(room);
  }

  showUnread(room) {
    const row = this.row(room);
    if (!row) return;
    const count = room === this.shown.room ? this.shown.count : this.unread.get(room).count;
    if (count === null) this.refresh();
    else this.showBadge(row, count);
  }

  showBadge(row, count) {
    const badge = row.querySelector("[data-unread]");
    if (Number(badge.dataset.unread) === count) return;
    badge.dataset.unread = count;
    badge.textContent = count > SHOWN_MAX ? `${SHOWN_MAX}+` : count || "";
    row.querySelector("[data-unread-label]").textContent = count ? gettext("unread") : "";
    this.tell();
  }

  // I came in or left, by whichever door: the list has another room, or one less.
  seat({ room, taken }) {
    if (taken !== Boolean(this.row(room))) this.refresh();
  }

  showAbout({ room, about: { title, closed, personnel } }) {
    for (const place of this.places(room)) {
      place.querySelector(".title").textContent = title;
      place.querySelector(".avatar").textContent = [...title.trim()][0] ?? "?";
      for (const part of place.querySelectorAll("[data-state]")) {
        part.hidden = closed !== (part.dataset.state === "closed");
      }
    }
    this.showPersonnel(room, personnel);
  }

  showPersonnel(room, personnel) {
    const text = personnel.toLocaleString(document.documentElement.lang);
    for (const place of this.places(room)) {
      const number = place.querySelector("[data-personnel]");
      if (number.textContent !== text) number.textContent = text;
      const meter = place.querySelector("meter");
      if (meter) meter.value = personnel;
    }
  }

  // Something happened. Where a place tells of the last message, it is only that.
  stamp(room, isSaid) {
    for (const place of this.places(room)) {
      const time = place.querySelector("time");
      const said = time.closest("[data-said]");
      if (said && !isSaid) continue;
      if (said) said.hidden = false;
      time.dateTime = new Date().toISOString();
      time.title = "";
      showTimes(place);
    }
  }

  // Not under the hands of somebody who is just choosing.
  moveUp(row) {
    if (this.list.matches(":hover, :focus-within")) return;
    row.parentElement.prepend(row);
  }

  // For a page that shows elsewhere that something waits (a dot, the title).
  tell() {
    const badges = [...this.list.querySelectorAll("[data-unread]")];
    const unread = badges.reduce((sum, badge) => sum + Number(badge.dataset.unread), 0);
    this.list.dispatchEvent(new CustomEvent("unread", { bubbles: true, detail: { unread } }));
  }

  // There are more rooms than are listed and watched: one of them may have become the liveliest.
  lookForMore() {
    if (this.list.querySelector("[data-more]")) this.refresh();
  }

  // One request at a time, and not too many; what is asked for meanwhile is one more.
  refresh() {
    if (document.hidden) return; // whoever comes back asks
    this.timer ??= setTimeout(() => this.fetch(), this.wait());
  }

  wait() {
    return Math.max(0, (this.last ?? -Infinity) + REFRESHED_EVERY - performance.now());
  }

  async fetch() {
    this.timer = null;
    if (this.fetching) return void this.refresh();
    Object.assign(this, { fetching: true, meanwhile: [], last: performance.now() });
    try {
      const answer = await insist(this.list.dataset.src, "text/html");
      if (answer.ok && !answer.redirected) this.swap(await answer.text());
    } catch {
      // offline: the next `hello` asks again
    } finally {
      this.fetching = false;
    }
  }

  swap(html) {
    const known = this.rows().map((row) => row.dataset.room).sort().join();
    const focused = document.activeElement?.closest?.("[data-room]")?.dataset.room;
    const fresh = new DOMParser().parseFromString(html, "text/html");
    this.list.replaceChildren(...fresh.body.childNodes);
    showTimes(this.list);
    this.begin();
    this.fetching = false;
    for (const frame of this.meanwhile) this.take(frame);
    if (this.shown.room) this.showUnread(this.shown.room);
    if (focused && !this.list.contains(document.activeElement)) this.row(focused)?.querySelector("a").focus();
    if (known !== this.rows().map((row) => row.dataset.room).sort().join()) this.watch();
    this.tell();
  }
}
