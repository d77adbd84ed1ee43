// Words and times in the reader's language and zone.

import { dayKey, language } from "../time.js";

export { dayKey };

const clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const dayOfYear = new Intl.DateTimeFormat(language, {
  weekday: "long",
  day: "numeric",
  month: "long",
});
const dayAndYear = new Intl.DateTimeFormat(language, { dateStyle: "full" });
const number = new Intl.NumberFormat(language);

export const time = (date) => clock.format(date);
export const moment = (date) => full.format(date);
export const amount = (count) => number.format(count);

export function day(date, now = new Date()) {
  if (dayKey(date) === dayKey(now)) return gettext("Today");
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (dayKey(date) === dayKey(yesterday)) return gettext("Yesterday");
  return (date.getFullYear() === now.getFullYear() ? dayOfYear : dayAndYear).format(date);
}

// 14:03 for today, else with its date.
export function when(date, now = new Date()) {
  return dayKey(date) === dayKey(now) ? time(date) : short.format(date);
}

export function fill(text, values) {
  return interpolate(text, values, true);
}

// counted(ngettext("%(count)s seat", "%(count)s seats", n), n)
export function counted(text, count, values = {}) {
  return fill(text, { count: amount(count), ...values });
}

// {count, more} of messages: "3 new messages", "100+ new messages".
export function newMessages({ count, more }) {
  const text = more
    ? gettext("%(count)s+ new messages")
    : ngettext("%(count)s new message", "%(count)s new messages", count);
  return counted(text, count);
}
