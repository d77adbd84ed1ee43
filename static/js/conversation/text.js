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
  return pieces(body).flatMap((piece) =>
    typeof piece === "string" ? unturned(piece) : link(piece.address),
  );
}

// An override turns all letters after it, to the end of the line: "exe.jpg" reads as "gpj.exe". No
// script needs one, so each is shut in alone: it stays in the text, for who copies it (phones paste
// one with a number), and turns nothing. The other marks of direction move words and never letters;
// Arabic and Hebrew beside Latin words need them, so they do what they say, within their message.
const OVERRIDE = /([\u202d\u202e])/;

function unturned(text) {
  return text
    .split(OVERRIDE)
    .filter(Boolean)
    .map((part) => (OVERRIDE.test(part) ? make("bdi", {}, part) : part));
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
