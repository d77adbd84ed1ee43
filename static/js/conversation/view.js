// The scrolled log on the screen: it keeps the reader's place whatever is put above or below.

import { attentive } from "./dom.js";
import { Folds } from "./fold.js";
import { entry, newLine, rename, settle, showDay } from "./render.js";

const NEAR_END = 60; // px from the end that still count as being there
const BREATH = 12; // px above the line of new messages
const ENTRIES_MAX = 1_000; // in the document; then the far side is let go …
const ENTRIES_KEPT = 800; // … down to this many
const FOLDED_MAX = 30_000; // of them all, with those that are folded away: they cost little

export class View {
  // unread() → seq of the first message that was not read;  fresh(elements) gets new entries.
  constructor({ scroller, list, me, moved, unread, fresh }) {
    Object.assign(this, { scroller, list, me, unread, fresh });
    this.pinned = true; // to the end: new lines scroll in
    this.line = null; // "new messages"
    this.folds = new Folds((change) => this.quietly(change));
    this.top = scroller.scrollTop; // where it was when that was found out
    scroller.addEventListener("scroll", () => {
      this.lookWhetherPinned();
      moved();
    });
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(scroller);
  }

  reset(events) {
    this.quietly(() => {
      this.list.replaceChildren(...this.entries(events));
      this.settleAll(this.list.children);
      this.folds.gather(this.list.children);
      this.line = null;
    });
  }

  append(events, { live = false } = {}) {
    const add = () => {
      const last = this.list.lastElementChild;
      const fresh = this.entries(events);
      fresh.forEach((element, index) => settle(element, fresh[index - 1] || last));
      this.list.append(...fresh);
      this.folds.gather(fresh);
    };
    this.keepPlace(() => (live ? add() : this.quietly(add)));
  }

  // What waits below the log looks as it will when it is part of it.
  settleAfter(elements) {
    const last = this.list.lastElementChild;
    last?.classList.remove("is-joined");
    elements.forEach((element, index) => settle(element, elements[index - 1] || last));
  }

  prepend(events) {
    this.keepPlace(() =>
      this.quietly(() => {
        const first = this.list.firstElementChild;
        const fresh = this.entries(events);
        this.list.prepend(...fresh);
        const changed = first ? [...fresh, first] : fresh;
        this.settleAll(changed);
        this.folds.gather(changed);
      }),
    );
  }

  // Lets go what is farthest from the reader: {oldest: n} or {newest: n} entries, or nothing.
  excess() {
    const count = this.list.childElementCount;
    if (count <= ENTRIES_MAX) return null;
    const shown = count - this.folds.hidden(this.list);
    if (shown <= ENTRIES_MAX && count <= FOLDED_MAX) return null;
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const nearEnd = scrollTop > scrollHeight - clientHeight - scrollTop;
    const tooMany = Math.max(shown - ENTRIES_KEPT, count - FOLDED_MAX);
    return { [nearEnd ? "oldest" : "newest"]: tooMany };
  }

  drop({ oldest = 0, newest = 0 }) {
    this.keepPlace(() => {
      const entries = [...this.list.children];
      const gone = [...entries.slice(0, oldest), ...entries.slice(entries.length - newest)];
      this.folds.release(gone);
      for (const element of gone) element.remove();
      if (this.list.firstElementChild) settle(this.list.firstElementChild, null);
    });
  }

  // The line stands before this event, and only there; nowhere, if it is not held.
  markNew(seq) {
    const element = seq === null ? null : this.find(seq);
    if (this.line ? element?.contains(this.line) : !element) return;
    this.keepPlace(() => {
      this.clearNew();
      if (element) this.drawLine(element);
    });
  }

  drawLine(element) {
    this.line = newLine();
    element.querySelector(".message")?.before(this.line);
    settle(element, element.previousElementSibling);
  }

