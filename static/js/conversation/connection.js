// The state of the connection, said calmly: nothing while it is short, one line when it lasts.

const PATIENCE = 1_200; // ms before a loss is worth a word
const BACK_FOR = 2_500; // ms that "back" is shown

export class Connection {
  constructor(element) {
    this.element = element;
    this.timer = null;
  }

  become(state) {
    clearTimeout(this.timer);
    if (state === "open") return this.back();
    this.timer = setTimeout(() => this.say(trouble(), "is-off"), PATIENCE);
  }

  back() {
    if (this.element.hidden) return;
    this.say(gettext("You are connected again."), "is-back");
    this.timer = setTimeout(() => (this.element.hidden = true), BACK_FOR);
  }

  say(text, look) {
    this.element.textContent = text;
    this.element.className = `strip ${look}`;
    this.element.hidden = false;
  }
}

function trouble() {
  return navigator.onLine
    ? gettext("Connecting… What you write now is sent as soon as there is a connection.")
    : gettext("You are offline. What you write now is sent when you are back.");
}
