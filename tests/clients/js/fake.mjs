// A server that says exactly what a test lets it say, for what a real one does only by chance.

import { afterEach } from "node:test";

import { ChatTalk } from "../../../clients/js/lib/chattalk.js";

const clients = []; // those that are at work keep the program running
afterEach(() => clients.splice(0).forEach(({ socket }) => socket.rest()));

const ME = { id: 3, name: "Bob" };
const ABOUT = { title: "Tea", description: "", capacity: 9, owner: 3, closed: false, personnel: 2, first: 1 };

export const message = (seq, more = {}) => ({
  ...{ type: "event", room: 7, seq, kind: "message", at: "2026-11-23T14:03:07.123456Z" },
  ...{ from: { id: 4, name: "Charlie" }, body: `line ${seq}`, ...more },
});

export const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

class Wire {
  constructor(server, protocols) {
    Object.assign(this, { server, protocols, sent: [], isOpen: true });
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.isOpen = false;
  }
}

export class FakeServer {
  constructor(options = {}) {
    this.wires = [];
    this.asked = []; // over HTTP
    this.pages = []; // what the next requests for events are answered with
    this.chat = new ChatTalk("http://chat.test", {
      access: "token",
      random: () => 1,
      socket: (url, protocols) => {
        this.wires.push(new Wire(this, protocols));
        return this.wire;
      },
      fetch: (...request) => this.answer(...request),
      ...options,
    });
    clients.push(this.chat);
  }

  get wire() {
    return this.wires.at(-1);
  }

  async answer(url, { method, body }) {
    this.asked.push(`${method} ${url.replace("http://chat.test/api/v1/", "")}`);
    const answer = this.pages.shift();
    if (answer instanceof Error) throw answer;
    const { status = 200, json, headers } = typeof answer === "function" ? answer(body) : answer;
    return new Response(JSON.stringify(json), { status, headers });
  }

  async say(...frames) {
    for (const frame of frames) this.wire.onmessage({ data: JSON.stringify(frame) });
    await settle();
  }

  async hello() {
    await settle();
    await this.say({ type: "hello", user: ME, heartbeat: 25, version: 1 });
  }

  async close(code = 1006, reason = "") {
    this.wire.onclose({ code, reason });
    await settle();
  }

  heard(type) {
    return this.wire.sent.filter((frame) => frame.type === type);
  }

  // The answer to what was asked last.
  async subscribed({ head, after, recovered = true, kept, read = 0 }) {
    const { ref } = this.heard("subscribe").at(-1);
    const told = { head, after, read, recovered, kept, about: ABOUT, ref };
    await this.say({ type: "subscribed", room: 7, ...told });
  }

  // A client that is in the room since line `head`.
  async enter(head = 0, from = undefined) {
    const entered = this.chat.enter(7, from);
    await this.hello();
    await this.subscribed({ head, after: from?.after ?? head });
    return entered;
  }

  async ack(send, seq) {
    const { cid, room } = send;
    await this.say({ type: "ack", cid, room, seq, at: "2026-11-23T14:03:07.1Z", repeated: false });
  }
}

export const page = (seqs, head) => ({ json: { results: seqs.map((seq) => message(seq)), head, read: 0 } });
