import assert from "node:assert/strict";
import test from "node:test";

// As much of a page as the socket asks for.
const element = () => ({ append() {}, setAttribute() {} });
const body = { dataset: { user: "7" }, replaceChildren() {} };
Object.assign(globalThis, {
  addEventListener() {},
  gettext: (text) => text,
  location: { href: "http://chat.example.org/", pathname: "/", search: "", replace() {} },
  document: { body, createElement: element, addEventListener() {}, hidden: false },
  WebSocket: class {
    sent = [];
    send(text) {
      this.sent.push(text);
    }
    close() {}
  },
});
Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });

const { connect } = await import("../../static/js/socket.js");

function opened() {
  const socket = connect();
  const { wire } = socket;
  wire.onmessage({ data: JSON.stringify({ type: "hello", user: { id: 7 } }) });
  return { socket, wire };
}

test("an open socket sends", (t) => {
  const { socket, wire } = opened();
  t.after(() => socket.forgetTimers());
  assert.equal(socket.send({ type: "typing", room: 1 }), true);
  assert.deepEqual(wire.sent, ['{"type":"typing","room":1}']);
});

for (const code of [4001, 4003]) {
  test(`nothing is sent by a socket that was closed for good, with ${code}`, (t) => {
    const { socket, wire } = opened();
    t.after(() => socket.forgetTimers());
    wire.onclose({ code, reason: "" });
    assert.equal(socket.state, "offline");
    assert.equal(socket.send({ type: "typing", room: 1 }), false);
    assert.deepEqual(wire.sent, []);
  });
}
