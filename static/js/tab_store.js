// What a tab remembers over a reload. Without storage (private mode, full) it forgets, no more.

export function tabStore(key) {
  return {
    load() {
      try {
        return JSON.parse(sessionStorage.getItem(key)) || [];
      } catch (error) {
        console.warn("This tab's storage can't be read:", error.message);
        return [];
      }
    },
    save(items) {
      try {
        if (items.length) sessionStorage.setItem(key, JSON.stringify(items));
        else sessionStorage.removeItem(key);
      } catch (error) {
        console.warn("This tab's storage can't be written:", error.message);
      }
    },
  };
}
