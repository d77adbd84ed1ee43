import assert from "node:assert/strict";
import test from "node:test";

import { namedWait, waitBefore } from "../../static/js/socket.js";

const least = () => 0;
const most = () => 1;

test("the first wait is short, the others double up to half a minute, all from nothing", () => {
  assert.equal(waitBefore(0, 1006, most), 500);
  assert.equal(waitBefore(1, 1006, most), 1_000);
  assert.equal(waitBefore(5, 1006, most), 16_000);
  assert.equal(waitBefore(6, 1006, most), 30_000);
  assert.equal(waitBefore(10, 1006, most), 30_000);
  assert.equal(waitBefore(10, 1006, least), 0);
});

test("a server that restarts or is too busy is given the time it asks for", () => {
  assert.deepEqual([waitBefore(0, 1012, least), waitBefore(0, 1012, most)], [500, 5_000]);
  assert.deepEqual([waitBefore(0, 4013, least), waitBefore(0, 4013, most)], [1_000, 10_000]);
  assert.deepEqual([waitBefore(0, 4500, least), waitBefore(0, 4500, most)], [1_000, 10_000]);
});

test("a time that the server names is kept; what is none is passed over", () => {
  assert.equal(namedWait('{"retry_after": 2.5}'), 2_500);
  for (const reason of ["", "restart", "null", '{"retry_after": "soon"}', '{"retry_after": 1e9}']) {
    assert.equal(namedWait(reason), null);
  }
});
