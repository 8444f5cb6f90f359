/** The connection of a user: one stream at a time, kept up by the table of `states`. */
import type { Emit } from "./dispatch";
import type { Ending } from "./endings";
import { failure } from "./errors";
import type { ConnectionUpdate } from "./events";
import { Inbox } from "./inbox";
import { backoffMs } from "./reconnect";
import { Resource, type Terms } from "./resource";
import { isFinal, nextStatus, type ConnectionStatus, type Trigger } from "./states";
import { Continuation, Stream, type Credentials, type Kept } from "./xmpp";

/** The one connection of an SDK in this page. */
export class Connection {
  /** The present state. */
  status: ConnectionStatus = "DISCONNECTED";
  /** What the user was told; kept over connections. */
  inbox: Inbox | null = null;

  readonly #terms: Terms;
  readonly #emit: Emit;
  readonly #onSessionEnd: (credentials: Credentials) => void;
  readonly #onKept: (kept: Kept) => void;
  #kept: Kept = null;
  #credentials: Credentials | null = null;
  #stream: Stream | null = null;
  #run: AbortController | null = null;

  /**
   * @param onSessionEnd is told whose session is over, before the event is out.
   * @param onKept is told of each stanza what another page would need to go on with the stream.
   */
  constructor(
    terms: Terms,
    emit: Emit,
    onSessionEnd: (credentials: Credentials) => void,
    onKept: (kept: Kept) => void,
  ) {
    this.#terms = terms;
    this.#emit = emit;
    this.#onSessionEnd = onSessionEnd;
    this.#onKept = onKept;
  }

  /** What another page would need to go on with the stream. */
  get kept(): Kept {
    return this.#kept;
  }

  /** Whether a connection stands, or is being made or made again. */
  get isActive(): boolean {
    return this.#run !== null;
  }

  /** Connect, and stay connected until `stop`. Throws where it did not work; it is not tried again by itself. */
  connect(credentials: Credentials): Promise<void> {
    this.#end();
    this.#adopt(credentials);
    this.#move("connect");
    return new Promise((resolve, reject) => this.#start(credentials, 0, null, { resolve, reject }));
  }

  /** Another page held the connection, and is gone: go on with what it kept, from the state in which it was. */
  takeOver(credentials: Credentials, status: ConnectionStatus, kept: Kept): void {
    this.#end();
    this.#adopt(credentials);
    this.status = status;
    this.#move("lost", "unreachable");
    this.#move("retry", undefined, 1);
    this.#start(credentials, 1, kept);
  }

  /** Another page holds the connection: show its state. Says whether that is news. */
  mirror(update: ConnectionUpdate): boolean {
    if (update.status === this.status) return false;
    this.status = update.status;
    if (update.status === "LOGOUT") this.#forget();
    this.#emit("connectionListener", update);
    return true;
  }

  /** End the connection: `close` to come back later, `session_ended` where the session is over. */
  stop(trigger: "close" | "session_ended", reason?: string): void {
    this.#end();
    this.#move(trigger, reason);
  }

  /** Send a stanza, given as XML. */
  send(stanza: string): void {
    if (this.#stream === null) throw failure("not_connected");
    this.#stream.send(stanza);
  }

  /** What a page knows of the user; whoever comes back is not told again what was told before. */
  inboxOf(credentials: Credentials): Inbox {
    this.#adopt(credentials);
    return this.inbox as Inbox;
  }

  #adopt(credentials: Credentials): void {
    const known = this.#credentials;
    if (this.inbox === null || known?.username !== credentials.username || known.domain !== credentials.domain) {
      this.inbox = new Inbox(`${credentials.username}@${credentials.domain}`);
    }
    this.#credentials = credentials;
  }

  #end(): void {
    this.#run?.abort();
    this.#run = null;
  }

  #move(trigger: Trigger, reason?: string, attempt?: number): void {
    const status = nextStatus(this.status, trigger);
    if (status === undefined) return;
    this.status = status;
    const user = this.#credentials;
    if (status === "LOGOUT") this.#forget();
    this.#emit("connectionListener", { status, ...(reason && { reason }), ...(attempt && { attempt }) });
    if (user === null || !isFinal(status)) return;
    const whose = { userId: user.username, userJid: `${user.username}@${user.domain}` };
    if (reason === "admin_blocked") this.#emit("adminBlockListener", { ...whose, isAdminBlocked: true });
    if (reason === "account_deleted") this.#emit("userDeletedListener", whose);
  }

  #forget(): void {
    this.inbox = null;
    if (this.#credentials !== null) this.#onSessionEnd(this.#credentials);
  }

  // ------------------------------------------------------------------------------------------------------ the loop

  #start(credentials: Credentials, attempt: number, kept: Kept, first?: First): void {
    const run = new AbortController();
    this.#run = run;
    run.signal.addEventListener("abort", () => first?.reject(failure("unreachable", "The connection was closed")));
    const continuation = new Continuation(kept, (now) => this.#onKept((this.#kept = now)));
    const resource = new Resource(credentials, this.#terms, continuation, this.inbox as Inbox, (...event) => {
      if (!run.signal.aborted) this.#emit(...event);
    });
    void this.#keep(resource, run.signal, attempt, first).finally(() => {
      if (this.#run === run) this.#run = null;
    });
  }

  /** Connect for the caller who waits, then again whenever the connection is lost. */
  async #keep(resource: Resource, signal: AbortSignal, attempt: number, first?: First): Promise<void> {
    const { policy } = this.#terms;
    for (let isFirst = first !== undefined; ; isFirst = false) {
      let found = await resource.attempt(signal);
      if (signal.aborted) return;
      if (found instanceof Stream) {
        const since = performance.now();
        found = await this.#hold(resource, found, signal, first);
        isFirst = false;
        if (performance.now() - since >= policy.stableAfterMs) attempt = 0;
        if (signal.aborted) return;
      }
      this.#move(found.trigger, found.reason);
      if (isFirst) return first?.reject(found.error);
      if (isFinal(this.status)) return;
      attempt += 1;
      await pause(backoffMs(policy, attempt, Math.random()), signal);
      if (signal.aborted) return;
      this.#move("retry", undefined, attempt);
    }
  }

  async #hold(resource: Resource, stream: Stream, signal: AbortSignal, first?: First): Promise<Ending> {
    this.#stream = stream;
    this.#move("bound");
    first?.resolve();
    try {
      return await resource.hold(stream, signal);
    } finally {
      this.#stream = null;
    }
  }
}

interface First {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Wait; shorter where the browser finds its network again, or the caller does not want it any more. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      globalThis.removeEventListener?.("online", go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    globalThis.addEventListener?.("online", go);
    signal.addEventListener("abort", go);
  });
}
