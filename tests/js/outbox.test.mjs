import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";

import { Outbox, randomId } from "../../static/js/conversation/outbox.js";

globalThis.crypto ??= webcrypto; // Node 18 has it only by that name

function outbox({ stored = [], connected = true } = {}) {
  const wire = [];
  const timers = [];
  const store = { items: stored, load: () => store.items, save: (items) => (store.items = items) };
  let next = 0;
  const box = new Outbox({
    transmit: ({ cid, body }) => connected && wire.push([cid, body]) > 0,
    changed: () => {},
    store,
    newId: () => `id${++next}`,
    clock: {
      set: (task, ms) => timers.push({ task, ms }) - 1,
      clear: (timer) => timers[timer] && (timers[timer].task = () => {}),
    },
  });
  const ring = () => timers.at(-1).task();
  return { box, wire, timers, store, ring };
}

const states = (box) => box.items.map(({ body, state }) => `${body} ${state}`);

test("what is written before there is a connection is sent when there is one, in order", () => {
  const { box, wire } = outbox();
  box.add("one");
  box.add("two");
  assert.deepEqual(wire, []);
  box.resume();
  box.acknowledged("id1", 1, 0);
  assert.deepEqual(wire, [["id1", "one"], ["id2", "two"]]);
});

test("one message is under way at a time", () => {
  const { box, wire } = outbox();
  box.resume();
  box.add("one");
  box.add("two");
  assert.equal(wire.length, 1);
  box.settled("id1");
  assert.equal(wire.length, 2);
});

test("after a lost connection it goes again with the same id", () => {
  const { box, wire } = outbox();
  box.resume();
  box.add("one");
  box.pause();
  box.resume();
  assert.deepEqual(wire, [["id1", "one"], ["id1", "one"]]);
});

test("without an answer it goes again with the same id", () => {
  const { box, wire, timers, ring } = outbox();
  box.resume();
  box.add("one");
  assert.equal(timers.at(-1).ms, 10_000);
  ring();
  assert.deepEqual(wire, [["id1", "one"], ["id1", "one"]]);
});

test("an acknowledged message stays on show until its line is in the log", () => {
  const { box } = outbox();
  box.resume();
  box.add("one");
  box.acknowledged("id1", 5, 4);
  assert.deepEqual(states(box), ["one stored"]);
  box.settled("id1");
  assert.deepEqual(states(box), []);
});

test("its line may come before the acknowledgement", () => {
  const { box } = outbox();
  box.resume();
  box.add("one");
  box.settled("id1");
  box.acknowledged("id1", 5, 5);
  assert.deepEqual(states(box), []);
});

test("a stored one whose line came another way is not shown twice", () => {
  const { box } = outbox();
  box.resume();
  box.add("one");
  box.acknowledged("id1", 5, 9);
  assert.deepEqual(states(box), []);
});

test("too fast waits as long as it was told, and holds back those behind it", () => {
  const { box, wire, timers, ring } = outbox();
  box.resume();
  box.add("one");
  box.add("two");
  box.refused({ cid: "id1", code: "rate_limited", retry_after: 0.4 });
  assert.equal(timers.at(-1).ms, 450);
  assert.equal(wire.length, 1);
  ring();
  box.acknowledged("id1", 1, 1);
  assert.deepEqual(wire, [["id1", "one"], ["id1", "one"], ["id2", "two"]]);
});

test("a refusal is shown with its sentence, and the next one goes on", () => {
  const { box, wire } = outbox();
  box.resume();
  box.add("one");
  box.add("two");
  box.refused({ cid: "id1", code: "too_long", detail: "Shorter." });
  assert.deepEqual(states(box), ["one failed", "two pending"]);
  assert.equal(box.items[0].why, "Shorter.");
  assert.equal(wire.at(-1)[1], "two");
});

test("retry sends it again, discard forgets it", () => {
  const { box, wire } = outbox();
  box.resume();
  box.add("one");
  box.refused({ cid: "id1", code: "bad_text", detail: "No." });
  box.retry("id1");
  assert.deepEqual(wire.at(-1), ["id1", "one"]);
  box.refused({ cid: "id1", code: "bad_text", detail: "No." });
  box.discard("id1");
  assert.deepEqual(states(box), []);
});

test("after a conflict the text gets another id", () => {
  const { box, wire } = outbox();
  box.resume();
  box.add("one");
  box.refused({ cid: "id1", code: "conflict", detail: "Used." });
  box.retry("id1");
  assert.deepEqual(wire.at(-1), ["id2", "one"]);
});

test("what was not confirmed survives a reload, what was confirmed does not come back", () => {
  const { box, store } = outbox();
  box.resume();
  box.add("one");
  box.add("two");
  box.acknowledged("id1", 1, 0);
  const again = outbox({ stored: JSON.parse(JSON.stringify(store.items)) });
  again.box.resume();
  assert.deepEqual(again.wire, [["id2", "two"]]);
});

test("ids are UUIDs, with or without a secure context", () => {
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.match(randomId(), form);
  const own = crypto.randomUUID;
  try {
    crypto.randomUUID = undefined;
    assert.match(randomId(), form);
  } finally {
    crypto.randomUUID = own;
  }
});

test("what a closed tab has left goes first, and nothing of it twice", () => {
  const { box, wire } = outbox();
  box.add("mine");
  const at = "2020-01-01T00:00:00.000Z";
  box.adopt([{ cid: "left", body: "theirs", at, state: "pending" }]);
  box.adopt([{ cid: "left", body: "theirs", at, state: "pending" }]);
  box.resume();
  box.acknowledged("left", 1, 1);
  assert.deepEqual(wire, [["left", "theirs"], ["id1", "mine"]]);
});

test("where it is kept from now on has all of it, and where it was kept nothing", () => {
  const { box, store } = outbox();
  box.add("one");
  const kept = { save: (items) => (kept.items = items) };
  box.keepIn(kept);
  box.add("two");
  assert.deepEqual(store.items, []);
  assert.deepEqual(kept.items.map(({ body }) => body), ["one", "two"]);
});

test("where nothing can be sent any more it stays, and says why", () => {
  const { box, wire } = outbox();
  box.add("one");
  box.failAll("not_member", "No seat.");
  assert.deepEqual(states(box), ["one failed"]);
  assert.equal(box.items[0].why, "No seat.");
  assert.deepEqual(wire, []);
});
