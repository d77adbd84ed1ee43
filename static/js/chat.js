// The page's connection: the client of clients/js, as the person whom the page was made for. Its
// modules are served beside these (STATICFILES_DIRS).

import { ChatTalk } from "../client/chattalk.js";
import { me, notMine, whenOver } from "./whose.js";

// store(room) → where what waits for that room is kept
export function chatOfPage({ store } = {}) {
  const chat = new ChatTalk(location.origin, {
    session: true,
    as: me(),
    keepsRefused: true, // for its author to try again or to discard
    outboxMax: Infinity, // what was written stays, however much it is
    store,
  });
  chat.on("over", () => notMine()); // nobody is signed in any more, or somebody else
  whenOver(() => chat.close());
  return chat;
}
