// The order of a room's log, whatever the wire brings.

import assert from "node:assert/strict";
import test from "node:test";

import { FakeServer, message, page, settle } from "./fake.mjs";

const span = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function listening(head, from) {
  const server = new FakeServer();
  const seqs = [];
  server.chat.room(7).on("event", ({ seq }) => seqs.push(seq));
  const room = await server.enter(head, from);
  return { server, room, seqs };
}

test("a repeat is not given out again", async () => {
  const { server, seqs } = await listening(4);
  await server.say(message(4), message(5), message(5), message(4), message(6));
  assert.deepEqual(seqs, [5, 6]);
});

test("a hole is resumed from, once, and nothing after it is given out before", async () => {
  const { server, seqs } = await listening(4);
  await server.say(message(5), message(8), message(9));
  assert.deepEqual(seqs, [5]);
  assert.deepEqual(server.heard("subscribe").map(({ after }) => after), [undefined, 5]);
  await server.subscribed({ head: 9, after: 5 });
  await server.say(...span(6, 10).map((seq) => message(seq)));
  assert.deepEqual(seqs, span(5, 10));
});

test("a line that did not come is looked for when the server tells how far the log goes", async () => {
  const { server } = await listening(4);
  await server.say({ type: "heads", rooms: { 7: 4 } });
  assert.equal(server.heard("subscribe").length, 1);
  await server.say({ type: "heads", rooms: { 7: 6 } });
  assert.equal(server.heard("subscribe").at(-1).after, 4);
});

test("after a break the room is resumed from its last line", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const { server, seqs } = await listening(4);
  await server.say(message(5));
  await server.close();
  t.mock.timers.tick(500);
  await server.hello();
  assert.equal(server.heard("subscribe")[0].after, 5);
  await server.say(message(6)); // of nobody knows what: it was not asked for yet
  await server.subscribed({ head: 6, after: 5 });
  await server.say(message(6), message(7));
  assert.deepEqual(seqs, [5, 6, 7]);
});

test("what a resume can't bring comes as pages, before what is live", async () => {
  const server = new FakeServer();
  server.pages = [page(span(1, 100), 230), page(span(101, 200), 231), page(span(201, 231), 231)];
  const seqs = [];
  server.chat.room(7).on("event", ({ seq }) => seqs.push(seq));
  const entered = server.chat.enter(7, { after: 0 });
  await server.hello();
  await server.subscribed({ head: 230, after: 230, recovered: false });
  await server.say(message(231));
  await settle();
  await settle();
  await server.say(message(232));
  assert.deepEqual(seqs, span(1, 232));
  assert.equal((await entered).last, 232);
  assert.ok(server.asked[1].includes("after=100"));
});

test("lines that are not kept any more are told of, and gone around", async () => {
  const server = new FakeServer();
  server.pages = [page([50, 51], 51)];
  const told = [];
  for (const type of ["hole", "event"]) server.chat.room(7).on(type, (what) => told.push(what.next ?? what.seq));
  server.chat.enter(7, { after: 3 });
  await server.hello();
  await server.subscribed({ head: 51, after: 51, recovered: false });
  await settle();
  await server.say(message(52));
  assert.deepEqual(told, [50, 50, 51, 52]);
});

test("a page that loads what it shows is told what is skipped", async () => {
  const server = new FakeServer();
  const told = [];
  for (const type of ["skipped", "event"]) server.chat.room(7).on(type, (what) => told.push(what));
  server.chat.enter(7, { after: 3, whole: false });
  await server.hello();
  await server.subscribed({ head: 5_000, after: 5_000, recovered: false });
  await server.say(message(5_001));
  assert.deepEqual(told[0], { after: 3, head: 5_000 });
  assert.equal(told[1].seq, 5_001);
  assert.equal(server.asked.length, 0);
});

test("a log that is shorter than what was seen goes on from its end", async () => {
  const { server, seqs } = await listening(9);
  server.heard("subscribe");
  await server.say(message(10), message(12));
  await server.subscribed({ head: 2, after: 2, recovered: false });
  await server.say(message(3));
  assert.deepEqual(seqs, [10, 3]);
});

test("a log that has gone back goes on from what is kept, however long it is by now", async () => {
  const { server, room, seqs } = await listening(9);
  const lost = [];
  room.on("lost", (what) => lost.push(what));
  await server.say(message(10), message(11, { at: "2026-11-23T14:04:00.000001Z" }));
  const events = room.events({ after: 9 });
  server.pages = [page([10, 11], 11)];
  assert.equal((await events.next()).value.seq, 10);
  room.read(11);
  await server.say(message(14));
  const { after, at } = server.heard("subscribe").at(-1);
  assert.deepEqual([after, at], [11, "2026-11-23T14:04:00.000001Z"]);
  await server.subscribed({ head: 12, after: 9, kept: 9, read: 8, recovered: false });
  const fresh = [10, 11, 12].map((seq) => message(seq, { body: "new" }));
  await server.say(...fresh);
  assert.deepEqual(lost, [{ after: 9, upto: 11 }]);
  assert.deepEqual(seqs, [10, 11, 10, 11, 12]);
  const read = [];
  for (let count = 0; count < 3; count += 1) read.push((await events.next()).value.body);
  assert.deepEqual(read, ["new", "new", "new"]);
  assert.deepEqual([room.readSeq, room.wantsRead], [9, 9]);
});

