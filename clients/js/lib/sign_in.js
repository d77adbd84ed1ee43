// Who we are, for the API and for the socket's handshake: by tokens, or by a browser's session.
//
//   await signIn.headers(method)   // of a request
//   await signIn.protocols()       // of a handshake
//   await signIn.renew(shown)      // what was shown counted no more: is it worth another try?

import { pause, waitBefore, waitNamedBy } from "./backoff.js";
import { isPassing, Refused, SignedOut } from "./errors.js";

const EARLY = 60_000; // ms before a token runs out that it is renewed, or …
const EARLY_PART = 0.2; // … this part of its life, if that is shorter
const AGAIN_AFTER = 30_000; // ms after a renewal that nobody answered
const LOST_WITHIN = 9_000; // ms; for ten seconds a lost answer may be asked for again
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** By e-mail and password once, or by tokens that were kept; renewed before they run out. */
export class TokenSignIn {
  // kept(pair) is called with each new pair, to be kept in place of the one before
  constructor(rest, { email, password, access, refresh, expiresIn, kept, proof }) {
    Object.assign(this, { rest, access, refresh, kept, proof: proof ?? usualProof() });
    this.account = email === undefined ? null : { email, password };
    this.working = this.timer = null; // one renewal at a time: who comes meanwhile waits for it
    this.lives(expiresIn);
  }

  async headers() {
    return { Authorization: `Bearer ${await this.token()}` };
  }

  async protocols() {
    this.shown = `Bearer ${await this.token()}`;
    if (this.proof === "bearer") return ["chattalk", `bearer.${this.access}`];
    const { ticket } = await this.rest.call("POST", "tickets/");
    return ["chattalk", `ticket.${ticket}`];
  }

  async renew(shown = this.shown) {
    if (shown === `Bearer ${this.access}`) await this.once(() => this.spend());
    return true;
  }

  stop() {
    clearTimeout(this.timer);
    this.isOver = true;
  }

  // ---- inside ----

  async token() {
    if (!this.access && !this.refresh) await this.once(() => this.first());
    else if (!this.access || Date.now() >= this.dueAt) await this.renewed();
    return this.access;
  }

  // What still counts is good enough where the server can't be asked.
  async renewed() {
    try {
      await this.once(() => this.spend());
    } catch (error) {
      if (!isPassing(error) || !this.access || Date.now() >= this.endsAt) throw error;
    }
  }

  once(work) {
    return (this.working ??= work().finally(() => (this.working = null)));
  }

  async first() {
    if (!this.account) throw new SignedOut("Give an e-mail and a password, or a token.");
    const pair = await this.rest.plainly("POST", "tokens/", this.account).catch(asSignedOut);
    this.account = null; // not needed any more
    this.keep(pair);
  }

  // Shown twice a refresh token ends its device, but for an answer that was lost just now.
  async spend() {
    if (!this.refresh) throw new SignedOut();
    const { refresh } = this;
    const end = Date.now() + LOST_WITHIN;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return this.keep(await this.rest.plainly("POST", "tokens/refresh/", { refresh }));
      } catch (error) {
        const wait = waitNamedBy(error) ?? waitBefore(attempt);
        if (!isPassing(error) || Date.now() + wait > end) return asSignedOut(error);
        await pause(wait);
      }
    }
  }

  keep(pair) {
    Object.assign(this, { access: pair.access, refresh: pair.refresh });
    this.lives(pair.expires_in);
    this.kept?.(pair);
  }

  // A client that only listens renews, too: else its device would run out.
  lives(seconds = Infinity) {
    const life = seconds * 1_000;
    this.endsAt = Date.now() + life;
    this.dueAt = this.endsAt - Math.min(EARLY, life * EARLY_PART);
    clearTimeout(this.timer);
    if (!this.refresh || this.isOver || life === Infinity) return;
    this.wakeIn(this.dueAt - Date.now());
  }

  wakeIn(ms) {
    this.timer = setTimeout(() => this.renewUnasked(), ms);
    this.timer.unref?.(); // in Node it keeps no program running
  }

  async renewUnasked() {
    try {
      await this.once(() => this.spend());
    } catch (error) {
      if (isPassing(error) && !this.isOver) this.wakeIn(AGAIN_AFTER);
      // else whoever asks next is told
    }
  }
}

/** As the person whom this browser has signed in; `as`: whom the page was made for. */
export class SessionSignIn {
  constructor({ as, csrf = tokenOfPage }) {
    Object.assign(this, { as, csrf });
  }

  async headers(method) {
    const headers = this.as === undefined ? {} : { "X-ChatTalk-As": String(this.as) };
    return SAFE.has(method) ? headers : { ...headers, "X-CSRFToken": this.csrf() };
  }

  async protocols() {
    return this.as === undefined ? ["chattalk"] : ["chattalk", `as.${this.as}`];
  }

  async renew() {
    return false;
  }

  stop() {}
}

// A handshake's headers may be written down by what stands between; a ticket is worth nothing then.
const usualProof = () => (globalThis.document ? "ticket" : "bearer");

const tokenOfPage = () =>
  globalThis.document?.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

function asSignedOut(error) {
  if (error instanceof Refused && error.status === 401) throw new SignedOut(error.sentence);
  throw error;
}
