// What was said while I was away: the banner, the line, and the way to it.

import { byId } from "./dom.js";
import { amount, fill, when } from "./words.js";

export class Missed {
  constructor({ count, more, first_seq: first, since, view, go }) {
    Object.assign(this, { count, more, first, since, view, go });
    this.banner = byId("missed");
    byId("missed-jump").addEventListener("click", () => this.go(this.first));
    byId("missed-close").addEventListener("click", () => this.dismiss());
  }

  show() {
    if (!this.first) return this.view.toEnd();
    byId("missed-text").textContent = this.sentence();
    this.banner.hidden = false;
    this.view.markNew(this.first);
    this.view.toNew();
  }

  sentence() {
    const time = this.since && when(new Date(this.since));
    const text = this.more ? manyMissed(time) : allMissed(time, this.count);
    return fill(text, { count: amount(this.count), time });
  }

  // The way to the line is offered only where it is out of sight.
  moved() {
    if (this.banner.hidden) return;
    const { line, scroller } = this.view;
    const { top, bottom } = scroller.getBoundingClientRect();
    const at = line?.isConnected ? line.getBoundingClientRect().top : -Infinity;
    byId("missed-jump").hidden = at >= top && at <= bottom;
  }

  get isDone() {
    return this.banner.hidden;
  }

  // Who answers has seen it; unless it is still out of sight.
  wrote() {
    if (byId("missed-jump").hidden) this.banner.hidden = true;
    if (this.isDone) this.view.clearNew();
  }

  dismiss() {
    this.banner.hidden = true;
    byId("body").focus();
  }
}

function allMissed(time, count) {
  if (!time) return ngettext("%(count)s new message", "%(count)s new messages", count);
  return ngettext(
    "%(count)s new message since you left (%(time)s)",
    "%(count)s new messages since you left (%(time)s)",
    count,
  );
}

// More than are counted.
function manyMissed(time) {
  return time
    ? gettext("%(count)s+ new messages since you left (%(time)s)")
    : gettext("%(count)s+ new messages");
}
