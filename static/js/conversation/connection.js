// What keeps messages from going through, said calmly: nothing while it is short, one line when it
// lasts, one when it is over.

const PATIENCE = 1_200; // ms before a loss is worth a word
const BACK_FOR = 2_500; // ms that "back" is shown

export class Connection {
  // changed() when messages go through, or do not any more: each try to connect is no such change
  constructor(element, changed) {
    Object.assign(this, { element, changed, state: "connecting", stuck: false, timer: null });
    this.wasThrough = false;
    this.keeps = false; // what is written, over the end of the tab
  }

  become(state) {
    Object.assign(this, { state, stuck: false });
    this.look();
  }

  // We are connected, but the server can't store or read messages.
  stick(stuck) {
    if (stuck === this.stuck) return;
    this.stuck = stuck;
    this.look();
  }

  get isThrough() {
    return this.state === "open" && !this.stuck;
  }

  // ---- inside ----

  look() {
    clearTimeout(this.timer);
    if (this.isThrough !== this.wasThrough) {
      this.wasThrough = this.isThrough;
      this.changed();
    }
    if (this.isThrough) return this.back();
    this.timer = setTimeout(() => this.say(this.trouble(), "is-off"), PATIENCE);
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

  trouble() {
    const text = this.whatIsWrong();
    return this.keeps ? text : `${text} ${gettext("Keep this page open until then.")}`;
  }

  whatIsWrong() {
    if (this.stuck) {
      return gettext("The server has trouble. What you write now is sent as soon as it can take it.");
    }
    if (navigator.onLine) {
      return gettext("Connecting… What you write now is sent as soon as there is a connection.");
    }
    return this.keeps
      ? gettext("You are offline. What you write now is kept here and sent when you are back.")
      : gettext("You are offline. What you write now is sent when you are back.");
  }
}
