/**
 * Several pages of one browser that share one device session: one leads, the others follow. Who holds the Web Lock
 * leads; when its page goes, the browser gives the lock to the next. They speak over a BroadcastChannel.
 */
import { HeliographError, asError, failure, type ErrorData } from "./errors";

const ANSWER_TIMEOUT_MS = 10_000;
/** How long a leader keeps the lock after the last word, so that the followers have heard it before one of them leads. */
const LAST_WORD_MS = 1_000;

type Message =
  | { type: "hello"; from: string }
  | { type: "state"; to: string; state: unknown }
  | { type: "leading" }
  | { type: "event"; event: unknown }
  | { type: "call"; from: string; id: number; method: string; argument: unknown }
  | { type: "answer"; to: string; id: number; result?: unknown; error?: ErrorData };

/** What a page does in its group. `State` and `Event` are plain data. */
export interface Member<State, Event> {
  /** Leading: what a page that joins has to know. */
  state(): State;
  /** Leading: carry out a follower's call. */
  serve(method: string, argument: unknown): Promise<unknown>;
  /** Following: the leader's state, at the beginning and whenever another page has begun to lead. */
  adopt(state: State): void;
  /** Following: something happened to the leader. */
  follow(event: Event): void;
  /** The leader is gone, and this page leads now. */
  lead(): void;
}

/** The browser's parts. */
export interface Platform {
  locks: Pick<LockManager, "request">;
  openChannel: (name: string) => BroadcastChannel;
}

/** The platform of this page, or `null` where it lacks one of the parts: each page is on its own then. */
export function platform(): Platform | null {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined || typeof BroadcastChannel === "undefined") return null;
  return { locks, openChannel: (name) => new BroadcastChannel(name) };
}

export class TabGroup<State, Event> {
  readonly #name: string;
  readonly #platform: Platform;
  readonly #member: Member<State, Event>;
  readonly #id = crypto.randomUUID();
  readonly #calls = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  readonly #waiting = new AbortController();
  #release!: () => void;
  readonly #left = new Promise<void>((resolve) => (this.#release = resolve));
  #channel: BroadcastChannel | null = null;
  #ids = 0;
  isLeading = false;

  constructor(name: string, parts: Platform, member: Member<State, Event>) {
    this.#name = name;
    this.#platform = parts;
    this.#member = member;
  }

  /** Join; says whether this page leads. A follower is told the leader's state. */
  async join(): Promise<boolean> {
    this.#channel = this.#platform.openChannel(this.#name);
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => void this.#take(data);
    this.isLeading = await new Promise<boolean>((resolve, reject) => {
      const hold = (lock: Lock | null) => {
        resolve(lock !== null);
        return lock === null ? undefined : this.#left;
      };
      this.#platform.locks.request(this.#name, { ifAvailable: true }, hold).catch(reject);
    });
    if (!this.isLeading) {
      this.#platform.locks
        .request(this.#name, { signal: this.#waiting.signal }, () => this.#lead())
        .catch(() => undefined); // the page has left the group
      this.#post({ type: "hello", from: this.#id });
    }
    return this.isLeading;
  }

  /** Leave; after `lastWord` with the lock kept for a moment. */
  leave(lastWord = false): void {
    this.#waiting.abort();
    if (lastWord && this.isLeading) setTimeout(this.#release, LAST_WORD_MS);
    else this.#release();
    this.#failCalls();
    const channel = this.#channel;
    this.#channel = null;
    this.isLeading = false;
    if (channel !== null) setTimeout(() => channel.close(), LAST_WORD_MS);
  }

  /** Leading: tell the followers. */
  tell(event: Event): void {
    if (this.isLeading) this.#post({ type: "event", event });
  }

  /** Following: let the leader do it. */
  call<Result>(method: string, argument: unknown): Promise<Result> {
    const id = (this.#ids += 1);
    return new Promise<Result>((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(failure("timeout"))), ANSWER_TIMEOUT_MS);
      const settle = (how: () => void) => {
        clearTimeout(timer);
        this.#calls.delete(id);
        how();
      };
      this.#calls.set(id, {
        resolve: (result) => settle(() => resolve(result as Result)),
        reject: (error) => settle(() => reject(error)),
      });
      this.#post({ type: "call", from: this.#id, id, method, argument });
    });
  }

  #post(message: Message): void {
    this.#channel?.postMessage(message);
  }

  #lead(): Promise<void> | undefined {
    if (this.#channel === null) return undefined; // it has left while it was given the lock
    this.isLeading = true;
    this.#failCalls();
    this.#member.lead();
    this.#post({ type: "leading" });
    return this.#left;
  }

  /** Whether the leader that is gone has carried a call out is not known. */
  #failCalls(): void {
    for (const call of [...this.#calls.values()]) call.reject(failure("unreachable", "The page that held the connection is gone"));
  }

  async #take(message: Message): Promise<void> {
    if (this.#channel === null) return;
    if (this.isLeading) {
      if (message.type === "hello") this.#post({ type: "state", to: message.from, state: this.#member.state() });
      if (message.type === "call") this.#post(await this.#answer(message));
    } else if (message.type === "event") {
      this.#member.follow(message.event as Event);
    } else if (message.type === "leading") {
      this.#failCalls();
      this.#post({ type: "hello", from: this.#id });
    } else if (message.type === "state" && message.to === this.#id) {
      this.#member.adopt(message.state as State);
    } else if (message.type === "answer" && message.to === this.#id) {
      const call = this.#calls.get(message.id);
      if (message.error === undefined) call?.resolve(message.result);
      else call?.reject(new HeliographError(message.error));
    }
  }

  async #answer({ from, id, method, argument }: Message & { type: "call" }): Promise<Message> {
    try {
      return { type: "answer", to: from, id, result: await this.#member.serve(method, argument) };
    } catch (error) {
      return { type: "answer", to: from, id, error: asError(error).toJSON() };
    }
  }
}
