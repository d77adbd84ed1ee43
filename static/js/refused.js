// What could not be sent, on pages that send nothing: to read, to copy, to discard.

import { make } from "./conversation/dom.js";
import { when } from "./conversation/words.js";
import { copyButton } from "./copy.js";
import { discard, left } from "./unsent.js";
import { me } from "./whose.js";

// `box` is templates/_refused.html: of all rooms, or of one.
export function watchRefused(box) {
  show(box);
  document.addEventListener("refused", () => show(box)); // of static/js/courier.js
}

async function show(box) {
  const list = box.querySelector("ul");
  const items = await refused(Number(box.dataset.room) || null);
  list.replaceChildren(...items.map((item) => shown(item, () => show(box))));
  box.hidden = !items.length;
}

async function refused(room) {
  try {
    const items = await left(me());
    // At the entrance of a room nothing can be sent: there it is all that is left of it.
    return items.filter((item) => (room ? item.room === room : item.state === "failed"));
  } catch {
    return []; // this browser keeps nothing
  }
}

function shown(item, changed) {
  const away = async () => {
    await discard(me(), item.cid);
    changed();
  };
  return make(
    "li",
    {},
    make("p", { class: "refused-body", dir: "auto" }, item.body),
    make(
      "p",
      { class: "refused-where" },
      make("a", { href: `/rooms/${Number(item.room)}/`, dir: "auto" }, item.title),
      ` · ${when(new Date(item.at))}`,
    ),
    item.why ? make("p", { class: "refused-where" }, item.why) : null,
    copyButton(item.body),
    discardButton(away),
  );
}

function discardButton(away) {
  const button = make("button", { type: "button", class: "text-button" }, gettext("Discard"));
  button.addEventListener("click", away);
  return button;
}
