import assert from "node:assert/strict";
import test from "node:test";

import { Unread } from "../../static/js/unread.js";

const room = () => new Unread({ head: 10, count: 3 });

test("activity after activity is counted once", () => {
  const unread = room();
  unread.heard({ after: 10, head: 12, count: 2 });
  unread.heard({ after: 10, head: 12, count: 2 });
  unread.heard({ after: 12, head: 15, count: 1 });
  assert.equal(unread.count, 6);
});

test("read to the end is nothing, whatever was counted", () => {
  const unread = room();
  unread.heard({ after: 10, head: 12, count: 2 });
  unread.read(12);
  assert.equal(unread.count, 0);
  unread.heard({ after: 12, head: 13, count: 1 });
  assert.equal(unread.count, 1);
});

test("read up to where a stretch ends leaves the later ones", () => {
  const unread = room();
  unread.heard({ after: 10, head: 12, count: 2 });
  unread.read(10);
  assert.equal(unread.count, 2);
});

test("read in part, a hole, or half a stretch twice: only the server knows", () => {
  for (const spoil of [
    (unread) => unread.read(9),
    (unread) => unread.heard({ after: 11, head: 13, count: 1 }),
    (unread) => unread.heard({ after: 8, head: 12, count: 2 }),
  ]) {
    const unread = room();
    spoil(unread);
    assert.equal(unread.count, null);
    unread.read(unread.head);
    assert.equal(unread.count, 0);
  }
});

test("my own lines in half a stretch are no riddle", () => {
  const unread = room();
  unread.heard({ after: 8, head: 12, count: 0 });
  assert.equal(unread.count, 3);
});

test("weeks of a lively room that nobody reads are kept in little, and counted all", () => {
  const unread = room();
  for (let head = 11; head <= 10_010; head++) unread.heard({ after: head - 1, head, count: 1 });
  assert.equal(unread.count, 10_003);
  assert.ok(unread.stretches.length <= 100);
  unread.read(10_009);
  assert.equal(unread.count, 1);
  unread.heard({ after: 10_010, head: 10_011, count: 1 });
  assert.equal(unread.count, 2);
});

test("read to somewhere in what was joined: only the server knows", () => {
  const unread = room();
  for (let head = 11; head <= 1_010; head++) unread.heard({ after: head - 1, head, count: 1 });
  unread.read(500);
  assert.equal(unread.count, null);
});
