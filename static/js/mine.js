// "My rooms" moves by itself: badges, member counts and the order, by the socket's `watch`.
//
//   const mine = watchMine(element, socket);
//   mine.read(roomId);   // what stands in that room has been read: no badge
//   mine.refresh();      // ask the server for the whole list again
//
// `element` holds (or is) the <nav data-mine> of templates/rooms/_mine.html.

import { showTimes } from "./time.js";
import { ask } from "./whose.js";

const SHOWN_MAX = 99; // above it, "99+"
const WATCHED_MAX = 100; // rooms; the wire allows no more

export function watchMine(element, socket) {
  const list = element.matches("[data-mine]") ? element : element.querySelector("[data-mine]");
  const mine = new Mine(list, socket);
  socket.on("hello", (frame) => mine.greeted(frame));
  socket.on("watching", (frame) => mine.compare(frame.rooms));
  socket.on("activity", (frame) => mine.moved(frame));
  document.addEventListener("visibilitychange", () => document.hidden || mine.refresh());
  return mine;
}

class Mine {
  constructor(list, socket) {
    this.list = list;
    this.socket = socket;
    this.me = null;
    this.fetching = false;
    this.stale = false;
  }

  rows() {
    return [...this.list.querySelectorAll("[data-room]")];
  }

  row(room) {
    return this.list.querySelector(`[data-room="${CSS.escape(room)}"]`);
  }

  greeted(frame) {
    this.me = String(frame.user.id);
    this.watch();
  }

  watch() {
    const rooms = this.rows().map((row) => Number(row.dataset.room));
    this.socket.send({ type: "watch", rooms: rooms.slice(0, WATCHED_MAX) });
  }

  // The page was rendered before the socket was open: did something happen in between?
  compare(rooms) {
    if (rooms.some(({ room, head }) => Number(this.row(room)?.dataset.head) !== head)) this.refresh();
    for (const { room, personnel } of rooms) this.showPersonnel(this.row(room), personnel);
  }

  moved({ room, head, personnel, messages }) {
    const row = this.row(room);
    if (!row) return void this.refresh();
    if (head <= Number(row.dataset.head)) return;
    row.dataset.head = head;
    this.showPersonnel(row, personnel);
    this.showUnread(row, this.unread(row) + this.fromOthers(messages, row));
    this.stamp(row);
    this.moveUp(row);
  }

  fromOthers(messages = {}, row) {
    // The open conversation counts for itself, by its read position.
    if (row.querySelector("[aria-current]") && !document.hidden) return 0;
    return Object.entries(messages)
      .filter(([user]) => user !== this.me)
      .reduce((sum, [, count]) => sum + count, 0);
  }

  read(room) {
    const row = this.row(room);
    if (row) this.showUnread(row, 0);
  }

  // Nothing waits where somebody looks, however far they have scrolled.
  readCurrent() {
    const current = this.list.querySelector("[data-room]:has([aria-current])");
    if (current && !document.hidden) this.showUnread(current, 0);
  }

  unread(row) {
    return Number(row.querySelector("[data-unread]").dataset.unread);
  }

  showUnread(row, count) {
    const badge = row.querySelector("[data-unread]");
    if (Number(badge.dataset.unread) === count) return;
    badge.dataset.unread = count;
    badge.textContent = count > SHOWN_MAX ? `${SHOWN_MAX}+` : count || "";
    row.querySelector("[data-unread-label]").textContent = count ? gettext("unread") : "";
    this.tell();
  }

  showPersonnel(row, personnel) {
    const place = row?.querySelector("[data-personnel]");
    const text = personnel.toLocaleString(document.documentElement.lang);
    if (place && place.textContent !== text) place.textContent = text;
  }

  stamp(row) {
    const time = row.querySelector("time");
    time.dateTime = new Date().toISOString();
    time.title = "";
    showTimes(row);
  }

  // Not under the hands of somebody who is just choosing.
  moveUp(row) {
    if (this.list.matches(":hover, :focus-within")) return;
    row.parentElement.prepend(row);
  }

  // For a page that shows elsewhere that something waits (a dot, the title).
  tell() {
    const unread = this.rows().reduce((sum, row) => sum + this.unread(row), 0);
    this.list.dispatchEvent(new CustomEvent("unread", { bubbles: true, detail: { unread } }));
  }

  // One request at a time; what was asked for meanwhile is one more.
  async refresh() {
    if (this.fetching) return void (this.stale = true);
    this.fetching = true;
    try {
      const answer = await ask(this.list.dataset.src, "text/html");
      if (answer.ok && !answer.redirected) this.swap(await answer.text());
    } catch {
      // offline: the next `hello` compares again
    } finally {
      this.fetching = false;
      if (this.stale) {
        this.stale = false;
        this.refresh();
      }
    }
  }

  swap(html) {
    const known = this.rows().map((row) => row.dataset.room).sort().join();
    const focused = document.activeElement?.closest?.("[data-room]")?.dataset.room;
    const fresh = new DOMParser().parseFromString(html, "text/html");
    this.list.replaceChildren(...fresh.body.childNodes);
    showTimes(this.list);
    this.readCurrent();
    if (focused && !this.list.contains(document.activeElement)) this.row(focused)?.querySelector("a").focus();
    if (known !== this.rows().map((row) => row.dataset.room).sort().join()) this.watch();
    this.tell();
  }
}
