import assert from "node:assert/strict";
import test from "node:test";

// As much of a page as it asks for.
const element = () => ({ append() {}, setAttribute() {} });
let curtains = 0;
const body = { dataset: { user: "7" }, replaceChildren: () => (curtains += 1) };
const wires = [];
Object.assign(globalThis, {
  addEventListener() {},
  gettext: (text) => text,
  location: { origin: "http://chat.example.org", pathname: "/", search: "", replace() {} },
  document: { body, createElement: element, addEventListener() {}, hidden: false },
  WebSocket: class {
    sent = [];
    constructor(url, protocols) {
      Object.assign(this, { url, protocols });
      wires.push(this);
    }
    send(text) {
      this.sent.push(text);
    }
    close() {}
  },
});
Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });

const { chatOfPage } = await import("../../static/js/chat.js");

const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

async function opened(t) {
  const chat = chatOfPage();
  t.after(() => chat.close());
  chat.watch([1]);
  await settle();
  return { chat, wire: wires.at(-1) };
}

const greet = (wire) => wire.onmessage({ data: '{"type":"hello","user":{"id":7}}' });

test("a page says whom it was made for, and nothing before it was greeted", async (t) => {
  const { wire } = await opened(t);
  assert.equal(wire.url, "ws://chat.example.org/ws/");
  assert.deepEqual([wire.protocols, wire.sent], [["chattalk", "as.7"], []]);
  greet(wire);
  assert.deepEqual(wire.sent, ['{"type":"watch","rooms":[1]}']);
});

for (const code of [4001, 4003]) {
  test(`a page that was closed with ${code} sends nothing more and shows nothing`, async (t) => {
    const { chat, wire } = await opened(t);
    greet(wire);
    wire.onclose({ code, reason: "" });
    await settle();
    assert.equal(chat.room(1).typing(), false);
    assert.equal(wire.sent.length, 1);
    assert.equal(chat.state, "over");
    assert.equal(curtains, 1); // once is enough
  });
}
