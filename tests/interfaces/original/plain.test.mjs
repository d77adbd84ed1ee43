// @stomp/stompjs 7 over a plain WebSocket at /stomp, as a client of today would use it.
// The environment says where, and who: see test_node.py.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(process.env.NPM);
const { Client, ReconnectionTimeMode } = require("@stomp/stompjs");
const { WebSocket } = require("ws");

const { STOMP_URL, OTHER_URL, ALICE, BOB, CHARLIE, ROOM } = process.env;
const PATIENCE = 15_000; // ms, for a busy machine

function within(promise, what) {
  let timer;
  const late = new Promise((_, refuse) => {
    timer = setTimeout(() => refuse(new Error(`${what} did not come`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

class Talker {
  constructor(token, { url = STOMP_URL, versions, ...options } = {}) {
    this.heard = [];
    this.errors = [];
    this.waiting = [];
    this.client = new Client({
      webSocketFactory: () => new WebSocket(url, versions ?? ["v12.stomp", "v11.stomp", "v10.stomp"]),
      connectHeaders: { Authorization: `Bearer ${token}` },
      reconnectDelay: 0,
      heartbeatIncoming: 10_000,
      heartbeatOutgoing: 10_000,
      forceBinaryWSFrames: false,
      ...options,
    });
  }

  connect() {
    return within(
      new Promise((done, refuse) => {
        this.client.onConnect = (frame) => done(frame);
        this.client.onStompError = (frame) => {
          this.errors.push(frame);
          refuse(new Error(frame.headers.message));
        };
        this.client.onWebSocketClose = (event) => {
          this.closed = event;
          refuse(new Error(`closed ${event.code}`));
        };
        this.client.activate();
      }),
      "CONNECTED",
    );
  }

  subscribe(headers = {}, destination = `/sub/chat/${ROOM}`) {
    const receipt = randomUUID();
    const answered = within(new Promise((done) => this.client.watchForReceipt(receipt, done)), "RECEIPT");
    const subscription = this.client.subscribe(destination, (message) => this.hear(message), { receipt, ...headers });
    return answered.then(() => subscription);
  }

  hear(message) {
    this.heard.push(message);
    this.waiting = this.waiting.filter((one) => !one());
  }

  until(done, what) {
    return within(
      new Promise((resolve) => {
        const look = () => done(this) && (resolve(), true);
        if (!look()) this.waiting.push(look);
      }),
      what,
    );
  }

  say(text, headers = {}) {
    const receipt = randomUUID();
    const answered = within(new Promise((done) => this.client.watchForReceipt(receipt, done)), "RECEIPT");
    this.client.publish({
      destination: "/send/chat/message",
      headers: { receipt, ...headers },
      body: JSON.stringify({ chatId: ROOM, message: text }),
    });
    return answered;
  }

  get texts() {
    return this.heard.map((one) => JSON.parse(one.body)).filter((one) => one.type === "MESSAGE").map((one) => one.message);
  }

  close() {
    return this.client.deactivate();
  }
}

async function talking(use, ...talkers) {
  try {
    await use(...talkers);
  } finally {
    await Promise.all(talkers.map((one) => one.close()));
  }
}

for (const [versions, version] of [
  [["v12.stomp"], "1.2"],
  [["v11.stomp"], "1.1"],
  [["v10.stomp"], "1.0"],
]) {
  test(`a client of ${version} connects, subscribes and talks`, () =>
    talking(
      async (alice) => {
        const connected = await alice.connect();
        assert.equal(connected.headers.version ?? "1.0", version);
        assert.equal(alice.client.webSocket.protocol, versions[0]);
        await alice.subscribe();
        const text = `hello by ${version}: 안녕, 😀 \\ : \n two lines`;
        await alice.say(text);
        await alice.until(() => alice.texts.includes(text), "the message");
      },
      new Talker(ALICE, {
        versions,
        stompVersions: new (require("@stomp/stompjs").Versions)([version]),
      }),
    ));
}

test("what one says, the other hears in another process, in order, with seq", () =>
  talking(
    async (alice, bob) => {
      await Promise.all([alice.connect(), bob.connect()]);
      await Promise.all([alice.subscribe(), bob.subscribe()]);
      const texts = Array.from({ length: 5 }, (_, n) => `line ${n} ${randomUUID()}`);
      await Promise.all(texts.map((text) => alice.say(text)));
      await bob.until(() => texts.every((text) => bob.texts.includes(text)), "all lines");
      assert.deepEqual(bob.texts.filter((text) => texts.includes(text)), texts);
      const seqs = bob.heard.map((one) => Number(one.headers.seq));
      assert.deepEqual(seqs, seqs.map((_, n) => seqs[0] + n));
    },
    new Talker(ALICE),
    new Talker(BOB, { url: OTHER_URL }),
  ));

test("a client-id makes a message that is sent twice one message", () =>
  talking(
    async (alice) => {
      await alice.connect();
      await alice.subscribe();
      const headers = { "client-id": randomUUID() };
      await alice.say("once", headers);
      await alice.say("once", headers);
      await alice.say("end");
      await alice.until(() => alice.texts.includes("end"), "the end");
      assert.equal(alice.texts.filter((text) => text === "once").length, 1);
    },
    new Talker(ALICE),
  ));

test("a subscription with `after` brings what came since, and then goes on", () =>
  talking(
    async (alice, bob) => {
      await Promise.all([alice.connect(), bob.connect()]);
      const subscription = await bob.subscribe();
      await alice.say("seen");
      await bob.until(() => bob.texts.includes("seen"), "the first");
      const after = bob.heard.at(-1).headers.seq;
      subscription.unsubscribe();
      await alice.say("missed 1");
      await alice.say("missed 2");
      bob.heard = [];
      await bob.subscribe({ after });
      await alice.say("live");
      await bob.until(() => bob.texts.includes("live"), "the live one");
      assert.deepEqual(bob.texts, ["missed 1", "missed 2", "live"]);
    },
    new Talker(ALICE),
    new Talker(BOB),
  ));

test("the length that it tells is that of the bytes, and is taken so", () =>
  talking(
    async (alice) => {
      const told = [];
      alice.client.debug = (line) => told.push(line);
      await alice.connect();
      await alice.subscribe();
      await alice.say("세 자 😀");
      await alice.until(() => alice.texts.includes("세 자 😀"), "the message");
      const sent = told.find((line) => line.startsWith(">>> SEND"));
      const [head, body] = sent.slice(">>> ".length).split("\n\n");
      assert.ok(head.includes(`content-length:${Buffer.byteLength(body.replace("\0", ""))}`), sent);
    },
    new Talker(ALICE, { logRawCommunication: true }),
  ));

test("after a lost line what onConnect subscribes goes on without a hole, and nothing else does", () =>
  talking(
    async (alice, bob) => {
      await Promise.all([alice.connect(), bob.connect()]);
      const outside = [];
      bob.client.subscribe(`/sub/chat/${ROOM}`, (message) => outside.push(message));
      await bob.subscribe();
      await alice.say("before");
      await bob.until(() => bob.texts.includes("before"), "the first");
      const after = bob.heard.at(-1).headers.seq;
      const renewed = new Promise((done) => (bob.client.onConnect = () => done(bob.subscribe({ after }))));
      bob.client.onWebSocketClose = () => {};
      bob.heard = [];
      outside.length = 0;
      bob.client.forceDisconnect();
      await alice.say("missed");
      await within(renewed, "the subscription");
      await alice.say("live");
      await bob.until(() => bob.texts.includes("live"), "the live one");
      assert.deepEqual(bob.texts, ["missed", "live"]);
      assert.deepEqual(outside, []);
    },
    new Talker(ALICE),
    new Talker(BOB, { url: OTHER_URL, reconnectDelay: 100 }),
  ));

test("after UNSUBSCRIBE nothing more is heard", () =>
  talking(
    async (alice, bob) => {
      await Promise.all([alice.connect(), bob.connect()]);
      const subscription = await bob.subscribe();
      const receipt = randomUUID();
      const gone = within(new Promise((done) => bob.client.watchForReceipt(receipt, done)), "RECEIPT");
      subscription.unsubscribe({ receipt });
      await gone;
      bob.heard = [];
      await alice.say("unheard");
      await bob.say("and answered all the same");
      assert.deepEqual(bob.heard, []);
    },
    new Talker(ALICE),
    new Talker(BOB),
  ));

test("heart-beats go both ways", () =>
  talking(
    async (alice) => {
      let sent = 0;
      let got = 0;
      alice.client.debug = (line) => {
        sent += line === ">>> PING";
        got += line === "<<< PONG";
      };
      const connected = await alice.connect();
      const [out, into] = connected.headers["heart-beat"].split(",").map(Number);
      assert.ok(out > 0 && into > 0, connected.headers["heart-beat"]);
      const end = Date.now() + PATIENCE * 2;
      while (sent < 2 || got < 1) {
        assert.ok(Date.now() < end, `${sent} sent, ${got} heard`);
        await new Promise((done) => setTimeout(done, 100));
      }
      assert.ok(alice.client.connected);
    },
    new Talker(ALICE, { heartbeatIncoming: 5_000, heartbeatOutgoing: 5_000 }),
  ));

test("an outsider is refused, and hears nothing", () =>
  talking(
    async (alice, charlie) => {
      await Promise.all([alice.connect(), charlie.connect()]);
      charlie.client.onStompError = (frame) => charlie.errors.push(frame);
      const closed = within(new Promise((done) => (charlie.client.onWebSocketClose = done)), "the end");
      charlie.client.subscribe(`/sub/chat/${ROOM}`, (message) => charlie.hear(message));
      await Promise.race([closed, charlie.until(() => charlie.heard.length, "a refusal")]);
      await alice.say("for members");
      assert.ok(!charlie.texts.includes("for members"));
      assert.ok(charlie.errors.length || charlie.heard.length);
    },
    new Talker(ALICE),
    new Talker(CHARLIE),
  ));

test("who shows no good token gets ERROR at once", () =>
  talking(
    async (nobody) => {
      const start = Date.now();
      await assert.rejects(nobody.connect());
      assert.ok(Date.now() - start < 2_000);
      assert.equal(nobody.errors.length, 1);
    },
    new Talker("nonsense"),
  ));
