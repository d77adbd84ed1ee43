// What lib/chattalk.js exports. Frames are those of docs/wire.md.

export interface Person {
  id: number;
  name: string;
}

export interface About {
  title: string;
  description: string;
  capacity: number;
  owner: number;
  closed: boolean;
  personnel: number;
  first: number;
}

/** A line of a room's log. `kind` may be one that this version does not know. */
export interface ChatEvent {
  type: "event";
  room: number;
  seq: number;
  kind: "message" | "enter" | "leave" | "close" | "open" | "owner" | (string & {});
  at: string;
  from: Person;
  cid?: string;
  body?: string;
  [more: string]: unknown;
}

export interface Receipt {
  room: number;
  cid: string;
  seq: number;
  at: string;
  repeated: boolean;
}

export interface Frame {
  type: string;
  [field: string]: any;
}

export interface Tokens {
  access: string;
  refresh: string;
  expires_in: number;
  device: string;
}

export interface Item {
  cid: string;
  body: string;
  at: string;
  state: "pending" | "stored" | "failed";
  seq?: number;
  code?: string;
  why?: string;
}

export interface Store {
  load(): Item[] | Promise<Item[]>;
  save(items: Item[]): unknown;
  release?(cid: string): unknown;
}

export interface Page {
  results: ChatEvent[];
  head: number;
  read: number;
  next: string | null;
  previous: string | null;
}

export interface Card {
  id: number;
  title: string;
  description: string;
  owner: Person;
  capacity: number;
  personnel: number;
  created_at: string;
  closed_at: string | null;
}

export interface Place {
  room: number;
  role: "owner" | "member";
  read: number;
  head: number;
}

export interface Options {
  email?: string;
  password?: string;
  access?: string;
  refresh?: string;
  /** Seconds, of `access`. */
  expiresIn?: number;
  /** Keep this pair, and show no older one again. */
  kept?(pair: Tokens): void;
  proof?: "bearer" | "ticket";
  /** By the browser's cookie. */
  session?: boolean;
  /** Whom the page was made for. */
  as?: number | string;
  /** The CSRF token of the page, for what a session changes. */
  csrf?(): string;
  store?(room: number): Store | undefined;
  keepsRefused?: boolean;
  outboxMax?: number;
  fetch?: typeof globalThis.fetch;
  WebSocket?: new (url: string, protocols: string[]) => any;
  /** In place of `WebSocket`, where a handshake needs more. */
  socket?(url: string, protocols: string[]): any;
  random?(): number;
}

export interface From {
  /** The last line that was seen; else from now on. */
  after?: number;
  /** When it was written, as it came: then it is seen if the server has lost it since. */
  at?: string;
  /** false: what is too much for a resume is passed over, and told as `skipped`. */
  whole?: boolean;
}

export type State = "connecting" | "open" | "offline" | "over";

export class Emitter {
  /** Answers a function that ends it. */
  on(type: string, listener: (what: any) => void): () => void;
}

export class ChatTalk extends Emitter {
  constructor(url?: string | URL, options?: Options);
  static signUp(
    url: string | URL,
    account: {
      email: string;
      password: string;
      displayName: string;
      language?: string;
      fetch?: typeof globalThis.fetch;
    },
  ): Promise<any>;
  readonly url: string;
  readonly me: Person | null;
  readonly state: State;
  readonly error: Error | null;
  connect(): Promise<Person>;
  close(): void;
  signOut(): Promise<void>;
  check(): void;
  room(id: number): Room;
  enter(id: number, from?: From): Promise<Room>;
  rooms(query?: { mine?: boolean; q?: string; state?: "open" | "closed" | "all" }): AsyncGenerator<Card>;
  open(
    title: string,
    more?: { description?: string; capacity?: number; seatOwner?: boolean },
  ): Promise<Card>;
  join(id: number): Promise<Place>;
  leave(id: number): Promise<null>;
  watch(ids: Iterable<number>): void;
  call(method: string, path: string, body?: unknown): Promise<any>;
  pages(path: string, query?: Record<string, unknown>): AsyncGenerator<any>;
}

export class Room extends Emitter {
  private constructor();
  readonly id: number;
  readonly outbox: Outbox;
  readonly about: About | null;
  readonly here: Person[];
  readonly count: number;
  readonly degraded: boolean;
  readonly readSeq: number;
  readonly last: number | undefined;
  readonly at: string | undefined;
  readonly head: number;
  readonly ended: string | null;
  enter(from?: From): Promise<Room>;
  exit(): void;
  events(options?: {
    after?: number;
    held?: number;
    signal?: AbortSignal;
  }): AsyncIterableIterator<ChatEvent>;
  send(body: string, options?: { cid?: string; patient?: boolean }): Promise<Receipt>;
  /** I write, or with `false` not any more. Answers whether it was told just now. */
  typing(isWriting?: boolean): boolean;
  read(seq: number): void;
  report(): void;
  page(span: { after?: number; before?: number; limit?: number }): Promise<Page>;
  history(span?: { after?: number; before?: number; limit?: number }): AsyncGenerator<ChatEvent>;
}

export class Outbox {
  constructor(parts: {
    transmit(item: Item): boolean;
    changed?(): void;
    store?: Store;
    keepsRefused?: boolean;
    max?: number;
    newId?(): string;
  });
  readonly items: Item[];
  send(body: string, options?: { cid?: string; patient?: boolean }): Promise<Receipt>;
  add(body: string, cid?: string): Item;
  keepIn(store: Store): void;
  adopt(items: Partial<Item>[]): void;
  failAll(code: string, why: string): void;
  retry(cid: string): void;
  discard(cid: string): void;
  release(cid: string): unknown;
  resume(): void;
  pause(): void;
  acknowledged(receipt: Partial<Receipt> & { cid: string; seq: number }, live?: number): void;
  settled(cid: string): void;
  settleUpTo(live: number): void;
  refused(refusal: { cid: string; code: string; detail?: string; retry_after?: number }): void;
  end(error: Error): void;
}

export class ChatTalkError extends Error {}

export class Refused extends ChatTalkError {
  constructor(
    code: string,
    sentence?: string,
    more?: { retryAfter?: number | null; status?: number | null; errors?: unknown[] },
  );
  static of(nack: { code: string; detail?: string; retry_after?: number | null }): Refused;
  readonly code: string;
  readonly sentence: string;
  /** Seconds. */
  readonly retryAfter: number | null;
  readonly status: number | null;
  readonly errors: unknown[];
}

export class SignedOut extends ChatTalkError {
  constructor(sentence?: string);
}

export class Ended extends ChatTalkError {
  constructor(code: number, reason?: string);
  readonly code: number;
  readonly reason: string;
}

export class Closed extends ChatTalkError {}

export class Unreachable extends ChatTalkError {
  constructor(cause: unknown);
}

/** Milliseconds before the next attempt. */
export function waitBefore(attempt: number, code?: number, random?: () => number): number;
/** Milliseconds that the reason of a close frame names. */
export function namedWait(reason: string): number | null;
export function randomId(): string;