  // Somebody is called otherwise now. That is no news to read out.
  rename(id, name) {
    const isTheirs = ({ event: { from } }) => from.id === id && from.name !== name;
    const theirs = [...this.list.children].filter(isTheirs);
    if (!theirs.length) return;
    const change = () => {
      for (const element of theirs) rename(element, name, this.me);
      this.folds.renew(theirs);
    };
    this.keepPlace(() => this.quietly(change));
  }

  // Another day has begun: what was today is yesterday.
  newDay() {
    for (const element of this.list.children) showDay(element);
  }

  clearNew() {
    const element = this.line?.closest(".entry");
    this.line?.remove();
    this.line = null;
    if (element) settle(element, element.previousElementSibling);
  }

  find(seq) {
    return this.list.querySelector(`[data-seq="${Number(seq)}"]`);
  }

  // The first line on the screen.
  get topSeq() {
    return this.firstVisible()?.event.seq ?? 0;
  }

  lookWhetherPinned() {
    this.top = this.scroller.scrollTop;
    this.pinned = this.isAtEnd();
  }

  isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - clientHeight - scrollTop < NEAR_END;
  }

  // To the end; but what nobody has seen does not leave the screen by itself. Where there is more
  // of it than the screen can show, it is not followed any more.
  toEnd() {
    const { scroller } = this;
    scroller.scrollTop = Math.min(scroller.scrollHeight - scroller.clientHeight, this.stop());
    this.lookWhetherPinned();
  }

  // Before the eyes of somebody nothing jumps: then it goes up to the edge, and no further.
  stop() {
    const seq = this.unread();
    const element = seq === null ? null : this.find(seq);
    const { top } = this.scroller.getBoundingClientRect();
    if (!element || element.getBoundingClientRect().bottom < top) return Infinity; // passed over
    const first = element.contains(this.line) ? this.line : element;
    if (!attentive()) return this.startOf(first);
    return this.topOf(first) + this.scroller.clientHeight / 4 - BREATH;
  }

  toNew() {
    if (this.line) this.scroller.scrollTop = this.startOf(this.line);
    this.lookWhetherPinned();
  }

  // All that is new, if the screen can show it; else its beginning with some lines above.
  startOf(line) {
    const { clientHeight, scrollHeight } = this.scroller;
    const end = scrollHeight - clientHeight;
    return this.topOf(line) + clientHeight / 4 - BREATH >= end ? end : this.topOf(line);
  }

  topOf(element) {
    const inside = element.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top;
    return this.scroller.scrollTop + inside - this.scroller.clientHeight / 4;
  }

  // ---- inside ----

  entries(events) {
    const elements = events.map((event) => entry(event, this.me));
    this.fresh(elements);
    return elements;
  }

  keepPlace(change) {
    // What somebody scrolls to may be here before the event that says that they scrolled.
    if (this.scroller.scrollTop !== this.top) this.lookWhetherPinned();
    const anchor = this.firstVisible();
    const bottom = anchor?.getBoundingClientRect().bottom;
    change();
    if (this.pinned) this.toEnd();
    else if (anchor?.isConnected) {
      this.scroller.scrollTop += anchor.getBoundingClientRect().bottom - bottom;
    }
  }

  // Its end is what stays: a day heading above it may come or go, and it may be folded.
  firstVisible() {
    const top = this.scroller.getBoundingClientRect().top;
    const { children } = this.list;
    let [low, high] = [0, children.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (children[middle].getBoundingClientRect().bottom <= top) low = middle + 1;
      else high = middle;
    }
    return children[low];
  }

  settleAll(elements) {
    for (const element of elements) settle(element, element.previousElementSibling);
  }

  // Old lines are not news: a screen reader hears only what is said from now on.
  quietly(change) {
    this.list.setAttribute("aria-live", "off");
    change();
    clearTimeout(this.loud);
    this.loud = setTimeout(() => this.list.setAttribute("aria-live", "polite"), 500);
  }
}
