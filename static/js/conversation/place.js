// Where the reader is in the log: what is on the screen meets what was read (reading.js), and from
// both comes all that the page says of it.

import { whenOver } from "../whose.js";
import { attentive, byId } from "./dom.js";
import { kindOf } from "./kinds.js";
import { Missed } from "./missed.js";
import { Reading } from "./reading.js";
import { Scrollback } from "./scrollback.js";
import { Sight } from "./sight.js";
import { newMessages } from "./words.js";

const ASK_AGAIN = 2_000; // ms after a question that the server could not answer

export class Place {
  // wire: the room as the client hears it, which is told how far I have read
  // paged(event) for each line that came as a page;  shown({count, more}) when what is unread is
  // another.
  constructor({ start, wire, paged, shown }) {
    Object.assign(this, { me: start.me, wire, paged, shown });
    this.isOver = false; // the page is somebody else's now, and shows nothing of this one
    whenOver(() => (this.isOver = true));
    this.awaited = 0; // up to here the wire brings what was missed
    this.buildReading(start);
    this.missed = new Missed({
      url: start.urls.missed,
      scroller: byId("scroller"),
      line: () => this.view.line,
      go: () => this.scrollback.goTo(this.reading.line),
    });
  }

  buildReading(start) {
    const { me, read, head } = start;
    const live = () => this.log.live;
    this.reading = new Reading({ me, read, news: head, head: live });
    this.sight = new Sight({
      root: byId("scroller"),
      looks: () => this.isRead,
      seen: (seqs) => this.saw(seqs),
    });
    this.scrollback = new Scrollback({
      start,
      moved: () => this.moved(),
      paged: (...page) => this.know(...page),
      passed: () => this.reading.pass(live()),
      unread: () => this.reading.first,
      fresh: (elements) => this.watch(elements),
    });
    this.reading.know(this.log.events);
    this.reading.tell({ ...start.missed, read, head });
    this.reading.stop();
  }

  show(start) {
    this.view.markNew(this.reading.line);
    if (this.view.line) this.view.toNew();
    else this.view.toEnd();
    this.showMissed(start.missed);
    byId("latest").addEventListener("click", () => this.scrollback.toLatest());
    for (const event of ["focus", "blur"]) addEventListener(event, () => this.moved());
    document.addEventListener("visibilitychange", () => this.moved());
    addEventListener("beforeunload", () => this.reportRead());
    this.scrollback.watchEdges();
    this.moved();
  }

  get log() {
    return this.scrollback.log;
  }

  get view() {
    return this.scrollback.view;
  }

  // Somebody looks, and what was missed is there.
  get isRead() {
    return attentive() && this.log.live >= this.awaited;
  }

  // ---- what comes ----

  // A line that the log has taken.
  take(event, isShown) {
    this.know([event]);
    if (isShown) this.scrollback.add(event);
    if (!attentive() || !this.view.pinned) this.reading.stop();
  }

  know(events, from, to) {
    this.reading.know(events, from, to);
    events.forEach(this.paged);
  }

  // The wire goes on: whether it brings all that was missed or not.
  resume({ head, read, recovered, about }) {
    this.awaited = head;
    this.scrollback.forgetBefore(about.first);
    this.reading.resume(read);
    if (!recovered) this.skipTo(head);
  }

  // What came after that line is not the room's any more.
  goBack(kept) {
    this.scrollback.goBack(kept);
    this.reading.goBack(kept);
  }

  // On another device.
  readElsewhere(seq) {
    this.reading.resume(seq);
    this.showReading();
  }

  // More was missed than the wire brings: how much, and where it begins, the server is asked.
  skipTo(head) {
    this.follows = this.view.pinned || !this.log.events.length;
    this.scrollback.skipTo(head);
    this.reading.lose();
    this.askMissed();
  }

  async askMissed() {
    const missed = await this.missed.ask();
    if (this.reading.told) return; // another answer was quicker
    if (!missed) return void setTimeout(() => this.askMissed(), ASK_AGAIN);
    this.reading.tell(missed);
    this.reading.stop();
    if (!this.follows) this.moved();
    else if (this.reading.first === null) await this.scrollback.toLatest();
    else await this.scrollback.goTo(this.reading.first);
    this.showMissed(missed);
  }

  // ---- what the reader does ----

  watch(elements) {
    for (const element of elements) {
      const { from, seq } = element.event;
      const isOthers = kindOf(element.event).isUnread && from.id !== this.me.id;
      const isNews = isOthers && seq > this.reading.read;
      if (isNews) this.sight.watch(element);
    }
  }

  saw(seqs) {
    this.reading.see(seqs);
    this.showReading();
  }

  wrote() {
    this.missed.wrote();
    if (this.missed.isDone) this.reading.wrote();
    this.scrollback.toLatest();
  }

  moved() {
    if (this.isOver) return;
    const { atEnd } = this.scrollback;
    this.sight.look();
    // Who has come to the end has passed over what is above.
    if (atEnd && this.isRead) this.reading.pass(this.view.topSeq - 1);
    byId("outbox").hidden = !this.log.attached;
    byId("latest").hidden = atEnd;
    this.showReading();
  }

  // The next page counts what is unread: what was read is told at once.
  reportRead() {
    this.wire.read(this.reading.position);
    this.wire.report();
  }

  // ---- what is said of it ----

  showReading() {
    if (this.isOver) return;
    const { news, line } = this.reading;
    this.view.markNew(line);
    byId("latest").classList.toggle("has-news", news.count > 0);
    byId("latest-text").textContent = news.count ? newMessages(news) : gettext("Latest messages");
    this.missed.moved();
    if (attentive()) this.wire.read(this.reading.position);
    this.shown(attentive() ? { count: 0, more: false } : news);
  }

  showMissed(missed) {
    const isFirst = ({ seq }) => seq === missed.first_seq;
    this.missed.show(missed, this.log.events.find(isFirst));
    this.missed.moved();
  }

  newDay() {
    this.view.newDay();
    this.missed.renew();
  }
}
