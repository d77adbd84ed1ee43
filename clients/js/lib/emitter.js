// Who wants to hear of what.

export class Emitter {
  #listeners = new Map();

  /** Answers a function that ends it. */
  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return () => void this.#listeners.get(type).delete(listener);
  }

  // A listener that stumbles costs the others nothing; its error is nobody's, as in any event.
  tell(type, what) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(what);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
