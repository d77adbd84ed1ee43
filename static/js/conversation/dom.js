// Elements from text. What people typed only ever becomes a text node.

export const byId = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const TONES = 8; // as many as the stylesheet has

export function avatar(person) {
  const [initial = "?"] = person.name.trim();
  return make("span", { class: `avatar tone-${person.id % TONES}`, "aria-hidden": "true" }, initial);
}

// A person looks at this page now.
export const attentive = () => !document.hidden && document.hasFocus();
