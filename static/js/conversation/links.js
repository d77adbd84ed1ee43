// Where in a text its web addresses stand. A link leads exactly where it reads: what could be read
// in two ways is cut where a sentence would go on, and where a host could, it is no link at all.
//
// A rule of kinds of signs, without lists of words. The host is letters, digits, ".", "-" and "_";
// after it nothing may stand that somebody could take for a part of it. The rest goes on over
// letters of every script and the printable signs of ASCII, so any other mark ends it. Letters
// that are written without spaces (Hangul, Han, Kana) belong to the sentence where they follow an
// ASCII letter: /docs에서 ends after "docs", /wiki/한국 is whole.

const START = /(?<![\p{sc=Latin}\d])https?:\/\//giu;
const HOST = /\[[\da-f:.]+\]|(?:(?!\p{DI})[\p{L}\p{M}\p{N}_.-])+/iuy;
const PORT = /:(\d+)/y;
const REST = /(?:[!#-;=?-[\]^_a-z{|}~]|(?!\p{DI})[\p{L}\p{M}\p{N}])*/iuy;
const ANOTHER = /(?<=[,;|]|[^\x00-\x7f])https?:\/\//iu; // begins in the midst of one

const CJK = "\\p{sc=Hangul}\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}ー";
const GLUED = new RegExp(`[a-z\\d](?=[${CJK}])`, "iu"); // in a host
const WORDS = new RegExp(`(?<=[a-z\\d)\\]](?:[.,;:!]|\\*+)?)[${CJK}]+(?![^a-z\\d])`, "iu"); // after ASCII
const MIXED = new RegExp(`^[${CJK}\\p{sc=Latin}\\p{M}\\d_-]*$`, "u");
// After a host: what makes it another one (a sign and a letter, user:password@, what can't be seen).
const NOT_THE_END = /^(?:[a-z\d\p{DI}\p{Cf}]|[!-.:;=\\^_`{|}~。．｡]+(?!https?:)[\p{L}\d]|[^\s/?#]*@)/iu;

const CLOSING = { ")": "(", "]": "[", "}": "{" };
const OPENING = new Set(Object.values(CLOSING));
const LAST = /[.,;:!?'|^]$/;

// → [{ index, address }] in the order of the text
export function* addresses(text) {
  START.lastIndex = 0;
  for (let start; (start = START.exec(text)); ) {
    const address = addressAt(text, start.index, START.lastIndex);
    if (!address) continue;
    START.lastIndex = start.index + address.length;
    yield { index: start.index, address };
  }
}

function addressAt(text, start, hostAt) {
  const host = hostIn(text, hostAt);
  if (!host) return null;
  const end = hostAt + host.length;
  const port = found(PORT, text, end);
  const restAt = end + port.length;
  const after = text.slice(restAt);
  if (!/^[/?#]/.test(after)) {
    const ends = !NOT_THE_END.test(after) && leadsTo(text.slice(start, restAt), host, port);
    return ends ? text.slice(start, restAt) : null;
  }
  const rest = trimmed(found(REST, text, restAt), text.slice(0, start));
  if (rest === null || text[restAt + rest.length] === "\\") return null;
  const address = text.slice(start, restAt + rest.length);
  return leadsTo(address, host, port) ? address : null;
}

function found(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

// The name of a host without what a sentence glues to its end; empty if it is none.
function hostIn(text, at) {
  const whole = found(HOST, text, at).replace(/[._-]+$/, "");
  const labels = whole.split(".");
  const last = labels.pop();
  const glued = last.search(GLUED);
  if (glued >= 0 && /^[/?#]|^:\d/.test(text.slice(at + whole.length))) return "";
  const end = glued < 0 ? last : last.slice(0, glued + 1);
  const isPlain = /^[a-z\d-]+$/i.test(end);
  if (!isPlain && labels.some((label) => GLUED.test(label))) return "";
  return [...labels, end].join(".");
}

// The browser goes where it reads: the same host, port and no user; one alphabet in each name.
function leadsTo(address, host, port) {
  const url = parsed(address);
  if (!url || url.username || url.password || host.normalize("NFKC") !== host) return false;
  if (port && Number(url.port || (url.protocol === "http:" ? 80 : 443)) !== Number(port.slice(1))) {
    return false;
  }
  if (/^[\x00-\x7f]*$/.test(host)) return url.hostname === host.toLowerCase() && !/\.\./.test(host);
  return host.split(".").every((label) => label && ofOneAlphabet(label));
}

function parsed(address) {
  try {
    return new URL(address);
  } catch {
    return null; // a port above 65535, a host that can't be one
  }
}

function ofOneAlphabet(label) {
  return !/\p{sc=Latin}/u.test(label) || MIXED.test(label);
}

// Without what belongs to the sentence: another address, its brackets, emphasis, stops and words.
function trimmed(rest, before) {
  const other = rest.search(ANOTHER);
  let address = balanced(other < 0 ? rest : rest.slice(0, other));
  for (let length = -1; length !== address.length; ) {
    length = address.length;
    address = withoutEmphasis(address, before);
    while (LAST.test(address)) address = address.slice(0, -1);
    const words = address.search(WORDS);
    if (words >= 0) address = balanced(address.slice(0, words));
  }
  return address;
}

// Up to the first bracket that closes what was opened before it, or is never closed.
function balanced(text) {
  const open = [];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (OPENING.has(sign)) open.push(at);
    else if (sign in CLOSING && text[open.pop()] !== CLOSING[sign]) return text.slice(0, at);
  }
  return open.length ? text.slice(0, open[0]) : text;
}

// **https://a.example/x**
function withoutEmphasis(address, before) {
  const [signs] = /[*_~]*$/.exec(address);
  const opened = signs && new RegExp(`(?:^|[\\s(*_~])[${signs.at(-1)}]`).test(before);
  return opened ? address.slice(0, address.length - signs.length) : address;
}
