// How long to stay away: random, so that a crowd does not come back at once.

const FIRST_WAIT = 500; // ms, doubled with each failure …
const LONGEST_WAIT = 30_000; // … up to this, and each wait is a random part of it
const LONGEST_NAMED = 60; // seconds that the server may ask us to stay away
const SOON = [500, 5_000]; // ms
const LATER = [1_000, 10_000];
const WAIT_AFTER = { 1001: SOON, 1012: SOON, 4013: LATER, 4500: LATER }; // by close code

/** Milliseconds before the next attempt. */
export function waitBefore(attempt, code, random = Math.random) {
  const [low, high] = WAIT_AFTER[code] ?? [0, Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempt)];
  return low + random() * (high - low);
}

/** Milliseconds that the reason of a close frame names; null if it names none. */
export function namedWait(reason) {
  try {
    return bounded(JSON.parse(reason).retry_after);
  } catch {
    return null; // it says something else, or nothing
  }
}

/** The same of an error of the API. */
export const waitNamedBy = (error) => bounded(error.retryAfter);

function bounded(seconds) {
  const isTime = typeof seconds === "number" && seconds >= 0 && seconds <= LONGEST_NAMED;
  return isTime ? seconds * 1_000 : null;
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
