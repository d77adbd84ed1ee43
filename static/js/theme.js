// Runs before the first paint (a plain script in <head>), so that a chosen theme never flickers.
// The choice stays in this browser; without one the system decides.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is blocked: the system decides
    }
  }

  function remember(theme) {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // storage is blocked: the choice holds for this page
    }
  }

  function apply(theme) {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  }

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  }

  apply(chosen());
  addEventListener("storage", (event) => event.key === "theme" && apply(event.newValue));

  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    show();
    button.hidden = false;
    system.addEventListener("change", show);
    addEventListener("storage", show);
    button.addEventListener("click", () => {
      const theme = isDark() ? "light" : "dark";
      remember(theme);
      apply(theme);
      show();
    });
  });
})();
