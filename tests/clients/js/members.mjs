// Three members talk while their servers fail. Tells, line by line as JSON, how far it has come, and
// at last all that each of them heard and was answered.
//
//   node members.mjs '["http://…", "http://…"]' 40     // the processes; messages of each member

import { randomUUID } from "node:crypto";

import { ChatTalk } from "../../../clients/js/lib/chattalk.js";

const [urls, count] = [JSON.parse(process.argv[2]), Number(process.argv[3])];
const NAMES = ["alice", "bob", "dana"];
const PATIENCE = 80_000; // ms
const TOLD_EVERY = 10; // events that the first member has heard

const tell = (what) => console.log(JSON.stringify(what));

async function come(name, index) {
  const url = urls[index % urls.length];
  const account = { email: `${name}-${randomUUID()}@example.com`, password: "a long and quiet evening" };
  await ChatTalk.signUp(url, { ...account, displayName: name });
  const chat = new ChatTalk(url, account);
  const breaks = [];
  chat.on("state", (state) => state === "offline" && breaks.push(state));
  return { name, chat, breaks, heard: [], called: [] };
}

async function listen(member, room) {
  room.on("event", ({ seq }) => member.called.push(seq));
  for await (const { kind, seq, body } of room.events()) {
    if (kind !== "message") continue;
    member.heard.push([seq, body]);
    if (member.name === NAMES[0] && member.heard.length % TOLD_EVERY === 0) {
      tell({ heard: member.heard.length });
    }
    if (member.heard.length === NAMES.length * count) return;
  }
}

const members = await Promise.all(NAMES.map(come));
const { id } = await members[0].chat.open("Tea", { capacity: 10 });
await Promise.all(members.slice(1).map(({ chat }) => chat.join(id)));
const rooms = await Promise.all(members.map(({ chat }) => chat.enter(id)));
const listening = members.map((member, index) => listen(member, rooms[index]));
const sending = rooms.flatMap((room, index) =>
  Array.from({ length: count }, (_, number) => room.send(`${NAMES[index]} ${number}`)),
);
const all = Promise.all([Promise.all(sending), ...listening]);
// What never comes is told as what is missing.
const [receipts] = await Promise.race([all, new Promise((late) => setTimeout(late, PATIENCE, [[]]))]);
for (const { name, chat, heard, called, breaks } of members) {
  tell({ name, heard, called, breaks: breaks.length });
  chat.close();
}
tell({ receipts: receipts.map(({ seq }) => seq) });
process.exit();
