import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
Object.defineProperty(globalThis, "navigator", { value: { languages: [] }, configurable: true });
const { ownKind } = await import("../../static/js/time.js");

test("times are written as the reader's own kind of the page's language writes them", () => {
  assert.equal(ownKind("en", ["ko-KR", "en-GB", "en-US"]), "en-GB");
  assert.equal(ownKind("ko", ["en-GB"]), "ko");
  assert.equal(ownKind("", ["en-GB"]), undefined);
});
