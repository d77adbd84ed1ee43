// The room's log as this page knows it: a stretch without holes, and how far the wire has come. The
// client gives out its lines in order, without a hole; what it passes over comes as pages.
//
//   end   the last line of the stretch that is held (shown)
//   live  the last line that came, in order, by the wire or a page; where to resume from
//
// When end === live the stretch is attached: new lines are added to it. When the reader is far up
// in the past it is not: new lines only move `live`, and come with the pages on the way down.
// Nothing here touches the document.

export class Log {
  constructor({ events = [], head = 0 } = {}) {
    this.reset(events, head);
  }

  // What is held is forgotten; this is the log now.
  reset(events, head = 0) {
    this.events = inOrder(events);
    this.end = this.events.length ? this.events.at(-1).seq : head;
    this.live = Math.max(head, this.end);
  }

  get start() {
    return this.events.length ? this.events[0].seq : this.end + 1;
  }

  get attached() {
    return this.end === this.live;
  }

  // The next line from the wire: "added" to the stretch, "beyond" it, or a "repeat" of a page's.
  take(event) {
    if (event.seq <= this.live) return "repeat";
    const attached = this.attached;
    this.live = event.seq;
    if (!attached) return "beyond";
    this.end = event.seq;
    this.events.push(event);
    return "added";
  }

  // A page of what was before; answers what of it is new.
  addBefore(events) {
    const start = this.start;
    const fresh = inOrder(events).filter((event) => event.seq < start);
    this.events = fresh.concat(this.events);
    return fresh;
  }

  // A page of what came after the stretch; it may have overtaken the wire.
  addAfter(events) {
    const fresh = inOrder(events).filter((event) => event.seq > this.end);
    if (!fresh.length) return fresh;
    this.events = this.events.concat(fresh);
    this.end = fresh.at(-1).seq;
    this.live = Math.max(this.live, this.end);
    return fresh;
  }

  // Nothing was found after the stretch: what is missing there does not exist any more.
  closeEnd() {
    this.end = this.live;
  }

  dropOldest(count) {
    return this.events.splice(0, count);
  }

  dropNewest(count) {
    const dropped = this.events.splice(this.events.length - count, count);
    if (dropped.length) this.end = this.events.length ? this.events.at(-1).seq : dropped[0].seq - 1;
    return dropped;
  }
}

function inOrder(events) {
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq);
}
