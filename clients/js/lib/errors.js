// What goes wrong, in five kinds. Whatever else is thrown is a fault of this module.

export class ChatTalkError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** The server said no: a `nack`, or a problem of the API. Go by `code`, show `sentence`. */
export class Refused extends ChatTalkError {
  constructor(code, sentence, { retryAfter = null, status = null, errors = [] } = {}) {
    super(sentence || code);
    Object.assign(this, { code, sentence: sentence || code, retryAfter, status, errors });
  }

  static of({ code, detail, retry_after: retryAfter = null }) {
    return new Refused(code, detail, { retryAfter });
  }
}

/** The sign-in counts no more, and no new token is to be had by it. */
export class SignedOut extends ChatTalkError {
  constructor(sentence = "The sign-in has ended.") {
    super(sentence);
  }
}

/** The server ended the connection for good: 4003, somebody else is signed in; 1009, a frame was
 * too long. */
export class Ended extends ChatTalkError {
  constructor(code, reason = "") {
    super(reason || `The server ended the connection with ${code}.`);
    Object.assign(this, { code, reason });
  }
}

/** You closed the client yourself. */
export class Closed extends ChatTalkError {
  constructor() {
    super("The client was closed.");
  }
}

/** No answer came over HTTP. */
export class Unreachable extends ChatTalkError {
  constructor(cause) {
    super(`The server can't be reached: ${cause?.message ?? cause}`, { cause });
  }
}

/** Is the same worth asking again later? */
export function isPassing(error) {
  if (error instanceof Unreachable) return true;
  return error instanceof Refused && (error.status === 429 || error.status >= 500);
}
