// What a client does at a real server. `CHATTALK_URLS`: its processes, as JSON.
// `CHATTALK_LONG`: { room, owner: { access }, said }: a room with more lines than a resume brings.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test, { afterEach } from "node:test";

import { ChatTalk, Refused, SignedOut } from "../../../clients/js/lib/chattalk.js";

const urls = JSON.parse(process.env.CHATTALK_URLS);
const clients = [];

afterEach(() => clients.splice(0).forEach((chat) => chat.close()));

async function person(name, { at = 0, ...options } = {}) {
  const account = { email: `${name}-${randomUUID()}@example.com`, password: "a long and quiet evening" };
  await ChatTalk.signUp(urls[at], { ...account, displayName: name });
  return client({ ...account, ...options }, at);
}

function client(options, at = 0) {
  const chat = new ChatTalk(urls[at], options);
  clients.push(chat);
  return chat;
}

// A room with those in it; the first one's.
async function tea(...members) {
  const { id } = await members[0].open("Tea", { capacity: 10 });
  for (const member of members.slice(1)) await member.join(id);
  return id;
}

const next = (emitter, type, wanted = () => true) =>
  new Promise((found) => {
    const off = emitter.on(type, (what) => wanted(what) && (off(), found(what)));
  });

const code = (wanted) => (error) => {
  assert.ok(error instanceof Refused, error);
  assert.equal(error.code, wanted);
  assert.ok(error.sentence.endsWith("."));
  return true;
};

test("two at two processes hear one another, by ticket and by token", async () => {
  const [alice, bob] = [await person("alice", { proof: "ticket" }), await person("bob", { at: 1 })];
  const id = await tea(alice, bob);
  const [here, there] = [await alice.enter(id), await bob.enter(id)];
  const events = there.events();
  const receipt = await here.send("hello");
  const { value } = await events.next();
  assert.deepEqual([value.body, value.cid, value.seq], ["hello", receipt.cid, receipt.seq]);
  assert.deepEqual(value.from, alice.me);
  assert.equal(there.about.title, "Tea");
});

test("the same id is one message, and another text by it is refused", async () => {
  const alice = await person("alice");
  const room = await alice.enter(await tea(alice));
  const cid = randomUUID().toUpperCase();
  const first = await room.send("once", { cid });
  const again = await room.send("once", { cid });
  assert.deepEqual([again.seq, again.repeated], [first.seq, true]);
  await assert.rejects(room.send("other", { cid }), code("conflict"));
});

test("what can't be said or seen is refused with a sentence", async () => {
  const [alice, bob] = [await person("alice"), await person("bob")];
  const id = await tea(alice);
  const room = alice.room(id);
  await assert.rejects(room.send("  "), code("blank"));
  await assert.rejects(room.send("x".repeat(4_001)), code("too_long"));
  await assert.rejects(room.send("\u0007"), code("bad_text"));
  await assert.rejects(bob.enter(id), code("not_member"));
  await assert.rejects(bob.room(id).events().next(), code("not_member"));
  await assert.rejects(bob.room(id).send("hello"), code("not_member"));
  await assert.rejects(bob.call("GET", `rooms/${id}/events/`), code("not_member"));
});

test("who is faster than the room allows is waited for, and all is said in order", async () => {
  const alice = await person("alice");
  const room = await alice.enter(await tea(alice));
  const nacks = [];
  room.on("nack", (nack) => nacks.push(nack.code));
  const events = room.events();
  const bodies = Array.from({ length: 24 }, (_, number) => `line ${number}`);
  await Promise.all(bodies.map((body) => room.send(body)));
  const heard = [];
  while (heard.length < bodies.length) heard.push((await events.next()).value.body);
  assert.deepEqual(heard, bodies);
  assert.deepEqual(new Set(nacks), new Set(["rate_limited"]));
  assert.deepEqual(room.outbox.items, []);
});

test("more than a resume brings is read whole, by a listener and by a slow reader", async () => {
  const { room: id, access, said } = JSON.parse(process.env.CHATTALK_LONG);
  const chat = client({ access }, 1);
  const listened = [];
  chat.room(id).on("event", ({ seq }) => listened.push(seq));
  const room = await chat.enter(id, { after: 0 });
  assert.equal(room.head, said);
  const read = [];
  for await (const { seq } of room.events({ held: 7 })) {
    read.push(seq);
    if (seq === said) break;
  }
  const all = Array.from({ length: said }, (_, index) => index + 1);
  assert.deepEqual(read, all);
  if (room.last < said) await next(room, "event", ({ seq }) => seq === said);
  assert.deepEqual(listened, all);
});

