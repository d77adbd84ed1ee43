// What I say is said once, in the order of saying it, and I am told what became of it.

import assert from "node:assert/strict";
import test from "node:test";

import { Closed, Outbox, randomId, Refused } from "../../../clients/js/lib/chattalk.js";
import { FakeServer, message, settle } from "./fake.mjs";

const CID = "0e4a7c1e-1d4e-4a43-a5a5-0d6f0f0a7b51";
const bodies = (server) => server.heard("send").map(({ body }) => body);

async function nack(server, send, code, more = {}) {
  const { cid, room } = send;
  await server.say({ type: "nack", code, detail: "A sentence.", cid, room, ...more });
}

test("one message is under way at a time", async () => {
  const server = new FakeServer();
  const room = await server.enter(0);
  const sent = ["one", "two"].map((body) => room.send(body));
  await settle();
  assert.deepEqual(bodies(server), ["one"]);
  await server.ack(server.heard("send")[0], 1);
  assert.deepEqual(bodies(server), ["one", "two"]);
  const { seq, repeated } = await sent[0];
  assert.deepEqual([seq, repeated], [1, false]);
  await server.ack(server.heard("send")[1], 2);
  assert.equal((await sent[1]).seq, 2);
});

test("what is written before there is a connection is sent when there is one, in order", async () => {
  const server = new FakeServer();
  const { outbox } = server.chat.room(7);
  for (const body of ["one", "two"]) outbox.add(body);
  await server.enter(0);
  assert.deepEqual(bodies(server), ["one"]);
  await server.ack(server.heard("send")[0], 1);
  assert.deepEqual(bodies(server), ["one", "two"]);
});

test("what was not answered is sent again with the same id, over a break too", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer();
  const room = await server.enter(0);
  room.send("one", { cid: CID.toUpperCase() });
  await settle();
  t.mock.timers.tick(10_000);
  assert.deepEqual(server.heard("send").map(({ cid }) => cid), [CID, CID]);
  await server.close();
  t.mock.timers.tick(500);
  await server.hello();
  assert.deepEqual(server.wire.sent.map(({ type }) => type), ["subscribe", "send"]);
  assert.equal(server.heard("send")[0].cid, CID);
});

test("a refusal that passes is waited out, in order; another one is told", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer();
  const room = await server.enter(0);
  const [one, two] = ["one", "\u0007"].map((body) => room.send(body));
  await settle();
  await nack(server, server.heard("send")[0], "rate_limited", { retry_after: 3 });
  t.mock.timers.tick(3_049);
  assert.equal(server.heard("send").length, 1);
  t.mock.timers.tick(1);
  assert.deepEqual(bodies(server), ["one", "one"]);
  await server.ack(server.heard("send")[1], 1);
  await one;
  await nack(server, server.heard("send")[2], "bad_text");
  await assert.rejects(two, (error) => error.code === "bad_text" && error.sentence === "A sentence.");
  assert.equal(room.outbox.items.length, 1); // "one" waits for its line
  await server.say(message(1));
  assert.equal(room.outbox.items.length, 0);
});

test("who is not patient is told that it was too fast", async () => {
  const server = new FakeServer();
  const room = await server.enter(0);
  const sent = room.send("one", { patient: false });
  await settle();
  await nack(server, server.heard("send")[0], "rate_limited", { retry_after: 3 });
  await assert.rejects(sent, (error) => error instanceof Refused && error.retryAfter === 3);
});

test("a frame that could not be read is refused by its id alone", async () => {
  const server = new FakeServer();
  const room = await server.enter(0);
  const sent = room.send("one", { cid: CID });
  await settle();
  await server.say({ type: "nack", code: "bad_frame", detail: "Half a pair.", cid: CID });
  await assert.rejects(sent, (error) => error.code === "bad_frame");
});

test("what would end the connection is refused here, and the next one goes", async () => {
  const server = new FakeServer();
  const room = await server.enter(0);
  const sent = [room.send("한".repeat(30_000)), room.send("short")];
  await assert.rejects(sent[0], (error) => error.code === "too_long");
  await settle();
  assert.deepEqual(bodies(server), ["short"]);
});

test("an outbox is bounded", async () => {
  const server = new FakeServer({ outboxMax: 2 });
  const room = await server.enter(0);
  ["one", "two"].map((body) => room.send(body));
  await assert.rejects(room.send("three"), (error) => error.code === "outbox_full");
});

test("the same said twice is one message with one answer", async () => {
  const server = new FakeServer();
  const room = await server.enter(0);
  const sent = [1, 2].map(() => room.send("one", { cid: CID }));
  await assert.rejects(room.send("other", { cid: CID }), (error) => error.code === "conflict");
  await settle();
  await server.ack(server.heard("send")[0], 1);
  assert.deepEqual(await sent[0], await sent[1]);
  assert.equal(server.heard("send").length, 1);
});

