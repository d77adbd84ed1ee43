// The lobby keeps itself fresh: my rooms by the socket, all open rooms by asking now and then.

import { chatOfPage } from "./chat.js";
import { Courier } from "./courier.js";
import { watchMyRooms } from "./my_rooms.js";
import { showTimes } from "./time.js";
import { ask } from "./whose.js";

const REFRESH_EVERY = 15_000; // ms, while somebody looks
const TYPING_PAUSE = 250; // ms without a key before the search asks

const open = document.getElementById("open-rooms");
const search = document.getElementById("q");
let latest = 0; // answers may overtake each other: only the newest question's counts
let shown = "";

const chat = chatOfPage();
watchMyRooms(document.body, chat);
new Courier(chat).open();

setInterval(() => document.hidden || refresh(), REFRESH_EVERY);
document.addEventListener("visibilitychange", () => document.hidden || refresh());

let pause;
search.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(lookFor, TYPING_PAUSE);
});
search.form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(pause);
  lookFor();
});

function lookFor() {
  const words = search.value.trim();
  history.replaceState(null, "", words ? `?q=${encodeURIComponent(words)}` : location.pathname);
  refresh();
}

async function refresh() {
  const mine = ++latest;
  try {
    const answer = await ask(open.dataset.src + location.search, "text/html");
    const html = await answer.text();
    if (answer.ok && !answer.redirected && mine === latest) swap(html);
  } catch {
    // offline: what stands there stays, the next round asks again
  }
}

// Unchanged answers are left alone; the focus stays on the same thing of the same room.
function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const token of fresh.querySelectorAll("[name=csrfmiddlewaretoken]")) token.removeAttribute("value");
  const text = fresh.body.innerHTML;
  if (text === shown) return;
  shown = text;
  const focused = open.contains(document.activeElement) ? document.activeElement.id : "";
  adopt(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// The page's own token stays good, and fresh ones would make every answer look changed.
function adopt(fresh) {
  const token = document.querySelector(".menu [name=csrfmiddlewaretoken]").value;
  for (const input of fresh.querySelectorAll("[name=csrfmiddlewaretoken]")) input.value = token;
  open.replaceChildren(...fresh.body.childNodes);
  showTimes(open);
}
