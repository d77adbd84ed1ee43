// A line of the log as an element. The one place where an event becomes something to see, whether
// it came with the page, from history, by the wire, or waits in the outbox.

import { copyButton } from "../copy.js";
import { avatar, make } from "./dom.js";
import { alone } from "./fold.js";
import { kindOf } from "./kinds.js";
import { languageOf, shown } from "./text.js";
import { day, dayKey, fill, moment, time } from "./words.js";

const TOGETHER = 5 * 60_000; // ms between messages of one person that are shown as one group

// Answers an element for every event, also for kinds it does not know: those show nothing.
export function entry(event, me) {
  const element = make("div", { class: "entry", "data-seq": event.seq });
  element.event = event;
  const { isUnread, folds, sentence } = kindOf(event);
  if (isUnread) element.append(message(event, me));
  else if (folds || sentence) element.append(quiet(event, sentence ?? alone));
  return element;
}

function message(event, me) {
  const at = new Date(event.at);
  const own = event.from.id === me.id;
  const sender = own ? gettext("You") : event.from.name;
  return make(
    "article",
    {
      class: own ? "message is-own" : "message",
      "aria-label": fill(gettext("%(name)s, %(time)s"), { name: sender, time: time(at) }),
    },
    own ? null : avatar(event.from),
    make("span", { class: "message-sender", dir: "auto" }, sender),
    make(
      "div",
      { class: "message-line" },
      words(event.body || ""),
      make("time", { datetime: event.at, title: moment(at) }, time(at)),
    ),
  );
}

function words(body) {
  const attributes = { class: "message-body", dir: "auto", lang: languageOf(body) };
  return make("p", attributes, ...shown(body));
}

function quiet(event, sentence) {
  const at = new Date(event.at);
  const text = fill(sentence(event), { name: event.from.name });
  return make(
    "p",
    { class: "quiet", dir: "auto" },
    text,
    " ",
    make("time", { datetime: event.at, title: moment(at) }, time(at)),
  );
}

// Its sender is called otherwise now.
export function rename(element, name, me) {
  element.event = { ...element.event, from: { ...element.event.from, name } };
  const fresh = entry(element.event, me).firstElementChild;
  element.querySelector(":scope > .message, :scope > .quiet")?.replaceWith(fresh);
}

// What an entry shows because of the one before it: the day, and whether a group begins.
export function settle(element, previous) {
  const { event } = element;
  const before = previous?.event;
  const at = new Date(event.at);
  const newDay = !before || dayKey(new Date(before.at)) !== dayKey(at);
  element.querySelector(":scope > .day")?.remove();
  if (newDay && element.firstElementChild) {
    element.prepend(make("h2", { class: "day" }, make("span", {}, day(at))));
  }
  const follows = !newDay && inGroup(before, event) && !element.querySelector(".new-line");
  element.classList.toggle("is-first", Boolean(kindOf(event).isUnread) && !follows);
  // One time for what was said in one breath, at its last line.
  const sameMinute = follows && time(new Date(before.at)) === time(at);
  previous?.classList.toggle("is-joined", sameMinute);
}

// Today is not always today.
export function showDay(element) {
  const heading = element.querySelector(":scope > .day > span");
  if (heading) heading.textContent = day(new Date(element.event.at));
}

function inGroup(before, event) {
  return (
    kindOf(before).isUnread &&
    before.from.id === event.from.id &&
    new Date(event.at) - new Date(before.at) < TOGETHER
  );
}

export function newLine() {
  return make("p", { class: "new-line" }, make("span", {}, gettext("New messages")));
}

// A message that the room has not confirmed; isHeld: nothing goes through now.
export function waiting(item, me, { isHeld, retry, discard }) {
  const element = entry({ kind: "message", from: me, at: item.at, body: item.body }, me);
  element.classList.add(`is-${item.state}`);
  if (item.state === "failed") {
    const state = make(
      "p",
      { class: "message-state" },
      make("span", {}, fill(gettext("Not sent. %(why)s"), { why: item.why || "" })),
      button(gettext("Retry"), () => retry(item.cid)),
      copyButton(item.body),
      button(gettext("Discard"), () => discard(item.cid)),
    );
    element.querySelector(".message").append(state);
  } else if (item.state === "pending") {
    // In the place of its time, so that nothing moves when it is confirmed.
    const text = isHeld ? gettext("Waiting…") : gettext("Sending…");
    const state = make("span", { class: "message-sending" }, text);
    element.querySelector("time").replaceWith(state);
  }
  return element;
}

function button(text, act) {
  const element = make("button", { type: "button", class: "text-button" }, text);
  element.addEventListener("click", act);
  return element;
}
