import assert from "node:assert/strict";
import test from "node:test";

import { Log } from "../../static/js/conversation/log.js";

const line = (seq) => ({ seq });
const lines = (...seqs) => seqs.map(line);
const held = (log) => log.events.map(({ seq }) => seq);

test("a line that follows is added, a line that was seen is a repeat", () => {
  const log = new Log({ events: lines(1, 2), head: 2 });
  assert.equal(log.take(line(3)), "added");
  assert.equal(log.take(line(3)), "repeat");
  assert.equal(log.take(line(1)), "repeat");
  assert.deepEqual(held(log), [1, 2, 3]);
});

test("a page comes in order and once, however it is handed over", () => {
  const log = new Log({ events: lines(3, 1, 2, 2) });
  assert.deepEqual(held(log), [1, 2, 3]);
});

test("while the reader is in the past, live lines are counted and come with the pages", () => {
  const log = new Log({ events: lines(1, 2, 3), head: 10 });
  assert.equal(log.attached, false);
  assert.equal(log.take(line(11)), "beyond");
  log.addAfter(lines(4, 5, 6, 7, 8));
  assert.equal(log.attached, false);
  log.addAfter(lines(9, 10, 11));
  assert.equal(log.attached, true);
  assert.deepEqual(held(log), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test("a page that overtook the wire makes the wire's lines repeats", () => {
  const log = new Log({ events: lines(1), head: 2 });
  log.addAfter(lines(2, 3, 4));
  assert.equal(log.take(line(3)), "repeat");
  assert.equal(log.take(line(4)), "repeat");
  assert.equal(log.take(line(5)), "added");
  assert.deepEqual(held(log), [1, 2, 3, 4, 5]);
});

test("an older page brings only what is not there yet", () => {
  const log = new Log({ events: lines(4, 5) });
  assert.deepEqual(log.addBefore(lines(2, 3, 4)).map(({ seq }) => seq), [2, 3]);
  assert.deepEqual(held(log), [2, 3, 4, 5]);
  assert.equal(log.start, 2);
});

test("letting the newest go leaves the end; they come again as a page", () => {
  const log = new Log({ events: lines(1, 2, 3, 4) });
  log.dropNewest(2);
  assert.equal(log.attached, false);
  assert.equal(log.take(line(5)), "beyond");
  log.addAfter(lines(3, 4, 5));
  assert.equal(log.attached, true);
  assert.deepEqual(held(log), [1, 2, 3, 4, 5]);
});

test("letting the oldest go changes nothing at the end", () => {
  const log = new Log({ events: lines(1, 2, 3) });
  log.dropOldest(2);
  assert.equal(log.start, 3);
  assert.equal(log.take(line(4)), "added");
});

test("an empty room begins at its head", () => {
  const log = new Log({ events: [], head: 7 });
  assert.equal(log.attached, true);
  assert.equal(log.take(line(8)), "added");
});

test("any mixture of pages and live lines ends in the whole log, each line once", () => {
  for (let round = 0; round < 500; round++) {
    const random = seeded(round);
    const log = new Log({ events: lines(1, 2, 3), head: 3 });
    let head = 3;
    let told = 3; // by the wire, in order
    for (let step = 0; step < 40; step++) {
      const choice = random();
      if (choice < 0.4) head += 1;
      else if (choice < 0.7 && told < head) log.take(line(++told));
      else if (choice < 0.8 && log.events.length > 4) log.dropNewest(2);
      else if (!log.attached) log.addAfter(range(log.end + 1, Math.min(head, log.end + 3)));
      else told = Math.max(told, log.live);
    }
    while (log.live < head) log.take(line(log.live + 1));
    while (!log.attached) log.addAfter(range(log.end + 1, Math.min(head, log.end + 3)));
    assert.deepEqual(held(log), range(1, head).map(({ seq }) => seq), `round ${round}`);
  }
});

function range(from, to) {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => line(from + n));
}

function seeded(seed) {
  let state = seed + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
