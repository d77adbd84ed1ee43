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

export function dayKey(date) {
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
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
  const days = daysBetween(date, now);
  if (days < 7) return ago.format(-days, "day");
  return (date.getFullYear() === now.getFullYear() ? day : dayOfYear).format(date);
}

// Of the calendar: "yesterday" is the day before, however many hours ago it was.
function daysBetween(date, now) {
  const [from, to] = [date, now].map((one) =>
    Date.UTC(one.getFullYear(), one.getMonth(), one.getDate()),
  );
  return Math.round((to - from) / DAY);
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
  whenDayChanges(() => showTimes());
}

// Calls `changed` when the day does, by the clock and in the zone of this page. Answers a function
// that looks at once. A clock that was set or a machine that slept is noticed at the next of many
// looks, and whenever somebody looks at the page.
export function whenDayChanges(changed) {
  let today = dayKey(new Date());
  const look = () => {
    const now = dayKey(new Date());
    if (now === today) return;
    today = now;
    changed();
  };
  setInterval(look, MINUTE / 2);
  untilMidnight(look);
  for (const event of ["focus", "pageshow"]) addEventListener(event, look);
  document.addEventListener("visibilitychange", look);
  return look;
}

function untilMidnight(look) {
  setTimeout(() => {
    look();
    untilMidnight(look);
  }, beforeMidnight(new Date()));
}

// ms to the first moment of the next day, which is not always 24 hours after the last one's.
export function beforeMidnight(now) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1) - now;
}
