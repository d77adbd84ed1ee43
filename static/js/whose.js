// Whose page this is. A page outlives its sign-in: by another tab, or by the Back button, somebody
// else may be signed in by now. Then it stops, leaves nothing of its person's on the screen, and
// is loaded anew for whoever is there.
//
//   me()                 // the id of the person it was made for, as text; "" for nobody
//   await ask(url, type) // fetch as that person
//   await insist(url, type) // the same, and again where the server says when: for what is asked once
//   whenOver(task)       // the page is theirs no more: `task` has no await, and may answer a
//                        // sentence for its person, called with whether they signed out
//   notMine()            // the server says so

const KEY = "chattalk:user"; // whom this browser's newest page was made for, told to all its tabs
const SIGNED_OUT = "signed out "; // … and nobody, for this one has signed out
const LEAVING = "chattalk:leaving"; // who signs out by a tab just now, and since when
const LEAVING_FOR = 30_000; // ms that it may take; the server closes sockets sooner than it answers
const TOLD = "chattalk:over"; // in the tab: the next page says why it is another one
const RELOADS = "chattalk:reloads"; // in the tab: when
const SHOWN_FOR = 1_500; // ms, so that it can be read why the page goes
const ANSWER_WITHIN = 20_000; // ms; who asks again and again must not wait for ever
const LATER = [429, 503]; // it says when to ask again
const WAIT_MAX = 10_000; // ms; who looks at the page has gone on by then
const TRIES = 3;
const RELOADS_MAX = 3; // in …
const RELOADS_WITHIN = 30_000; // … ms; where the page and the socket disagree, no faster

const tasks = [];
let isOver = false;

// undefined on a page that does not know, for it tells of a fault.
const made = () => globalThis.document?.body.dataset.user;
export const me = () => made() ?? "";

export async function ask(url, type) {
  if (isOver) throw new Error("This page is nobody's any more.");
  const headers = { Accept: type, "X-ChatTalk-As": me() };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN) });
  if (answer.status === 409) notMine();
  return answer;
}

export async function insist(url, type) {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask(url, type);
    const wait = 1000 * Number(answer.headers.get("Retry-After") ?? NaN);
    if (!LATER.includes(answer.status) || !(wait <= WAIT_MAX) || tries === TRIES) return answer;
    await new Promise((done) => setTimeout(done, wait));
  }
}

export function whenOver(task) {
  tasks.push(task);
}

// This page signs its person out.
export function leaves() {
  keep("localStorage", LEAVING, `${Date.now()} ${me()}`);
}

function isLeaving() {
  const [since, user] = (kept("localStorage", LEAVING) ?? "").split(" ");
  return user === me() && Date.now() - since < LEAVING_FOR;
}

export function notMine(hasSignedOut = isLeaving()) {
  if (isOver) return;
  isOver = true;
  if (hasSignedOut) forgetTab(me());
  curtain(tasks.map((task) => task(hasSignedOut)).filter((said) => said?.length));
  keep("sessionStorage", TOLD, me());
  if (navigator.onLine) loadAnew();
  else addEventListener("online", loadAnew, { once: true });
}

// What this tab keeps of a person goes with their sign-out.
export function forgetTab(user) {
  for (const key of kept("sessionStorage") ?? []) {
    if (key.startsWith("chattalk:") && key.includes(`:${user}:`)) keep("sessionStorage", key, null);
  }
}

// `signedOut`: who was signed in before this page.
export function watchWhose(signedOut) {
  sayWhy();
  if (made() === undefined) return;
  if (isFresh()) keep("localStorage", KEY, signedOut ? SIGNED_OUT + signedOut : me());
  else look();
  addEventListener("storage", look);
  addEventListener("pageshow", (event) => event.persisted && look());
  document.addEventListener("visibilitychange", () => document.hidden || look());
}

// ---- inside ----

// By the Back button the browser may show a page as it was.
function isFresh() {
  return performance.getEntriesByType("navigation")[0]?.type !== "back_forward";
}

// Who signed in by another tab need not do so in this one as well.
function look() {
  const newest = kept("localStorage", KEY);
  if (newest === null || newest === me()) return;
  if (me()) notMine(newest === SIGNED_OUT + me() || isLeaving());
  else if (!newest.startsWith(SIGNED_OUT) && !isOver && isUntouched()) loadAnew();
}

function isUntouched() {
  const inputs = [...document.querySelectorAll("input:not([type=hidden])")];
  return inputs.every((input) => input.value === input.defaultValue);
}

function curtain(sentences) {
  const title = document.createElement("h1");
  title.textContent = gettext("The sign-in of this page has ended");
  const loading = gettext("This page is loaded anew as soon as there is a connection.");
  const texts = [...sentences, loading].map((sentence) => {
    const text = document.createElement("p");
    text.textContent = sentence;
    return text;
  });
  const [main, card] = [document.createElement("main"), document.createElement("div")];
  main.className = "gate";
  card.className = "card";
  card.setAttribute("role", "alert");
  card.append(title, ...texts);
  main.append(card);
  document.body.replaceChildren(main);
  document.title = "ChatTalk";
}

// The server knows the way: to this page for who is there now, else to the sign-in and back.
function loadAnew() {
  isOver = true;
  const now = Date.now();
  const lately = times().filter((time) => now - time < RELOADS_WITHIN);
  const wait = lately.length < RELOADS_MAX ? SHOWN_FOR : lately[0] + RELOADS_WITHIN - now;
  setTimeout(() => {
    keep("sessionStorage", RELOADS, JSON.stringify([...lately, Date.now()]));
    location.replace(location.pathname + location.search);
  }, wait);
}

function times() {
  try {
    return JSON.parse(kept("sessionStorage", RELOADS)) ?? [];
  } catch {
    return [];
  }
}

function sayWhy() {
  const before = kept("sessionStorage", TOLD);
  keep("sessionStorage", TOLD, null);
  if (!before || !me() || before === me()) return;
  const notice = document.createElement("p");
  notice.className = "notice info";
  notice.textContent = gettext("This tab was open for somebody else. It was loaded anew for you.");
  const notices = document.createElement("div");
  notices.className = "notices";
  notices.setAttribute("role", "status");
  notices.append(notice);
  document.getElementById("main").before(notices);
}

// Without a key: all keys.
function kept(storage, key) {
  try {
    return key ? globalThis[storage].getItem(key) : Object.keys(globalThis[storage]);
  } catch {
    return null; // storage is switched off: the socket finds out
  }
}

function keep(storage, key, value) {
  try {
    if (value === null) globalThis[storage].removeItem(key);
    else globalThis[storage].setItem(key, value);
  } catch {
    // as above
  }
}
