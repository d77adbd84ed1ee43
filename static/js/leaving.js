// What this browser keeps of a person goes with their sign-out, and they are asked before.

import { fill } from "./conversation/words.js";
import { forget, left } from "./unsent.js";
import { forgetTab, leaves, me } from "./whose.js";

export async function leave(form) {
  const count = (await waiting()).length;
  const text = ngettext(
    "%(count)s message is not sent yet. Signing out discards it.",
    "%(count)s messages are not sent yet. Signing out discards them.",
    count,
  );
  if (count && !confirm(fill(text, { count }))) return;
  leaves();
  form.submit();
}

async function waiting() {
  try {
    return await left(me());
  } catch {
    return []; // this browser keeps nothing
  }
}

// On the page after it.
export async function forgetAll(user) {
  forgetTab(user);
  await forget(user);
}
