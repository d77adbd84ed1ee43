// What a page asks for once, and is put off: it asks again when it is told to.

import assert from "node:assert/strict";
import test from "node:test";

import { ask, insist } from "../../static/js/whose.js";

globalThis.document = { body: { dataset: { user: "7" } } };

// Each answer is [status, Retry-After]; gives the times (ms) at which it was asked.
function server(t, answers) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  let now = 0;
  t.mock.method(AbortSignal, "timeout", () => new AbortController().signal);
  t.mock.method(globalThis, "fetch", async () => {
    asked.push(now);
    const [status, later] = answers[asked.length - 1];
    return new Response(null, { status, headers: later ? { "Retry-After": later } : {} });
  });
  const pass = async (ms) => {
    for (let step = 0; step < ms; step += 500) {
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      now += 500;
      t.mock.timers.tick(500);
    }
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return { asked, pass };
}

test("who is put off asks again when the server said, and gets the answer", async (t) => {
  const { asked, pass } = server(t, [[503, "3"], [429, "2"], [200]]);
  const answer = insist("/lines/", "application/json");
  await pass(10_000);
  assert.equal((await answer).status, 200);
  assert.deepEqual(asked, [0, 3_000, 5_000]);
});

test("nobody asks for ever, nor before a time that is far away or not named", async (t) => {
  const { asked, pass } = server(t, [[503, "1"], [503, "1"], [503, "1"], [429, "60"], [503], [404, "1"]]);
  for (const status of [503, 429, 503, 404]) {
    const answer = insist("/lines/", "application/json");
    await pass(5_000);
    assert.equal((await answer).status, status);
  }
  assert.equal(asked.length, 6);
});

test("what comes back by itself is asked once", async (t) => {
  const { asked } = server(t, [[503, "1"]]);
  assert.equal((await ask("/lobby/rooms/", "text/html")).status, 503);
  assert.equal(asked.length, 1);
});
