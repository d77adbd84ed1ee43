// What every page has: times in the reader's zone, menus that close, passwords that can be looked at.

import { keepTimes } from "./time.js";
import { watchWhose } from "./whose.js";

const NOTICE_SHOWN_FOR = 8_000; // ms

keepTimes();
watchWhose();

const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// In a conversation they lie over what is said.
for (const notice of document.querySelectorAll(".conversation-page .notice")) {
  setTimeout(() => notice.remove(), NOTICE_SHOWN_FOR);
}

for (const box of document.querySelectorAll("[data-reveal]")) {
  const input = box.querySelector("input");
  const button = box.querySelector("button");
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
    button.setAttribute("aria-pressed", String(shown));
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  input.form.addEventListener("submit", () => show(false)); // browsers save only what is hidden
}
