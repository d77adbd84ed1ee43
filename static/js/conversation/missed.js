// What was said while I was away: the banner, and the way to the line.

import { insist } from "../whose.js";
import { byId } from "./dom.js";
import { counted, newMessages, when } from "./words.js";

export class Missed {
  // line() → the element of the line, if it is there;  go() → to it
  constructor({ url, scroller, line, go }) {
    Object.assign(this, { url, scroller, line, go });
    this.banner = byId("missed");
    byId("missed-jump").addEventListener("click", () => this.go());
    byId("missed-close").addEventListener("click", () => this.dismiss());
  }

  // How much is unread, and where it begins; null if the server did not say.
  async ask() {
    try {
      const answer = await insist(this.url, "application/json");
      if (!answer.ok) throw new Error(`It answered ${answer.status}.`);
      return await answer.json();
    } catch (error) {
      console.warn("What was missed did not come:", error.message);
      return null;
    }
  }

  // What the server says of it, and the first of it, if that is held.
  show({ first_seq: seq, ...missed }, first) {
    if (!seq) return;
    this.sentence = () => sentence(missed, first);
    this.banner.hidden = false;
    this.renew();
  }

  // Also on another day: the time has its date then.
  renew() {
    if (!this.banner.hidden) byId("missed-text").textContent = this.sentence();
  }

  // The way to the line is offered only where it is out of sight.
  moved() {
    if (this.banner.hidden) return;
    const { top, bottom } = this.scroller.getBoundingClientRect();
    const at = this.line()?.getBoundingClientRect().top ?? -Infinity;
    byId("missed-jump").hidden = at >= top && at <= bottom;
  }

  get isDone() {
    return this.banner.hidden;
  }

  // Who answers has seen it; unless it is still out of sight.
  wrote() {
    if (byId("missed-jump").hidden) this.banner.hidden = true;
  }

  dismiss() {
    this.banner.hidden = true;
    byId("body").focus();
  }
}

// I may have left after some of it was said: it stood on a screen that nobody looked at.
function sentence({ since, ...missed }, first) {
  const [left, said] = [since, first?.at].map((at) => at && new Date(at));
  if (left && !(said < left)) return counted(sinceLeaving(missed), missed.count, { time: when(left) });
  if (said) return counted(sinceThen(missed), missed.count, { time: when(said) });
  return newMessages(missed);
}

const sinceLeaving = ({ count, more }) =>
  more
    ? gettext("%(count)s+ new messages since you left (%(time)s)")
    : ngettext(
        "%(count)s new message since you left (%(time)s)",
        "%(count)s new messages since you left (%(time)s)",
        count,
      );

const sinceThen = ({ count, more }) =>
  more
    ? gettext("%(count)s+ new messages since %(time)s")
    : ngettext(
        "%(count)s new message since %(time)s",
        "%(count)s new messages since %(time)s",
        count,
      );
