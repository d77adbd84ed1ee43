// Who waits at the entrance of a full or closed room is told when they can come in.

import { ask } from "./whose.js";

const FIRST = 5_000; // ms until the first question; then each pause is longer …
const LONGER = 1.5; // … by this …
const LONGEST = 60_000; // … up to this: a crowd that waits for one seat is no flood
const SPREAD = 0.2; // of a pause, so that a crowd does not ask all at once

const place = document.getElementById("entrance");
const news = document.getElementById("entrance-news");
const title = document.title;
let pause = FIRST;
let timer;

const state = () => place.firstElementChild.dataset.state;

if (state() !== "free") {
  wait();
  document.addEventListener("visibilitychange", () => document.hidden || soon());
}

function wait() {
  clearTimeout(timer);
  timer = setTimeout(look, pause * (1 + SPREAD * (2 * Math.random() - 1)));
  pause = Math.min(pause * LONGER, LONGEST);
}

// Somebody looks again.
function soon() {
  pause = FIRST;
  clearTimeout(timer);
  look();
}

async function look() {
  try {
    const answer = await ask(place.dataset.src, "text/html");
    if (answer.redirected) return void location.assign(place.dataset.room); // in by now, or signed out
    if (answer.ok) swap(await answer.text());
  } catch {
    // offline: the next round asks again
  }
  wait();
}

function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const before = state();
  const hadFocus = place.contains(document.activeElement);
  place.replaceChildren(...fresh.children);
  if (hadFocus) document.getElementById("join")?.focus({ preventScroll: true });
  if (state() !== before) tell(before);
}

function tell(before) {
  if ([before, state()].includes("closed")) return void location.assign(place.dataset.room);
  const isFree = state() === "free";
  news.textContent = isFree ? gettext("There is a free seat. You can join now.") : "";
  document.title = isFree ? `(!) ${title}` : title;
}
