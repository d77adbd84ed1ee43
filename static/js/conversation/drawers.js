// My rooms and the people: columns on a wide screen, drawers over the conversation on a small one.

const wide = matchMedia("(min-width: 960px)");

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
    this.panel.querySelector(".side-close").focus();
    this.opened();
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
    this.panel.inert = !wide.matches && !this.isOpen;
    this.button.setAttribute("aria-expanded", String(this.isOpen));
    this.shade.hidden = !document.querySelector(".side.is-open");
  }
}
