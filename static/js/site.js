// What every page has: times in the reader's zone, menus that close, passwords that can be looked at.

import "./ask.js";
import { keepTimes } from "./time.js";
import { watchWhose } from "./whose.js";

const NOTICE_SHOWN_FOR = 8_000; // ms

keepTimes();

const signedOut = document.querySelector("[data-signed-out]")?.dataset.signedOut;
watchWhose(signedOut);

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

// What few pages need, they fetch when they do.
const refused = document.querySelector("[data-refused]");
if (refused) import("./refused.js").then(({ watchRefused }) => watchRefused(refused));

if (signedOut) {
  const forget = async () => (await import("./leaving.js")).forgetAll(signedOut);
  forget().catch((error) => console.warn("This browser keeps nothing:", error.message));
}

document.querySelector("form[data-sign-out]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  import("./leaving.js").then(({ leave }) => leave(form)).catch(() => form.submit());
});
