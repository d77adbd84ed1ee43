// Times in the reader's zone and the page's language. The server writes UTC:
//   <time datetime="2026-11-23T14:03:07.123456+00:00" data-time="relative">…</time>
// data-time: "relative" (5 minutes ago, then a date), "clock" (14:03) or "full".

const MINUTE = 60_000; // ms
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// The page's language as the reader writes it: en-GB says 14:03 where en-US says 2:03 PM.
export const language = ownKind(document.documentElement.lang, navigator.languages);

export function ownKind(language, languages = []) {
  return languages.find((one) => one.split("-")[0] === language) || language || undefined;
}

const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const format = (options) => new Intl.DateTimeFormat(language, options);
const clock = format({ hour: "numeric", minute: "2-digit" });
const day = format({ month: "short", day: "numeric" });
const dayOfYear = format({ year: "numeric", month: "short", day: "numeric" });
const full = format({ dateStyle: "full", timeStyle: "medium" });

export const asClock = (date) => clock.format(date);
export const asFull = (date) => full.format(date);

export function asRelative(date, now = new Date()) {
  const age = Math.max(0, now - date); // a clock that is behind does not read the future
  if (age < MINUTE) return ago.format(0, "second");
  if (age < HOUR) return ago.format(-Math.floor(age / MINUTE), "minute");
  if (age < DAY) return ago.format(-Math.floor(age / HOUR), "hour");
  if (age < 7 * DAY) return ago.format(-Math.floor(age / DAY), "day");
  return (date.getFullYear() === now.getFullYear() ? day : dayOfYear).format(date);
}

const shapes = { relative: asRelative, clock: asClock, full: asFull };

export function showTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-time]")) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const text = (shapes[element.dataset.time] || asRelative)(date);
    if (element.textContent !== text) element.textContent = text;
    element.title ||= asFull(date);
  }
}

// Keeps "5 minutes ago" true for as long as the page is looked at.
export function keepTimes() {
  showTimes();
  setInterval(() => document.hidden || showTimes(), MINUTE / 2);
  document.addEventListener("visibilitychange", () => document.hidden || showTimes());
}
