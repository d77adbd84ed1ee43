import assert from "node:assert/strict";
import test from "node:test";

import { Reading } from "../../static/js/conversation/reading.js";

const me = { id: 1 };
const line = (seq, by = 2, kind = "message") => ({ seq, kind, from: { id: by } });
const lines = (from, to, by = 2) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => line(from + n, by));

// A page that was opened with all of the log, read up to a line.
function opened({ head = 10, read = head } = {}) {
  const log = { head };
  const reading = new Reading({ me, read, news: head, head: () => log.head });
  reading.know(lines(1, head));
  const missed = head - read;
  reading.tell({ count: missed, more: false, first_seq: missed ? read + 1 : null, read, head });
  reading.stop();
  return { reading, log, say: (to, by = 2) => say(reading, log, to, by) };
}

function say(reading, log, to, by) {
  for (let seq = log.head + 1; seq <= to; seq++) {
    log.head = seq;
    reading.know([line(seq, by)]);
  }
}

const numbers = (from, to) => lines(from, to).map(({ seq }) => seq);

test("what comes at once is unread from its first line on, however many came", () => {
  for (const many of [1, 4, 18, 19, 60]) {
    const { reading, say } = opened({ head: 10 });
    say(10 + many);
    reading.stop();
    assert.equal(reading.line, 11);
    assert.deepEqual(reading.news, { count: many, more: false });
    assert.equal(reading.position, 10);
  }
});

test("what came in the place of lines that were lost nobody has read", () => {
  const { reading, log, say } = opened({ head: 10 });
  say(14);
  reading.see(numbers(11, 14));
  assert.equal(reading.position, 14);
  reading.goBack(12);
  log.head = 13;
  reading.resume(12);
  assert.deepEqual(reading.unread, { count: 0, more: true }); // until the server has told
  reading.tell({ count: 1, more: false, first_seq: 13, read: 12, head: 13 });
  assert.equal(reading.position, 12);
  assert.deepEqual([reading.first, reading.unread.count], [13, 1]);
});

test("only what was on the screen is read, and what was jumped over is not", () => {
  const { reading, say } = opened();
  say(70);
  reading.see(numbers(62, 70));
  assert.equal(reading.position, 10);
  assert.equal(reading.unread.count, 51);
  reading.see(numbers(11, 20));
  assert.equal(reading.position, 20);
  assert.equal(reading.unread.count, 41);
});

test("who goes to the end has passed over the rest", () => {
  const { reading, say } = opened();
  say(70);
  reading.pass(70);
  assert.equal(reading.position, 70);
  assert.deepEqual(reading.unread, { count: 0, more: false });
});

test("the line stays while what is below it is read, and moves with the next stop", () => {
  const { reading, say } = opened();
  say(15);
  reading.stop();
  reading.see(numbers(11, 13));
  say(17);
  reading.stop();
  assert.equal(reading.line, 11);
  reading.see(numbers(14, 17));
  assert.equal(reading.line, 11);
  say(18);
  reading.stop();
  assert.equal(reading.line, 18);
});

test("my own lines, and who comes and goes, are nobody's news", () => {
  const { reading, log, say } = opened();
  say(12, me.id);
  log.head = 13;
  reading.know([line(13, 2, "enter")]);
  reading.stop();
  assert.equal(reading.line, null);
  assert.equal(reading.position, 13);
});

test("the button counts what has come since the page was opened, the rest is the banner's", () => {
  const { reading, say } = opened({ head: 60, read: 10 });
  assert.equal(reading.line, 11);
  assert.equal(reading.unread.count, 50);
  assert.equal(reading.news.count, 0);
  say(61);
  assert.equal(reading.news.count, 1);
});

test("what was read on another device is read", () => {
  const { reading, say } = opened();
  say(20);
  reading.resume(15);
  assert.deepEqual([reading.position, reading.unread.count], [15, 5]);
  reading.resume(12);
  assert.equal(reading.position, 15);
  reading.resume(25); // the wire has not brought these yet
  say(26);
  assert.deepEqual([reading.position, reading.unread.count], [25, 1]);
});

test("of lines that this page does not know the server has told how much is unread", () => {
  const { reading, log } = opened();
  log.head = 1_110;
  reading.lose();
  assert.equal(reading.news.more, true);
  assert.equal(reading.position, 10); // the unknown is not read
  reading.tell({ count: 100, more: true, first_seq: 11, read: 10, head: 1_110 });
  reading.stop();
  assert.deepEqual(reading.news, { count: 100, more: true });
  assert.equal(reading.line, 11);
  reading.know(lines(11, 60), 11, 60);
  reading.see(numbers(11, 20));
  assert.deepEqual([reading.position, reading.news.count], [20, 90]);
  reading.know(lines(61, 1_110), 61, 1_110);
  assert.deepEqual(reading.news, { count: 1_090, more: false }); // now it is known
});

test("what comes by the wire beyond a hole is counted once", () => {
  const { reading, log, say } = opened();
  log.head = 40;
  reading.lose();
  reading.tell({ count: 30, more: false, first_seq: 11, read: 10, head: 40 });
  say(42);
  assert.deepEqual(reading.news, { count: 32, more: false });
  reading.know(lines(11, 30), 11, 30);
  assert.deepEqual(reading.news, { count: 32, more: false });
  reading.pass(42);
  assert.deepEqual([reading.position, reading.news.count], [42, 0]);
});

test("however lines come and are seen, the counts are what a plain look says", () => {
  for (let round = 0; round < 300; round++) {
    const random = seeded(round);
    const { reading, log } = opened({ head: 5 });
    const seen = new Set();
    let read = 5;
    for (let step = 0; step < 60; step++) {
      const choice = random();
      if (choice < 0.5) say(reading, log, log.head + Math.ceil(random() * 4), random() < 0.2 ? 1 : 2);
      else if (choice < 0.8) {
        const seq = read + Math.ceil(random() * 6);
        if (seq > log.head) continue;
        seen.add(seq);
        reading.see([seq]);
      } else if (choice < 0.9) {
        read = Math.max(read, Math.ceil(random() * log.head));
        reading.resume(read);
      }
      read = Math.max(read, reading.position);
    }
    const others = reading.others.filter((seq) => seq > read && !seen.has(seq));
    assert.equal(reading.unread.count, others.length, `round ${round}`);
    assert.equal(reading.position, (others[0] ?? log.head + 1) - 1, `round ${round}`);
  }
});

function seeded(seed) {
  let state = seed + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