test("where too much came in the place of what was lost it comes as pages", async () => {
  const { server, seqs } = await listening(9);
  await server.say(message(10), message(14));
  server.pages = [page([8, 9, 10, 11], 11)];
  await server.subscribed({ head: 11, after: 11, kept: 7, recovered: false });
  await settle();
  await server.say(message(12));
  assert.deepEqual(seqs, [10, 8, 9, 10, 11, 12]);
});

test("a reader that is slower than the room holds a few, and reads the others as pages", async () => {
  const { server, room } = await listening(0);
  const events = room.events({ held: 3 });
  await server.say(...span(1, 9).map((seq) => message(seq)));
  assert.equal(events.queue.length, 3);
  server.pages = [page(span(4, 9), 9)];
  const read = [];
  for (let count = 0; count < 9; count += 1) read.push((await events.next()).value.seq);
  await server.say(message(10));
  read.push((await events.next()).value.seq);
  assert.deepEqual(read, span(1, 10));
  assert.equal(server.asked.length, 1);
});

test("a reader that begins later begins where the room was entered, or where it wants", async () => {
  const { server, room } = await listening(4);
  await server.say(message(5), message(6));
  server.pages = [page([5, 6], 6), page([2, 3, 4, 5, 6], 6)];
  assert.equal((await room.events().next()).value.seq, 5);
  assert.equal((await room.events({ after: 1 }).next()).value.seq, 2);
});

test("a page that does not come is asked for again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const { server, room } = await listening(4);
  const events = room.events({ after: 3 });
  const busy = { status: 503, json: { code: "unavailable" }, headers: { "Retry-After": "2" } };
  server.pages = [new TypeError("fetch failed"), busy, page([4], 4)];
  const read = events.next();
  for (const wait of [500, 2_000]) {
    await settle();
    t.mock.timers.tick(wait);
  }
  assert.equal((await read).value.seq, 4);
});

test("kinds and frames that nobody knows yet pass through as they are", async () => {
  const { server, room } = await listening(0);
  const heard = [];
  server.chat.on("fireworks", (frame) => heard.push(frame));
  room.on("fireworks", (frame) => heard.push(frame));
  const strange = message(1, { kind: "poll", choices: ["tea", "coffee"], body: undefined });
  await server.say(strange, { type: "fireworks", room: 7, colour: "red" });
  assert.deepEqual((await room.events().return()).done, true);
  server.pages = [{ json: { results: [strange], head: 1 } }];
  assert.deepEqual((await room.events().next()).value.choices, ["tea", "coffee"]);
  assert.deepEqual(heard.map(({ colour }) => colour), ["red", "red"]);
});

test("a room that I am shown out of ends, and what came before is still read", async () => {
  const { server, room } = await listening(0);
  const events = room.events();
  await server.say(message(1), { type: "unsubscribed", room: 7, code: "removed" });
  assert.equal((await events.next()).value.seq, 1);
  assert.deepEqual(await events.next(), { value: undefined, done: true });
  assert.equal(room.ended, "removed");
});

test("a subscribe that the database could not answer is asked again after that time", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer();
  const entered = server.chat.enter(7);
  await server.hello();
  const { ref } = server.heard("subscribe")[0];
  await server.say({ type: "nack", code: "unavailable", detail: "Later.", room: 7, ref, retry_after: 3 });
  t.mock.timers.tick(2_999);
  assert.equal(server.heard("subscribe").length, 1);
  t.mock.timers.tick(1);
  await server.subscribed({ head: 1, after: 1 });
  assert.equal((await entered).last, 1);
});

test("who left and comes back at once is not told by the answer of before", async () => {
  const { server, room } = await listening(4);
  room.exit();
  const again = room.enter({ after: 4 });
  await server.say({ type: "unsubscribed", room: 7, code: "asked" });
  await server.subscribed({ head: 5, after: 4 });
  await server.say(message(5));
  assert.equal((await again).last, 5);
});

test("a listener that stumbles costs the others nothing, and its error is nobody's", async (t) => {
  const { server, room, seqs } = await listening(0);
  const errors = [];
  t.mock.method(globalThis, "queueMicrotask", (task) => errors.push(task));
  room.on("event", () => {
    throw new Error("of the page");
  });
  const later = [];
  room.on("event", ({ seq }) => later.push(seq));
  await server.say(message(1));
  assert.throws(errors[0], /of the page/);
  assert.deepEqual([seqs, later], [[1], [1]]);
});
