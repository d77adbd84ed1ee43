import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
Object.defineProperty(globalThis, "navigator", { value: { languages: [] }, configurable: true });
globalThis.gettext = (text) => text;
globalThis.ngettext = (one, more, count) => (count === 1 ? one : more);
globalThis.interpolate = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
const { alone, sentence } = await import("../../static/js/conversation/fold.js");

const by = (kind, body) => (name, id = name) => ({ kind, body, from: { id, name } });
const [came, left, removed] = [by("enter"), by("leave"), by("leave", "removed")];
const guests = (count) => Array.from({ length: count }, (_, number) => came(`Guest ${number}`));

test("two are named, the others are counted", () => {
  assert.equal(sentence([came("Alice")]), "Alice entered");
  assert.equal(sentence([came("Alice"), came("Bob")]), "Alice and Bob entered");
  const three = ["Alice", "Bob", "Charlie"].map((name) => came(name));
  assert.equal(sentence(three), "Alice, Bob and 1 other entered");
  const crowd = [came("Alice"), came("Bob"), ...guests(1_198)];
  assert.equal(sentence(crowd), "Alice, Bob and 1,198 others entered");
});

test("who came, who left and who was removed are told apart, in the order it began", () => {
  const events = [came("Alice"), left("Bob"), came("Charlie"), removed("Dana")];
  assert.equal(sentence(events), "Alice and Charlie entered · Bob left · Dana was removed");
});

test("who came and went five times is one person, by id and not by name", () => {
  const busy = Array.from({ length: 5 }, () => [came("Alice", 1), left("Alice", 1)]).flat();
  assert.equal(sentence(busy), "Alice entered · Alice left");
  assert.equal(sentence([came("Alice", 1), came("Alice", 2)]), "Alice and Alice entered");
});

test("one alone is told with the same words", () => {
  assert.equal(alone(removed("Bob")), "%(name)s was removed");
  assert.equal(alone(left("Bob")), "%(name)s left");
});