test("a line that comes before its acknowledgement confirms what nobody waits for", async () => {
  const server = new FakeServer();
  const room = await server.enter(0);
  const { cid } = room.outbox.add("one");
  await settle();
  await server.say(message(1, { cid, from: { id: 3, name: "Bob" } }));
  assert.deepEqual(room.outbox.items, []);
  room.outbox.add("two");
  await settle();
  assert.deepEqual(bodies(server), ["one", "two"]);
});

test("what is acknowledged stays on show until its line is given out, however early it is", async () => {
  const server = new FakeServer();
  const { outbox } = server.chat.room(7);
  outbox.add("one");
  server.chat.enter(7, { after: 4 });
  await server.hello();
  await server.ack(server.heard("send")[0], 6); // before the room is there
  assert.deepEqual(outbox.items.map(({ state }) => state), ["stored"]);
  await server.subscribed({ head: 6, after: 4 });
  await server.say(message(5));
  assert.equal(outbox.items.length, 1);
  await server.say(message(6));
  assert.deepEqual(outbox.items, []);
});

test("what is acknowledged when its line has been given out is on show no longer", async () => {
  const server = new FakeServer();
  const { outbox } = await server.enter(9);
  outbox.add("one");
  await server.ack(server.heard("send")[0], 5);
  assert.deepEqual(outbox.items, []);
});

test("a store gets all that is not confirmed, and gives it back to the next program", async () => {
  let kept = [];
  const store = () => ({ load: async () => kept, save: (items) => (kept = structuredClone(items)) });
  const before = new FakeServer({ store });
  before.chat.room(7).send("one").catch(() => {});
  before.chat.room(7).send("two").catch(() => {});
  await settle();
  before.chat.close();
  assert.deepEqual(kept.map(({ body, state }) => [body, state]), [["one", "pending"], ["two", "pending"]]);
  const [{ cid }] = kept;
  const after = new FakeServer({ store });
  after.chat.room(7); // nobody need enter it
  after.chat.connect();
  await after.hello();
  assert.deepEqual(after.heard("send")[0], { type: "send", room: 7, cid, body: "one" });
  await after.ack(after.heard("send")[0], 1);
  assert.deepEqual(kept.map(({ body }) => body), ["two"]);
});

test("where it is wanted, what was refused stays for its author", async () => {
  const server = new FakeServer({ keepsRefused: true });
  const room = await server.enter(0);
  const item = room.outbox.add("\u0007");
  await settle();
  await nack(server, server.heard("send")[0], "bad_text");
  assert.deepEqual([item.state, item.code, item.why], ["failed", "bad_text", "A sentence."]);
  room.outbox.retry(item.cid);
  assert.equal(server.heard("send").length, 2);
  await nack(server, server.heard("send")[1], "conflict");
  const { cid } = item;
  room.outbox.retry(cid);
  assert.notEqual(server.heard("send")[2].cid, cid); // that id names another text
  room.outbox.discard(item.cid);
  assert.deepEqual(room.outbox.items, []);
});

test("a refusal that stays holds up nothing behind it", async () => {
  const server = new FakeServer({ keepsRefused: true });
  const { outbox } = await server.enter(0);
  for (const body of ["one", "two"]) outbox.add(body);
  await nack(server, server.heard("send")[0], "too_long");
  assert.deepEqual(outbox.items.map(({ state }) => state), ["failed", "pending"]);
  assert.deepEqual(bodies(server), ["one", "two"]);
});

test("where nothing can be sent any more it stays, and says why", async () => {
  const server = new FakeServer({ keepsRefused: true });
  const { outbox } = server.chat.room(7);
  outbox.add("one");
  outbox.failAll("not_member", "No seat.");
  assert.deepEqual(outbox.items.map(({ body, state, why }) => [body, state, why]), [["one", "failed", "No seat."]]);
  await server.enter(0);
  assert.deepEqual(bodies(server), []);
});

test("what a program of before has left goes first, and nothing of it twice", async () => {
  const server = new FakeServer();
  const { outbox } = server.chat.room(7);
  outbox.add("mine");
  const left = { cid: CID, body: "theirs", at: "2020-01-01T00:00:00.000Z" };
  for (const items of [[left], [left]]) outbox.adopt(items);
  await server.enter(0);
  await server.ack(server.heard("send")[0], 1);
  assert.deepEqual(bodies(server), ["theirs", "mine"]);
  assert.equal(server.heard("send")[0].cid, CID);
});

