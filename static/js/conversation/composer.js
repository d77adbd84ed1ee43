// Where a message is written. Enter sends it, Shift+Enter breaks the line.

import { amount, fill } from "./words.js";

const LONGEST = 4_000; // characters, as the server counts them
const COUNT_FROM = 3_500; // characters; before that nobody needs a counter

export class Composer {
  constructor({ form, text, counter, draft, send, typed }) {
    Object.assign(this, { form, text, counter, draft, send, typed });
    this.button = form.querySelector("[type=submit]");
    text.value = draft.load().join("") || "";
    text.addEventListener("input", () => this.changed());
    text.addEventListener("keydown", (event) => this.key(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.measure();
    // On a phone the keyboard would cover what there is to read.
    if (matchMedia("(hover: hover) and (pointer: fine)").matches) text.focus({ preventScroll: true });
  }

  key(event) {
    if (event.key !== "Enter" || event.shiftKey) return;
    // This Enter ends a syllable that is being composed (Korean, Japanese …), not the message.
    if (event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  submit() {
    const body = this.text.value.trim();
    if (!body || this.length() > LONGEST) return;
    this.text.value = "";
    this.changed();
    this.text.focus();
    this.send(body);
  }

  changed() {
    this.draft.save(this.text.value ? [this.text.value] : []);
    this.measure();
    this.typed(this.text.value);
  }

  length() {
    return [...this.text.value.trim().normalize("NFC")].length;
  }

  measure() {
    const length = this.length();
    const tooLong = length > LONGEST;
    this.counter.hidden = length < COUNT_FROM;
    this.counter.textContent = this.counter.hidden
      ? ""
      : fill(gettext("%(length)s of %(most)s characters"), {
          length: amount(length),
          most: amount(LONGEST),
        });
    this.counter.classList.toggle("is-over", tooLong);
    this.text.setAttribute("aria-invalid", String(tooLong));
    this.button.disabled = tooLong || !length;
    this.fit();
  }

  // As high as its text; the stylesheet sets the bounds.
  fit() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight + 2}px`;
  }
}
