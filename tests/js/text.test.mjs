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

// Text, and where its links lead; without any, it is all text. What a link leads to is what it reads.
const CASES = [
  // hosts
  ["https://a.example", "https://a.example"],
  ["HTTPS://A.EXAMPLE/X", "HTTPS://A.EXAMPLE/X"],
  ["http://localhost:8000/x", "http://localhost:8000/x"],
  ["http://192.168.0.5:8000/x", "http://192.168.0.5:8000/x"],
  ["http://[::1]:8000/x", "http://[::1]:8000/x"],
  ["https://cdn_1.files.example/x.zip", "https://cdn_1.files.example/x.zip"],
  ["see https://my_team.wiki.example/page ok", "https://my_team.wiki.example/page"],
  ["https://a-b.example:443/x", "https://a-b.example:443/x"],
  ["https://bücher.example/a", "https://bücher.example/a"],
  ["https://www.한국.kr/공지", "https://www.한국.kr/공지"],
  ["https://도메인.한국/길", "https://도메인.한국/길"],
  ["https://例え.テスト/道", "https://例え.テスト/道"],
  ["https://sk하이닉스.example/채용", "https://sk하이닉스.example/채용"],
  ["https://пример.example/x", "https://пример.example/x"],
  // hosts that could be read as another one
  ["https://carol@files.example/x"],
  ["https://carol:pw@files.example/x"],
  ["https://a.example:x@files.example/x"],
  ["https://a.example\\@b.example/"],
  ["https://a.example%2f@b.example/"],
  ["https://a.example'b.example/x"],
  ["https://a.example。b.example/x"],
  ["https://a.example&b.example"],
  ["https://a..example/x"],
  ["https://a.example:999999/x"],
  ["https://a.example:80b/x"],
  ["http://0x7f.1/x"],
  ["http://2130706433/x"],
  ["https://ｅxample.example/x"],
  ["https://аpple.example/x"], // its first letter is Cyrillic
  ["https://a.exa\u200bmple/x"],
  ["https://a.example\u202e/moc.elpmaxe.b"],
  ["https://a.example에서/x"],
  // what is no web address
  ["www.a.example 으로"],
  ["mailto:carol@a.example"],
  ["xhttps://a.example/x"],
  ["https://"],
  // the stops and brackets of the sentence, and those of the address
  ["https://a.example.", "https://a.example"],
  ["https://a.example, and", "https://a.example"],
  ["https://a.example/x, and", "https://a.example/x"],
  ["https://a.example/x?", "https://a.example/x"],
  ["https://a.example/x…", "https://a.example/x"],
  ["https://a.example/x?y=1&z=2#w!", "https://a.example/x?y=1&z=2#w"],
  ["https://a.example/100%", "https://a.example/100%"],
  ["https://a.example/x~", "https://a.example/x~"],
  ["https://a.example/x'y", "https://a.example/x'y"],
  ["https://a.example/x\\y"],
  ["(https://a.example)", "https://a.example"],
  ["https://en.wiki.example/wiki/Foo_(bar)", "https://en.wiki.example/wiki/Foo_(bar)"],
  ["(https://en.wiki.example/wiki/Foo_(bar)).", "https://en.wiki.example/wiki/Foo_(bar)"],
  ["[t](https://a.example/x)", "https://a.example/x"],
  ["https://a.example/x(see below)", "https://a.example/x"],
  ["<https://a.example/x>", "https://a.example/x"],
  ["**https://a.example/x**", "https://a.example/x"],
  ["_https://a.example/x_", "https://a.example/x"],
  ["https://a.example/x_", "https://a.example/x_"],
  ["`https://a.example/x`", "https://a.example/x"],
  ["https://a.example/x,https://b.example/y", "https://a.example/x", "https://b.example/y"],
  ["https://a.example,https://b.example", "https://a.example", "https://b.example"],
  ["https://a.example/web/https://b.example/y", "https://a.example/web/https://b.example/y"],
  // the marks of Korean, Japanese and Chinese
  ["https://a.example/docs（한글 설명）입니다", "https://a.example/docs"],
  ["https://a.example/docs。", "https://a.example/docs"],
  ["https://a.example/docs、그리고", "https://a.example/docs"],
  ["https://a.example/docs，再看", "https://a.example/docs"],
  ["「https://a.example/docs」", "https://a.example/docs"],
  ["“https://a.example/docs”라고 했다", "https://a.example/docs"],
  ["‘https://a.example’라고", "https://a.example"],
  ["https://a.example/x\u200b뒤", "https://a.example/x"],
  ["https://a.example/x\u3164뒤", "https://a.example/x"],
  // words that are glued to it
  ["https://a.example에서", "https://a.example"],
  ["https://a.example:8000에서 봐요", "https://a.example:8000"],
  ["https://sk하이닉스.example에서", "https://sk하이닉스.example"],
  ["한글https://a.example/b입니다.", "https://a.example/b"],
  ["https://a.example/docs에서는 안 돼요", "https://a.example/docs"],
  ["https://a.example/docs인데요", "https://a.example/docs"],
  ["https://a.example/docs이랑 https://b.example/y도", "https://a.example/docs", "https://b.example/y"],
  ["문서(https://a.example/docs)를 보세요", "https://a.example/docs"],
  ["https://en.wiki.example/wiki/Foo_(bar)에서", "https://en.wiki.example/wiki/Foo_(bar)"],
  ["https://a.example/docsを見て", "https://a.example/docs"],
  ["请看https://a.example/docs的说明v2版", "https://a.example/docs"],
  ["https://a.example/docs.그리고", "https://a.example/docs"],
  // paths in letters of any script
  ["https://ko.wiki.example/wiki/은", "https://ko.wiki.example/wiki/은"],
  ["https://ko.wiki.example/wiki/서울", "https://ko.wiki.example/wiki/서울"],
  ["https://ko.wiki.example/wiki/A형_간염(B형과)", "https://ko.wiki.example/wiki/A형_간염(B형과)"],
  ["https://a.example/?q=한글&r=東京", "https://a.example/?q=한글&r=東京"],
];

for (const [text, ...links] of CASES) {
  test(`${JSON.stringify(text)} leads where it reads`, () => {
    const found = pieces(text);
    assert.deepEqual(found.filter((piece) => typeof piece !== "string"), links.map(link));
    assert.equal(found.map((piece) => piece.address ?? piece).join(""), text);
  });
}

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
  for (const sign of [")", "(", "*x", "에a", ",", "_", "@", "https://", "a.", "[", "(a)", "가"]) {
    for (const start of ["https://a.example/", "https://a.example"]) {
      pieces(start + sign.repeat(4000 / sign.length));
    }
  }
  assert.ok(performance.now() - started < 1000);
});

test("the first letter tells whether a text is Korean", () => {
  assert.equal(languageOf("☕ 커피 and tea"), "ko");
  assert.equal(languageOf("tea and 커피"), undefined);
});