test("a page that loads what it shows is told what was skipped, and pages go both ways", async () => {
  const { room: id, access, said } = JSON.parse(process.env.CHATTALK_LONG);
  const chat = client({ access });
  const room = chat.room(id);
  const skipped = next(room, "skipped");
  await room.enter({ after: 0, whole: false });
  assert.deepEqual(await skipped, { after: 0, head: said });
  const seqs = async (pages) => {
    const found = [];
    for await (const { seq } of pages) if (found.push(seq) === 3) break;
    return found;
  };
  assert.deepEqual(await seqs(room.history({ after: 4, limit: 2 })), [5, 6, 7]);
  assert.deepEqual(await seqs(room.history({ before: 4, limit: 2 })), [3, 2, 1]);
  assert.deepEqual(await seqs(room.history()), [said, said - 1, said - 2]);
});

test("who is here, who writes and what was read are told", async () => {
  const [alice, bob] = [await person("alice"), await person("bob", { at: 1 })];
  const id = await tea(alice, bob);
  const room = await alice.enter(id);
  const came = next(room, "presence", () => room.count === 2);
  const other = await bob.enter(id);
  await came;
  assert.deepEqual(room.here.map(({ name }) => name).sort(), ["alice", "bob"]);
  const typing = next(room, "typing");
  assert.deepEqual([other.typing(), other.typing()], [true, false]);
  assert.equal((await typing).user.name, "bob");
  const elsewhere = client({ access: await tokenOf(bob) });
  const reading = await elsewhere.enter(id);
  const read = next(reading, "read");
  other.read(2);
  assert.equal((await read).seq, 2);
  assert.equal(reading.readSeq, 2);
  const went = next(room, "presence", () => room.count === 1);
  bob.close();
  elsewhere.close();
  await went;
});

const tokenOf = async (chat) => (await chat.api.signIn.headers()).Authorization.slice("Bearer ".length);

test("what is watched tells of activity", async () => {
  const [alice, bob] = [await person("alice"), await person("bob", { at: 1 })];
  const id = await tea(alice, bob);
  const watching = next(bob, "watching");
  bob.watch([id]);
  assert.equal((await watching).rooms[0].room, id);
  const activity = next(bob, "activity");
  await alice.room(id).send("hello");
  assert.equal((await activity).room, id);
});

test("a room that I leave ends, and one that I am shown out of", async () => {
  const [alice, bob, dana] = [await person("alice"), await person("bob"), await person("dana")];
  const id = await tea(alice, bob, dana);
  const [one, other] = [await bob.enter(id), await dana.enter(id)];
  const read = async (room) => {
    const kinds = [];
    for await (const { kind } of room.events()) kinds.push(kind);
    return kinds;
  };
  const reading = [read(one), read(other)];
  await bob.leave(id);
  await alice.call("DELETE", `rooms/${id}/members/${dana.me.id}/`);
  assert.deepEqual((await reading[0]).at(0), "leave");
  assert.deepEqual((await reading[1]).at(-1), "leave");
  assert.deepEqual([one.ended, other.ended], ["left", "removed"]);
  await bob.join(id);
  assert.equal((await bob.enter(id)).ended, null);
  one.exit();
  assert.equal(one.ended, "exited");
});

test("my rooms come page after page", async () => {
  const alice = await person("alice");
  const ids = [await tea(alice), await tea(alice), await tea(alice)];
  const found = [];
  for await (const { id } of alice.pages("rooms/", { mine: true, limit: 2 })) found.push(id);
  assert.deepEqual(found, ids.reverse());
});

test("tokens are renewed by one request, and the old ones are not shown again", async () => {
  const kept = [];
  const alice = await person("alice", { kept: (pair) => kept.push(pair) });
  await alice.connect();
  const tokens = client({ refresh: kept[0].refresh, kept: (pair) => kept.push(pair) }, 1);
  await Promise.all([tokens.connect(), tokens.call("GET", "me/"), tokens.call("GET", "unread/")]);
  assert.equal(kept.length, 2);
  assert.equal(tokens.me.name, "alice");
});

test("a wrong password, a token of nobody's and a sign-out are the end of it", async () => {
  const alice = await person("alice");
  await assert.rejects(client({ email: "nobody@example.com", password: "wrong" }).connect(), SignedOut);
  await assert.rejects(client({ access: "nobody's" }).connect(), SignedOut);
  const room = await alice.enter(await tea(alice));
  const events = room.events();
  await client({ access: await tokenOf(alice) }, 1).signOut(); // the same device
  await assert.rejects(events.next(), SignedOut);
  await assert.rejects(room.send("more"), SignedOut);
});
