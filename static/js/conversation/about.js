// The room's description beside the people: the beginning of a long one, all of it when asked.

export function watchAbout(text, button) {
  const look = () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.hidden = !isOpen && text.scrollHeight <= text.clientHeight;
  };
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(isOpen));
    button.textContent = isOpen ? gettext("Show less") : gettext("Show all");
    text.classList.toggle("is-clamped", !isOpen);
  });
  new ResizeObserver(look).observe(text);
  new MutationObserver(look).observe(text, { childList: true, characterData: true, subtree: true });
}
