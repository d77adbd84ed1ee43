// How a client stays away, comes back, and ends.

import assert from "node:assert/strict";
import test from "node:test";

import { Closed, Ended, namedWait, Refused, SignedOut, waitBefore } from "../../../clients/js/lib/chattalk.js";
import { FakeServer, settle } from "./fake.mjs";

const least = () => 0;
const most = () => 1;
const pair = (access, more) => ({ json: { access, refresh: `${access} refresh`, expires_in: 600, ...more } });
const refused = (status, code) => ({ status, json: { code, detail: "No." } });

test("the first wait is short, the others double up to half a minute, all from nothing", () => {
  const longest = [0, 1, 5, 6, 10].map((attempt) => waitBefore(attempt, 1006, most));
  assert.deepEqual(longest, [500, 1_000, 16_000, 30_000, 30_000]);
  assert.equal(waitBefore(10, 1006, least), 0);
});

test("a server that restarts or is too busy is given the time it asks for", () => {
  const waits = [1001, 1012, 4013, 4500].map((code) => [waitBefore(0, code, least), waitBefore(0, code, most)]);
  assert.deepEqual(waits, [[500, 5_000], [500, 5_000], [1_000, 10_000], [1_000, 10_000]]);
  assert.equal(namedWait('{"retry_after": 2.5}'), 2_500);
  for (const reason of ["", "restart", "null", '{"retry_after": "soon"}', '{"retry_after": 1e9}']) {
    assert.equal(namedWait(reason), null);
  }
});

test("each failure is waited for longer, and a stable connection makes it short again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer();
  server.chat.connect();
  await settle();
  for (const wait of [500, 1_000, 2_000]) {
    await server.close();
    const { length } = server.wires;
    t.mock.timers.tick(wait - 1);
    await settle();
    assert.equal(server.wires.length, length);
    t.mock.timers.tick(1);
    await settle();
    assert.equal(server.wires.length, length + 1);
  }
  await server.hello();
  t.mock.timers.tick(10_000);
  await server.close();
  t.mock.timers.tick(500);
  await settle();
  assert.equal(server.wires.length, 5);
});

test("a time that the close frame names is kept", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer();
  server.chat.connect();
  await server.hello();
  await server.close(1012, '{"retry_after": 7}');
  t.mock.timers.tick(6_999);
  await settle();
  assert.equal(server.wires.length, 1);
  t.mock.timers.tick(1);
  await settle();
  assert.equal(server.wires.length, 2);
});

test("a server that says nothing is asked, and left if it does not answer", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer();
  server.chat.connect();
  await server.hello();
  t.mock.timers.tick(25_000);
  assert.equal(server.heard("ping").length, 1);
  t.mock.timers.tick(5_000);
  await server.say({ type: "heads", rooms: {} }); // any frame is an answer
  t.mock.timers.tick(20_000);
  assert.equal(server.chat.state, "open");
  t.mock.timers.tick(5_000);
  t.mock.timers.tick(10_000);
  assert.equal(server.chat.state, "offline");
});

test("a handshake that nothing follows is begun anew", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer();
  server.chat.connect();
  await settle();
  t.mock.timers.tick(10_000);
  assert.equal(server.wires[0].isOpen, false);
  t.mock.timers.tick(500);
  await settle();
  assert.equal(server.wires.length, 2);
});

for (const code of [4003, 1009]) {
  test(`${code} is the end of it`, async () => {
    const server = new FakeServer();
    const room = await server.enter(1);
    const events = room.events();
    const sent = room.send("hello");
    await settle();
    await server.close(code);
    await assert.rejects(events.next(), (error) => error instanceof Ended && error.code === code);
    await assert.rejects(sent, Ended);
    await assert.rejects(server.chat.connect(), Ended);
    await assert.rejects(room.send("more"), Ended);
    assert.equal(server.chat.state, "over");
  });
}

// daphne ends a socket that is a day old with 1000, whatever is under way.
for (const code of [1000, 1006, 1011, 4008]) {
  test(`after ${code} it comes back`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const server = new FakeServer();
    await server.enter(1);
    await server.close(code);
    t.mock.timers.tick(500);
    await settle();
    assert.equal(server.wires.length, 2);
  });
}

test("nothing is sent by what was closed for good", async () => {
  const server = new FakeServer();
  const room = await server.enter(1);
  room.outbox.add("under way");
  await settle();
  const { length } = server.wire.sent;
  await server.close(4003);
  room.outbox.add("too late");
  room.read(1);
  room.report();
  assert.equal(room.typing(), false);
  server.chat.check();
  await settle();
  assert.equal(server.wire.sent.length, length);
  assert.equal(server.wires.length, 1);
});

