// Questions before something can't be undone: what a link or form with data-ask leads to is shown
// as a dialog over the page. Without it, or when it does not come, it is a page of its own.
// It is asked as the person of this page: its form would act for whoever is signed in by now.

import { ask } from "./whose.js";

const asksFirst = (element) => element.closest?.("a[data-ask], form[data-ask]");

document.addEventListener("click", (event) => {
  const link = asksFirst(event.target);
  if (!link?.href || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  putQuestion(link.href);
});

document.addEventListener("submit", (event) => {
  const form = asksFirst(event.target);
  if (!form) return;
  event.preventDefault();
  putQuestion(form.action);
});

async function putQuestion(address) {
  try {
    const answer = await ask(address, "text/html");
    if (answer.status === 409) return; // the page goes
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const question = page.querySelector("[data-question]");
    if (!answer.ok || !question) return void location.assign(address);
    show(question);
  } catch {
    location.assign(address); // offline: the browser says so
  }
}

function show(question) {
  const dialog = document.createElement("dialog");
  const asker = document.activeElement;
  dialog.className = "ask-dialog";
  dialog.setAttribute("aria-labelledby", "ask-title");
  dialog.append(...question.childNodes);
  lower(dialog.querySelector("h1"));
  const back = dialog.querySelector("[data-back]");
  back.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    giveBack(asker);
  });
  document.body.append(dialog);
  dialog.showModal();
  back.focus(); // what does no harm
}

// The page has its first heading.
function lower(heading) {
  const second = document.createElement("h2");
  for (const { name, value } of heading.attributes) second.setAttribute(name, value);
  second.append(...heading.childNodes);
  heading.replaceWith(second);
}

// Its menu may have closed meanwhile.
function giveBack(asker) {
  const isSeen = asker?.checkVisibility?.();
  (isSeen ? asker : asker?.closest?.("details")?.querySelector("summary"))?.focus();
}
