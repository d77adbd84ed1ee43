// Which lines were really on the screen: their end, for a moment, while somebody looked.

const MOMENT = 250; // ms; what only flies past is not seen
const SLACK = 8; // px that may be cut off

export class Sight {
  // looks() → does somebody look now?  seen(seqs) gets what has been on the screen.
  constructor({ root, looks, seen }) {
    Object.assign(this, { root, looks, seen });
    this.shown = new Map(); // element → since when
    this.since = null; // somebody looks
    this.timer = null;
    this.observer = new IntersectionObserver((entries) => this.changed(entries), {
      root,
      threshold: [0, 1],
    });
  }

  watch(element) {
    this.observer.observe(element);
  }

  changed(entries) {
    for (const { target, isIntersecting, time } of entries) {
      if (!isIntersecting) this.shown.delete(target);
      else if (!this.shown.has(target)) this.shown.set(target, time);
    }
    this.look();
  }

  // Called whenever somebody may have seen more: after scrolling, on coming back …
  look() {
    clearTimeout(this.timer);
    if (!this.looks()) return void (this.since = null);
    const now = performance.now();
    this.since ??= now;
    const waits = [...this.shown].map(([element, at]) => [element, this.wait(element, at, now)]);
    const next = Math.min(...waits.map(([, wait]) => wait).filter((wait) => wait > 0));
    if (next < Infinity) this.timer = setTimeout(() => this.look(), next);
    this.found(waits.filter(([, wait]) => wait <= 0).map(([element]) => element));
  }

  // ---- inside ----

  // How long until it counts as seen; Infinity while its end is out of sight.
  wait(element, at, now) {
    const { top, bottom } = this.root.getBoundingClientRect();
    const end = element.getBoundingClientRect().bottom;
    if (end > bottom + SLACK || end <= top) return Infinity;
    return Math.max(at, this.since) + MOMENT - now;
  }

  found(elements) {
    if (!elements.length) return;
    for (const element of elements) {
      this.observer.unobserve(element);
      this.shown.delete(element);
    }
    this.seen(elements.map((element) => element.event.seq));
  }
}
