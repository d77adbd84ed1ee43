import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
Object.defineProperty(globalThis, "navigator", { value: { languages: [] }, configurable: true });
const { ownKind } = await import("../../static/js/time.js");

test("times are written as the reader's own kind of the page's language writes them", () => {
  assert.equal(ownKind("en", ["ko-KR", "en-GB", "en-US"]), "en-GB");
  assert.equal(ownKind("ko", ["en-GB"]), "ko");
  assert.equal(ownKind("", ["en-GB"]), undefined);
});

const { asRelative, beforeMidnight, dayKey, whenDayChanges } = await import("../../static/js/time.js");

test("yesterday is the day before, not 24 to 48 hours ago", () => {
  const now = new Date(2026, 10, 25, 1, 0);
  assert.equal(asRelative(new Date(2026, 10, 24, 0, 30), now), "yesterday");
  assert.equal(asRelative(new Date(2026, 10, 23, 23, 30), now), "2 days ago");
  assert.equal(asRelative(new Date(2026, 10, 24, 23, 30), now), "1 hour ago");
  assert.equal(asRelative(new Date(2026, 10, 18, 12, 0), now), "Nov 18");
});

test("the next day begins where this one ends, also on days of 23 and 25 hours", () => {
  for (let hour = 0; hour < 24 * 400; hour++) {
    const now = new Date(Date.UTC(2026, 0, 1, hour, 59, 59, 1));
    const next = new Date(now.getTime() + beforeMidnight(now));
    assert.notEqual(dayKey(next), dayKey(now));
    assert.equal(dayKey(new Date(next.getTime() - 1)), dayKey(now));
  }
});

test("a page that stays open learns of the day that begins, also after sleep", (t) => {
  const listeners = {};
  const listen = (event, act) => (listeners[event] = act);
  Object.assign(globalThis, { addEventListener: listen });
  Object.assign(globalThis.document, { addEventListener: listen });
  const now = new Date(2026, 10, 24, 23, 59, 50).getTime();
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now });
  let changes = 0;
  whenDayChanges(() => (changes += 1));
  t.mock.timers.tick(9_000);
  assert.equal(changes, 0);
  t.mock.timers.tick(1_000);
  assert.equal(changes, 1); // at midnight, not at the next look
  t.mock.timers.tick(86_400_000);
  assert.equal(changes, 2);
  t.mock.timers.setTime(now + 5 * 86_400_000); // it slept: no timer has fired
  listeners.visibilitychange();
  assert.equal(changes, 3);
  listeners.focus();
  assert.equal(changes, 3);
});
