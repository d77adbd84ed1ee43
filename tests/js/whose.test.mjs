import assert from "node:assert/strict";
import test from "node:test";

import { ask } from "../../static/js/whose.js";

test("an answer that never comes is waited for so long and no longer", async (t) => {
  let waited;
  t.mock.method(AbortSignal, "timeout", (ms) => {
    waited = ms;
    return AbortSignal.abort(new DOMException("too late", "TimeoutError"));
  });
  const hangs = (_url, { signal }) =>
    new Promise((_answered, refused) => signal.aborted && refused(signal.reason));
  t.mock.method(globalThis, "fetch", hangs);
  await assert.rejects(ask("/rooms/7/members/", "text/html"), { name: "TimeoutError" });
  assert.ok(waited > 0 && waited <= 30_000);
});
