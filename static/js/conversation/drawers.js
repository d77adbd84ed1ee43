// My rooms and the people: columns on a wide screen, drawers over the conversation on a small one
// or at a high zoom. An open drawer is a dialog: the focus is in it, and what lies under is inert.

const wide = matchMedia("(min-width: 960px)");
const UNDER = ".talk, .site-header, .skip"; // a drawer

export class Drawer {
  // opened() when its contents are to be seen: as a drawer or as a column.
  constructor({ panel, button, shade, opened = () => {} }) {
    Object.assign(this, { panel, button, shade, opened });
    button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    panel.querySelector(".side-close").addEventListener("click", () => this.close());
    shade.addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isOpen) this.close();
    });
    wide.addEventListener("change", () => this.turned());
    this.turned();
  }

  get isOpen() {
    return this.panel.classList.contains("is-open");
  }

  open() {
    this.panel.classList.add("is-open");
    this.settle();
    this.takeFocus();
    this.opened();
  }

  // What is not drawn yet can't have the focus: again with each frame, until it is in.
  takeFocus() {
    if (!this.isOpen || this.panel.contains(document.activeElement)) return;
    this.panel.querySelector(".side-close").focus();
    requestAnimationFrame(() => this.takeFocus());
  }

  close() {
    if (!this.isOpen) return;
    this.panel.classList.remove("is-open");
    this.settle();
    this.button.focus();
  }

  turned() {
    if (wide.matches) {
      this.panel.classList.remove("is-open");
      this.opened();
    }
    this.settle();
  }

  settle() {
    const { panel, isOpen } = this;
    panel.inert = !wide.matches && !isOpen;
    for (const [name, value] of [["role", "dialog"], ["aria-modal", "true"]]) {
      if (isOpen) panel.setAttribute(name, value);
      else panel.removeAttribute(name);
    }
    this.button.setAttribute("aria-expanded", String(isOpen));
    this.cover();
  }

  cover() {
    const isCovered = Boolean(document.querySelector(".side.is-open"));
    this.shade.hidden = !isCovered;
    for (const under of document.querySelectorAll(UNDER)) under.inert = isCovered;
  }
}
