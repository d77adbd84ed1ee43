// A button that takes a text to where the reader can paste it from, and says so.

import { make } from "./conversation/dom.js";

const SAID_FOR = 2_000; // ms

export function copyButton(text) {
  const button = make("button", { type: "button", class: "text-button" }, gettext("Copy"));
  button.addEventListener("click", async () => {
    await copy(text);
    button.textContent = gettext("Copied");
    setTimeout(() => (button.textContent = gettext("Copy")), SAID_FOR);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text); // a LAN address over http has no clipboard
  }
}

function copyBySelection(text) {
  const area = make("textarea", { class: "visually-hidden" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
