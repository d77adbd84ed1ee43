import assert from "node:assert/strict";
import test from "node:test";

import { languageOf, pieces } from "../../static/js/conversation/text.js";

const link = (address) => ({ address });

test("an address becomes a link, the words around it stay as they were typed", () => {
  assert.deepEqual(pieces("see https://a.example/b?c=1&d=2#e now"), [
    "see ",
    link("https://a.example/b?c=1&d=2#e"),
    " now",
  ]);
  assert.deepEqual(pieces("no address\n at all "), ["no address\n at all "]);
  assert.deepEqual(pieces(""), []);
});

test("the stop and the brackets of the sentence are not part of it, its own brackets are", () => {
  const wiki = "https://a.example/wiki/Seoul_(city)";
  assert.deepEqual(pieces(`(${wiki}).`), ["(", link(wiki), ")."]);
  assert.deepEqual(pieces("https://a.example/x, and"), [link("https://a.example/x"), ", and"]);
});

test("a Korean particle may follow, a Korean path stays whole", () => {
  assert.deepEqual(pieces("https://a.example에서"), [link("https://a.example"), "에서"]);
  assert.deepEqual(pieces("https://a.example/b입니다."), [link("https://a.example/b"), "입니다."]);
  assert.deepEqual(pieces("https://a.example/서울"), [link("https://a.example/서울")]);
});

test("nothing but a plain web address is one", () => {
  const others = ["javascript:alert(1)", "data:text/html,x", "//a.example", "ftp://a.example/"];
  for (const text of others) assert.deepEqual(pieces(text), [text]);
  assert.deepEqual(pieces('https://a.example/"onclick="x'), [
    link("https://a.example/"),
    '"onclick="x',
  ]);
});

test("a mark that turns the direction is not part of an address", () => {
  for (const mark of ["\u202e", "\u202d", "\u2067", "\u200f", "\u061c"]) {
    const text = `https://a.example/${mark}moc.elpmaxe.b`;
    assert.deepEqual(pieces(text), [link("https://a.example/"), `${mark}moc.elpmaxe.b`]);
  }
});

test("a text that never ends its address takes no time to speak of", () => {
  const started = performance.now();
  pieces(`https://a.example/${")".repeat(4000)}`);
  assert.ok(performance.now() - started < 1000);
});

test("the first letter tells whether a text is Korean", () => {
  assert.equal(languageOf("☕ 커피 and tea"), "ko");
  assert.equal(languageOf("tea and 커피"), undefined);
});
