// What somebody typed, as text to show: its addresses become links, nothing else becomes anything.

import { make } from "./dom.js";

// A plain host and what follows it; user names and other schemes are left alone. Marks that turn
// the direction end it: with them, a link could read as another address than it leads to.
const ADDRESS =
  /\bhttps?:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?(?:[/?#][^\s<>\x22\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*)?/gi;
const PARTICLE = /[\da-z)\]/](?:에|에서|로|으로|은|는|이|가|을|를|와|과|의|도|예요|이에요|입니다)$/i;
const CLOSING = { ")": "(", "]": "[", "}": "{" };

// "see https://a.example/." → ["see ", {address: "https://a.example/"}, "."]
export function pieces(body) {
  const found = [];
  let end = 0;
  for (const match of body.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    if (match.index > end) found.push(body.slice(end, match.index));
    found.push({ address });
    end = match.index + address.length;
  }
  if (end < body.length) found.push(body.slice(end));
  return found;
}

// Without what belongs to the sentence: a full stop, a bracket around it, a Korean particle.
function trimmed(address) {
  const particle = address.match(PARTICLE);
  if (particle) return trimmed(address.slice(0, particle.index + 1));
  const last = address.at(-1);
  const opening = CLOSING[last];
  const ends = opening ? count(address, last) > count(address, opening) : /[.,;:!?\x27…]/.test(last);
  return ends ? trimmed(address.slice(0, -1)) : address;
}

const count = (text, sign) => text.split(sign).length - 1;

export function shown(body) {
  return pieces(body).map((piece) => (typeof piece === "string" ? piece : link(piece.address)));
}

function link(address) {
  const rel = "noopener noreferrer nofollow";
  return make("a", { href: address, target: "_blank", rel, dir: "ltr" }, address);
}

// As dir="auto" does for the direction, the first letter tells: Korean breaks between words, and
// is read aloud by a Korean voice, on every page.
export function languageOf(body) {
  return /^\P{L}*\p{Script=Hangul}/u.test(body) ? "ko" : undefined;
}
