// The scrolled log on the screen: it keeps the reader's place whatever is put above or below.

import { attentive } from "./dom.js";
import { Folds } from "./fold.js";
import { entry, newLine, settle } from "./render.js";

const NEAR_END = 60; // px from the end that still count as being there
const BREATH = 12; // px above the line of new messages
const ENTRIES_MAX = 1_000; // in the document; then the far side is let go …
const ENTRIES_KEPT = 800; // … down to this many
const FOLDED_MAX = 30_000; // of them all, with those that are folded away: they cost little

export class View {
  constructor({ scroller, list, me, moved }) {
    Object.assign(this, { scroller, list, me });
    this.pinned = true; // to the end: new lines scroll in
    this.line = null; // "new messages"
    this.folds = new Folds((change) => this.quietly(change));
    scroller.addEventListener("scroll", () => {
      this.pinned = this.isAtEnd();
      moved();
    });
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(scroller);
  }

  reset(events) {
    this.quietly(() => {
      this.list.replaceChildren(...events.map((event) => entry(event, this.me)));
      this.settleAll(this.list.children);
      this.folds.gather(this.list.children);
      this.line = null;
    });
  }

  append(events, { live = false } = {}) {
    const add = () => {
      const last = this.list.lastElementChild;
      const fresh = events.map((event) => entry(event, this.me));
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
        const fresh = events.map((event) => entry(event, this.me));
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

  // The line stands before this event, and only there.
  markNew(seq) {
    this.clearNew();
    const element = this.find(seq);
    if (!element) return;
    this.line = newLine();
    element.querySelector(".message")?.before(this.line);
    settle(element, element.previousElementSibling);
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

  // The last event whose end has been on the screen.
  lastVisible() {
    const bottom = this.scroller.scrollTop + this.scroller.clientHeight + 8;
    const entries = this.list.children;
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { offsetTop, offsetHeight } = entries[middle];
      if (offsetTop + offsetHeight <= bottom) low = middle + 1;
      else high = middle;
    }
    return low ? entries[low - 1].event.seq : 0;
  }

  isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - clientHeight - scrollTop < NEAR_END;
  }

  // To the end; but for someone who looks away not past the first thing they have not seen.
  toEnd() {
    const { scroller, line } = this;
    const end = scroller.scrollHeight - scroller.clientHeight;
    const stop = line?.isConnected && !attentive() ? this.topOf(line) : end;
    scroller.scrollTop = Math.min(end, stop);
  }

  toNew() {
    if (this.line) this.scroller.scrollTop = this.startOf(this.line);
    this.pinned = this.isAtEnd();
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

  keepPlace(change) {
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