test("whose page it is not is the end of it, before anything is said", async () => {
  const server = new FakeServer({ as: 5 });
  server.chat.room(7).outbox.add("not Bob's");
  const connected = server.chat.connect();
  await settle();
  assert.deepEqual(server.wire.protocols, ["chattalk", "bearer.token"]);
  await Promise.all([assert.rejects(connected, Ended), server.hello()]);
  assert.deepEqual(server.wire.sent, []);
});

test("4001 is answered by a new token once, and then it is the end", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const kept = [];
  const server = new FakeServer({ refresh: "first", kept: ({ access }) => kept.push(access) });
  const connected = server.chat.connect();
  await settle();
  server.pages = [pair("second")];
  await server.close(4001);
  await settle();
  t.mock.timers.tick(500);
  await settle();
  assert.deepEqual(server.wire.protocols, ["chattalk", "bearer.second"]);
  assert.deepEqual(kept, ["second"]);
  await server.close(4001);
  await assert.rejects(connected, SignedOut);
  assert.equal(server.asked.length, 1);
});

test("a refresh token that is not taken is the end of it", async () => {
  const server = new FakeServer({ refresh: "used" });
  const connected = server.chat.connect();
  await settle();
  server.pages = [refused(401, "token_not_valid")];
  await server.close(4001);
  await assert.rejects(connected, SignedOut);
});

test("a token is renewed before it runs out, by one request whoever asks meanwhile", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer({ access: undefined, email: "bob@example.com", password: "secret" });
  server.pages = [pair("first"), { json: {} }];
  await server.chat.call("GET", "me/");
  server.pages = [{ json: {} }];
  await server.chat.call("GET", "me/");
  assert.equal(server.asked.filter((asked) => asked.includes("tokens")).length, 1);
  server.pages = [pair("second"), { json: {} }, { json: {} }, { json: {} }];
  t.mock.timers.tick(540_000); // nobody asks, and it is renewed
  await Promise.all([1, 2, 3].map(() => server.chat.call("GET", "me/")));
  assert.equal(server.asked.filter((asked) => asked.includes("refresh")).length, 1);
});

test("a renewal whose answer was lost is asked again at once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer({ access: undefined, refresh: "first" });
  const shown = [];
  const lost = () => {
    throw new TypeError("fetch failed");
  };
  const taken = (body) => (shown.push(JSON.parse(body).refresh), pair("second"));
  server.pages = [lost, taken, { json: { id: 3 } }];
  const me = server.chat.call("GET", "me/");
  await settle();
  t.mock.timers.tick(500);
  assert.deepEqual(await me, { id: 3 });
  assert.deepEqual(shown, ["first"]);
});

test("a request whose token had run out is made once more", async () => {
  const server = new FakeServer({ refresh: "first" });
  server.pages = [refused(401, "token_not_valid"), pair("second"), { json: { id: 3 } }];
  assert.deepEqual(await server.chat.call("GET", "me/"), { id: 3 });
});

test("a refusal says its code, its sentence and when to come again", async () => {
  const server = new FakeServer();
  const json = { code: "rate_limited", detail: "Too fast." };
  server.pages = [{ status: 429, json, headers: { "Retry-After": "3" } }];
  await assert.rejects(server.chat.call("GET", "me/"), (error) => {
    assert.ok(error instanceof Refused);
    const { code, sentence, retryAfter, status } = error;
    assert.deepEqual([code, sentence, retryAfter, status], ["rate_limited", "Too fast.", 3, 429]);
    return true;
  });
});

test("a token is shown to no other server, whatever a link says", async () => {
  const server = new FakeServer();
  server.pages = [
    { json: { results: [1], next: "http://elsewhere.test/api/v1/rooms/?cursor=x" } },
    { json: { results: [2], next: null } },
  ];
  const cards = [];
  for await (const card of server.chat.rooms({ mine: true })) cards.push(card);
  assert.deepEqual(cards, [1, 2]);
  assert.deepEqual(server.asked, ["GET rooms/?mine=true", "GET rooms/?cursor=x"]);
});

test("who closes it is not asked again, and readers just end", async () => {
  const server = new FakeServer();
  const room = await server.enter(1);
  const events = room.events();
  const sent = room.send("hello");
  server.chat.close();
  assert.deepEqual(await events.next(), { value: undefined, done: true });
  await assert.rejects(sent, Closed);
  assert.equal(server.wire.isOpen, false);
});

test("what is watched is watched again after a break", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const server = new FakeServer();
  server.chat.watch([7, 9]);
  await server.hello();
  await server.close();
  t.mock.timers.tick(500);
  await server.hello();
  assert.deepEqual(server.heard("watch"), [{ type: "watch", rooms: [7, 9] }]);
});
