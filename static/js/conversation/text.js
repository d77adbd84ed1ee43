// What somebody typed, as text to show: its addresses become links, nothing else becomes anything.

import { make } from "./dom.js";
import { addresses } from "./links.js";

// "see https://a.example/." → ["see ", {address: "https://a.example/"}, "."]
export function pieces(body) {
  const found = [];
  let end = 0;
  for (const { index, address } of addresses(body)) {
    if (index > end) found.push(body.slice(end, index));
    found.push({ address });
    end = index + address.length;
  }
  if (end < body.length) found.push(body.slice(end));
  return found;
}

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