test("where it is kept from now on has all of it, and where it was kept nothing", () => {
  const kept = { before: [], now: [] };
  const place = (name) => ({ load: () => [], save: (items) => (kept[name] = items.map(({ body }) => body)) });
  const outbox = new Outbox({ transmit: () => false, store: place("before") });
  outbox.add("one");
  assert.deepEqual(kept.before, ["one"]);
  outbox.keepIn(place("now"));
  outbox.add("two");
  assert.deepEqual(kept, { before: [], now: ["one", "two"] });
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

test("what is released is somebody else's, and stays in the store", async () => {
  const released = [];
  const kept = { load: () => [], save() {}, release: (cid) => released.push(cid) };
  const server = new FakeServer({ keepsRefused: true, store: () => kept });
  const room = server.chat.room(7);
  const { cid } = room.outbox.add("one");
  room.outbox.release(cid);
  assert.deepEqual([room.outbox.items, released], [[], [cid]]);
});

test("what was discarded or not sent to the end is told to who waits", async () => {
  const server = new FakeServer();
  const room = server.chat.room(7);
  const [one, two] = [room.send("one", { cid: CID }), room.send("two")];
  await settle();
  room.outbox.discard(CID);
  await assert.rejects(one, (error) => error.code === "discarded");
  server.chat.close();
  await assert.rejects(two, Closed);
});

test("how far I read is told once a second, and what could not be told after a break", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const server = new FakeServer();
  const room = await server.enter(9);
  for (const seq of [3, 5, 4]) room.read(seq);
  t.mock.timers.tick(1);
  assert.deepEqual(server.heard("read").map(({ seq }) => seq), [5]);
  room.read(6);
  t.mock.timers.tick(900);
  assert.equal(server.heard("read").length, 1);
  t.mock.timers.tick(100);
  assert.equal(server.heard("read").at(-1).seq, 6);
  room.read(7);
  room.report(); // the page is left
  assert.equal(server.heard("read").at(-1).seq, 7);
  await server.close();
  room.read(8);
  t.mock.timers.tick(1_000);
  await server.hello();
  await server.subscribed({ head: 9, after: 9, read: 6 });
  assert.deepEqual(server.heard("read").map(({ seq }) => seq), [8]);
});

test("how far I read is told again where the server did not hear it before a break", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const server = new FakeServer();
  const room = await server.enter(9);
  room.read(8);
  t.mock.timers.tick(1);
  await server.close();
  t.mock.timers.tick(1_000);
  await server.hello();
  assert.deepEqual(server.heard("read"), []); // the answer says whether it was heard
  await server.subscribed({ head: 9, after: 9, read: 6 });
  assert.deepEqual(server.heard("read").map(({ seq }) => seq), [8]);
  await server.close();
  t.mock.timers.tick(2_000);
  await server.hello();
  await server.subscribed({ head: 9, after: 9, read: 8 });
  assert.deepEqual(server.heard("read"), []);
});

test("a clock that is set back holds up nothing for long", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000_000 });
  const server = new FakeServer();
  const room = await server.enter(9);
  room.read(5);
  t.mock.timers.tick(1);
  t.mock.timers.setTime(1_000_000);
  room.read(6);
  t.mock.timers.tick(1_000);
  assert.deepEqual(server.heard("read").map(({ seq }) => seq), [5, 6]);
});

test("that I write is told as often as it is passed on, and at the pause's end if I still do", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const server = new FakeServer();
  const room = await server.enter(0);
  const told = () => server.heard("typing").length;
  assert.deepEqual([room.typing(), room.typing(), room.typing()], [true, false, false]);
  assert.equal(told(), 1);
  t.mock.timers.tick(3_100);
  assert.equal(told(), 2);
  room.typing();
  room.typing(false);
  t.mock.timers.tick(3_100);
  assert.equal(told(), 2);
  room.typing();
  assert.equal(told(), 3);
  room.typing();
  room.send("done");
  t.mock.timers.tick(3_100);
  assert.equal(told(), 3);
});

test("who is here is what was told of it", async () => {
  const server = new FakeServer();
  const room = await server.enter(0);
  const [bob, dana] = [{ id: 3, name: "Bob" }, { id: 5, name: "Dana" }];
  await server.say({ type: "presence", room: 7, full: true, count: 1, here: [bob], degraded: false });
  await server.say({ type: "presence", room: 7, full: false, count: 2, came: [dana], went: [], degraded: true });
  assert.deepEqual([room.here, room.count, room.degraded], [[bob, dana], 2, true]);
  await server.say({ type: "presence", room: 7, full: false, count: 1, came: [], went: [{ id: 3 }], degraded: false });
  assert.deepEqual(room.here, [dana]);
});
