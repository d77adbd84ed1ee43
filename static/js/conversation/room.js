// What the page shows of the room itself: its title, its rules, whether it is open, and whether I am
// in it. As it came with the page, with each subscription, and whenever it changes.

import { byId } from "./dom.js";
import { kindOf } from "./kinds.js";

export class Room {
  // changed(about) for the others who show something of it
  constructor({ about, me, moderates, changed }) {
    Object.assign(this, { me, moderates, changed });
    this.pageTitle = document.title.slice(about.title.length); // " · ChatTalk"
    this.isMember = true;
    this.become(about);
  }

  become(about) {
    this.about = about;
    this.show();
    this.changed(about);
  }

  // The same, with what a line of the log says of it.
  heard(event) {
    const { about } = kindOf(event);
    if (about) this.become({ ...this.about, ...about(event) });
  }

  closed() {
    this.become({ ...this.about, closed: true });
  }

  enter() {
    this.isMember = true;
    this.show();
  }

  left() {
    this.isMember = false;
    this.show();
  }

  get title() {
    return this.about.title + this.pageTitle;
  }

  get mayWrite() {
    return this.isMember && !this.about.closed;
  }

  get mayManage() {
    return this.moderates || this.about.owner === this.me.id;
  }

  // ---- inside ----

  show() {
    const { title, description, closed } = this.about;
    for (const place of document.querySelectorAll("[data-room-title]")) put(place, title);
    for (const place of document.querySelectorAll("[data-room-initial]")) {
      put(place, [...title.trim()][0] ?? "?");
    }
    for (const place of document.querySelectorAll("[data-room-description]")) {
      put(place, description);
      place.hidden = !description;
    }
    byId("composer").hidden = !this.mayWrite;
    byId("closed").hidden = this.mayWrite;
    byId("closed-text").textContent = this.isMember
      ? gettext("This room is closed. You can read, but nobody can write any more.")
      : gettext("You are not a member of this room any more.");
    for (const act of document.querySelectorAll("[data-manage]")) {
      const { manage } = act.dataset; // "open", "closed" or "any" room
      act.hidden = !this.mayManage || (manage !== "any" && closed !== (manage === "closed"));
    }
  }
}

// A selection in it stays, while it does not change.
function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
