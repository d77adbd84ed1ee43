// The API (docs/api.md): JSON over HTTP, signed in, one more try where a token had run out.

import { Refused, SignedOut, Unreachable } from "./errors.js";

const ANSWER_WITHIN = 20_000; // ms

export class Rest {
  constructor({ url, fetch, credentials = "omit" }) {
    this.root = new URL("/api/v1/", url).href;
    this.fetch = fetch ?? ((...asked) => globalThis.fetch(...asked));
    this.credentials = credentials;
    this.signIn = null; // set by who signs in
  }

  /** `path` below /api/v1/, or a link that the server gave. Answers its JSON; raises Refused, … */
  async call(method, path, body) {
    const headers = await this.signIn.headers(method);
    const answer = await this.ask(method, path, body, headers);
    if (answer.status !== 401) return this.read(answer);
    if (!(await this.signIn.renew(headers.Authorization))) throw new SignedOut();
    return this.read(await this.ask(method, path, body, await this.signIn.headers(method)));
  }

  // By nobody yet.
  async plainly(method, path, body) {
    return this.read(await this.ask(method, path, body, {}));
  }

  // ---- inside ----

  async ask(method, path, body, headers) {
    try {
      return await this.fetch(this.address(path), {
        method,
        headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: this.credentials,
        signal: AbortSignal.timeout(ANSWER_WITHIN),
      });
    } catch (error) {
      throw new Unreachable(error);
    }
  }

  // A link may name the server as a proxy sees it; a token is shown to nobody but ours.
  address(path) {
    const { pathname, search } = new URL(path, this.root);
    return new URL(pathname + search, this.root).href;
  }

  async read(answer) {
    if (answer.status === 204) return null;
    let json;
    try {
      json = await answer.json();
    } catch (error) {
      if (answer.ok) throw new Unreachable(error); // cut off on its way
      json = {};
    }
    if (answer.ok) return json;
    throw refusal(answer, json);
  }
}

function refusal(answer, { code = "error", detail, errors }) {
  const wait = answer.headers.get("Retry-After");
  const retryAfter = wait === null || Number.isNaN(Number(wait)) ? null : Number(wait);
  const sentence = detail ?? `The server answered ${answer.status}.`;
  return new Refused(code, sentence, { retryAfter, status: answer.status, errors });
}
