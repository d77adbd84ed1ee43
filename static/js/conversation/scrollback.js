// The way through the log: which stretch of it is held and shown, pages up and down, jumps.

import { byId } from "./dom.js";
import { History } from "./history.js";
import { Log } from "./log.js";
import { View } from "./view.js";

const NEAR_EDGE = "800px 0px"; // of what is held; then the next page is fetched
const CONTEXT = 8; // lines above the one that was jumped to

export class Scrollback {
  // moved() after anything that changes what is on the screen; paged(events, from, to) for lines
  // that came as a page: all that there are from one seq to the other.
  // passed() when somebody goes to the end at once.
  constructor({ start, moved, paged, passed, unread, fresh }) {
    Object.assign(this, { moved, paged, passed });
    this.log = new Log(start);
    this.hasOlder = start.older;
    const places = { scroller: byId("scroller"), list: byId("log") };
    this.view = new View({ ...places, me: start.me, moved, unread, fresh });
    this.history = new History({
      url: start.urls.history,
      loaded: (direction, page) => this.loaded(direction, page),
      wanted: (direction) => this.want(direction),
    });
    this.view.reset(this.log.events);
  }

  get atEnd() {
    return this.view.isAtEnd() && this.log.attached;
  }

  // A line from the wire that belongs to the end of what is shown.
  add(event) {
    this.view.append([event], { live: true });
    this.trim();
  }

  // What is shown after that line is not the room's any more: all is fetched anew.
  goBack(kept) {
    this.history.begin();
    this.log.reset([], kept);
    this.view.reset([]);
  }

  // More was missed than the wire tells line by line; the rest comes as pages.
  skipTo(head) {
    this.log.live = head;
    this.watchEdges();
  }

  async toLatest() {
    if (!this.log.attached || !this.log.events.length) await this.turnTo({});
    if (this.log.attached) this.passed();
    this.view.toEnd();
    this.moved();
  }

  async goTo(seq) {
    if (!this.view.find(seq)) await this.turnTo({ after: Math.max(0, seq - 1 - CONTEXT) });
    this.moved(); // the line stands where it belongs
    this.view.toNew();
    this.moved();
  }

  // What is older than this is not kept any more, and is not shown any longer.
  forgetBefore(first) {
    const gone = this.log.events.filter(({ seq }) => seq < first).length;
    if (gone) this.view.drop({ oldest: gone });
    this.log.dropOldest(gone);
    this.hasOlder = this.log.start > first;
    this.showBeginning();
  }

  // Near an edge of what is held: fetch what is beyond it.
  watchEdges() {
    this.showBeginning();
    this.edges?.disconnect();
    const near = (entries) =>
      entries
        .filter((entry) => entry.isIntersecting)
        .forEach(({ target }) => this.want(target.id === "older" ? "before" : "after"));
    this.edges = new IntersectionObserver(near, {
      root: byId("scroller"),
      rootMargin: NEAR_EDGE,
    });
    this.edges.observe(byId("older"));
    this.edges.observe(byId("newer"));
  }

  // Above the first line: what this room is, and that nothing came before.
  showBeginning() {
    const { start } = this.log;
    this.view.keepPlace(() => {
      byId("beginning").hidden = this.hasOlder;
      byId("beginning-pruned").hidden = start <= 1;
      byId("beginning-here").hidden = start > 1;
    });
  }

  // ---- inside ----

  want(direction) {
    if (direction === "before" && this.hasOlder) this.history.load("before", this.log.start);
    if (direction === "after" && !this.log.attached) this.history.load("after", this.log.end);
  }

  loaded(direction, page) {
    if (direction === "before") this.loadedBefore(page);
    else this.loadedAfter(page.events);
    this.trim();
    this.moved();
    this.watchEdges();
  }

  loadedBefore({ events, more }) {
    this.hasOlder = more;
    this.paged(events, events[0]?.seq, this.log.start - 1);
    this.view.prepend(this.log.addBefore(events));
  }

  loadedAfter(events) {
    this.paged(events, this.log.end + 1, events.at(-1)?.seq ?? this.log.live);
    if (!events.length) this.log.closeEnd();
    this.view.pinned = false;
    this.view.append(this.log.addAfter(events));
  }

  trim() {
    const excess = this.view.excess();
    if (!excess) return;
    this.view.drop(excess);
    if (excess.oldest) this.hasOlder = true;
    this.log.dropOldest(excess.oldest || 0);
    this.log.dropNewest(excess.newest || 0);
    this.watchEdges();
  }

  // Another stretch of the log in place of the one that is held.
  async turnTo(span) {
    this.history.begin();
    const { age } = this.history;
    try {
      const page = await this.history.fetch(span);
      if (age !== this.history.age) return;
      this.log.reset(page.events, this.log.live);
      this.hasOlder = "after" in span ? this.log.start > 1 : page.more;
      this.paged(page.events, page.events[0]?.seq, page.events.at(-1)?.seq);
      this.view.reset(this.log.events);
    } catch (error) {
      console.warn("That part of the history did not come:", error.message);
    }
    this.watchEdges();
  }
}
