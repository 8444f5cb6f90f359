/** The user's connection as this page has it: its own, or that of another page of the same browser and session. */
import { Connection } from "./connection";
import type { Emit } from "./dispatch";
import { failure } from "./errors";
import type { Event } from "./events";
import type { Known } from "./inbox";
import type { Terms } from "./resource";
import { isFinal, type ConnectionStatus } from "./states";
import { TabGroup, type Member, type Platform } from "./tabs";
import type { TokenKeeper, TokenState } from "./tokens";
import type { Credentials, Kept } from "./xmpp";

/** What a page that joins the others of its session is told. */
interface Shared {
  status: ConnectionStatus;
  known: Known | null;
  tokens: TokenState;
  kept: Kept;
}

/** What the page that leads tells the others: what happened, and what it would take to go on with its stream. */
type Told = Event | readonly ["kept", Kept];

interface Waiting {
  resolve: () => void;
  reject: (error: Error) => void;
}

export class Link implements Member<Shared, Told> {
  readonly #terms: Terms;
  readonly #emit: Emit;
  readonly #tokens: TokenKeeper;
  readonly #platform: Platform | null;
  readonly #scope: string;
  readonly #connection: Connection;
  #group: TabGroup<Shared, Told> | null = null;
  #credentials: Credentials | null = null;
  #waiting: Waiting | null = null;
  /** What the page that leads has kept of its stream. */
  #kept: Kept = null;

  /**
   * @param emit gets the events of this page.
   * @param platform what several pages share; `null` for a page on its own.
   * @param scope tells servers and apps apart.
   * @param onSessionEnd is told whose session is over, before the event is out.
   */
  constructor(
    terms: Terms,
    emit: Emit,
    tokens: TokenKeeper,
    platform: Platform | null,
    scope: string,
    onSessionEnd: (credentials: Credentials) => void,
  ) {
    this.#terms = terms;
    this.#emit = emit;
    this.#tokens = tokens;
    this.#platform = platform;
    this.#scope = scope;
    this.#connection = new Connection(terms, this.tell, onSessionEnd, (kept) => this.#group?.tell(["kept", kept]));
  }

  get status(): ConnectionStatus {
    return this.#connection.status;
  }

  /** The bare JID of whom the connection is for, while it stands or is being made. */
  get userJid(): string | null {
    const isActive = this.#connection.isActive || (this.#group !== null && !this.#group.isLeading);
    return isActive && this.#credentials ? `${this.#credentials.username}@${this.#credentials.domain}` : null;
  }

  /** An event of this page, which the pages that follow it get, too. */
  readonly tell: Emit = (...event) => {
    this.#emit(...event);
    this.#group?.tell(event);
    if (event[0] === "connectionListener" && isFinal(event[1].status)) this.#leave(true);
  };

  // ----------------------------------------------------------------------------------------------------- the calls

  /** Connect, by this page or by the one that leads. While connected as that user nothing happens. */
  async connect(credentials: Credentials): Promise<void> {
    const userJid = `${credentials.username}@${credentials.domain}`;
    if (this.userJid !== null && this.userJid !== userJid) throw failure("already_connected");
    if (this.userJid !== null && this.status === "CONNECTED") return;
    this.#leave();
    this.#credentials = credentials;
    if (this.#platform === null) return await this.#connection.connect(credentials);
    const group = new TabGroup<Shared, Told>(await groupName(this.#scope, credentials), this.#platform, this);
    this.#group = group;
    try {
      if (await group.join()) await this.#connection.connect(credentials);
      else await this.#awaitLeader(credentials);
    } catch (error) {
      if (this.#group === group) this.#leave(true);
      throw error;
    }
  }

  /** End it for this page: `close` to come back later, `session_ended` where the session is over, for all pages. */
  stop(trigger: "close" | "session_ended", reason?: string): void {
    this.#waiting?.reject(failure("unreachable", "The connection was closed"));
    if (trigger === "close") this.#leave();
    this.#connection.stop(trigger, reason);
    this.#leave();
  }

  /** Send a stanza, given as XML. */
  async send(stanza: string): Promise<void> {
    if (this.#group === null || this.#group.isLeading) this.#connection.send(stanza);
    else await this.#group.call("send", stanza);
  }

  #leave(lastWord = false): void {
    this.#group?.leave(lastWord);
    this.#group = null;
    this.#kept = null;
    this.#tokens.renewElsewhere = null;
  }

  // ----------------------------------------------------------------------------------------------------- following

  async #awaitLeader(credentials: Credentials): Promise<void> {
    this.#tokens.renewElsewhere = (stale) => this.#renewByLeader(stale);
    this.#mirror("CONNECTING");
    this.#connection.inboxOf(credentials);
    const timer = setTimeout(() => this.#waiting?.reject(failure("timeout")), this.#terms.policy.attemptTimeoutMs);
    try {
      await new Promise<void>((resolve, reject) => (this.#waiting = { resolve, reject }));
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
    }
  }

  adopt({ status, known, tokens, kept }: Shared): void {
    if (this.#credentials === null) return;
    this.#kept = kept;
    if (tokens.access !== null) this.#tokens.hold(tokens);
    this.#mirror(status);
    const events = known === null ? [] : this.#connection.inboxOf(this.#credentials).adopt(known);
    for (const event of events) this.#emit(...event);
  }

  follow(event: Told): void {
    if (event[0] === "kept") {
      this.#kept = event[1];
      return;
    }
    if (event[0] === "connectionListener") {
      this.#mirror(event[1].status, event[1].reason, event[1].attempt);
      return;
    }
    if (event[0] === "tokenListener") this.#tokens.holdPair(event[1]);
    this.#connection.inbox?.note(event);
    this.#emit(...event);
  }

  #mirror(status: ConnectionStatus, reason?: string, attempt?: number): void {
    if (!this.#connection.mirror({ status, ...(reason && { reason }), ...(attempt && { attempt }) })) return;
    if (status === "CONNECTED") this.#waiting?.resolve();
    else if (status !== "CONNECTING" && status !== "RECONNECTING") {
      const isRefused = status === "AUTHENTICATIONFAILED" || status === "LOGOUT";
      const code = reason === "admin_blocked" ? reason : isRefused ? "authentication_failed" : "unreachable";
      this.#waiting?.reject(failure(code));
    }
    if (isFinal(status)) this.#leave();
  }

  async #renewByLeader(stale: string | null): Promise<TokenState> {
    const group = this.#group;
    if (group === null) throw failure("not_connected");
    return await group.call<TokenState>("renew", stale);
  }

  // ------------------------------------------------------------------------------------------------------- leading

  state(): Shared {
    const { inbox, kept } = this.#connection;
    return { status: this.status, known: inbox?.known() ?? null, tokens: this.#tokens.state, kept };
  }

  async serve(method: string, argument: unknown): Promise<unknown> {
    if (method === "send") return this.#connection.send(argument as string);
    await this.#tokens.renewed(argument as string | null);
    return this.#tokens.state;
  }

  lead(): void {
    const credentials = this.#credentials;
    if (credentials === null) return;
    this.#tokens.renewElsewhere = null;
    this.#tokens.mistrustRefreshToken();
    const waiting = this.#waiting;
    if (waiting === null) this.#connection.takeOver(credentials, this.status, this.#kept);
    else this.#connection.connect(credentials).then(waiting.resolve, waiting.reject);
  }
}

/** Pages with the same server, app and password are of one session. The name does not tell the password. */
async function groupName(scope: string, { username, domain, password }: Credentials): Promise<string> {
  const text = JSON.stringify([scope, username, domain, password]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `heliograph:${Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
