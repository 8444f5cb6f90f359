/**
 * One signed-in XML stream over one WebSocket (RFC 7395), by strophe.js: frames, SCRAM, binding and stream management
 * (XEP-0198) are its work. Here requests are paired with their answers, and an ending is told with its reason.
 */
import { Strophe, type SMState, type SMStorageBackend } from "strophe.js";
import { lost, refused, streamError, type Ending } from "./endings";
import { failure, type HeliographError } from "./errors";
import { children, escape } from "./xml";

type StropheConnection = InstanceType<typeof Strophe.Connection>;

const NS_STREAM = "http://etherx.jabber.org/streams";
const PROTOCOL = "heliograph";

/** Who signs in: `username` at `domain` with the password of one device session. */
export interface Credentials {
  username: string;
  domain: string;
  password: string;
}

/** What is kept of a stream, for the next one to go on with it when its socket is lost; plain text, or `null`. */
export type Kept = string | null;

/** Where that is: for the streams of one user, one after the other. */
export class Continuation implements SMStorageBackend {
  #kept: Kept;
  readonly #changed: (kept: Kept) => void;

  /** @param changed is told of each stanza what is kept now. */
  constructor(kept: Kept, changed: (kept: Kept) => void) {
    this.#kept = kept;
    this.#changed = changed;
  }

  load(): SMState | null {
    return this.#kept === null ? null : JSON.parse(this.#kept);
  }

  save(_user: string, state: SMState): void {
    this.#keep(JSON.stringify(state));
  }

  clear(): void {
    this.#keep(null);
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    this.#changed(kept);
  }
}

interface StreamOptions {
  protocol: string;
  mechanisms: (typeof Strophe.SASLSHA256)[];
  enableStreamManagement: true;
  streamManagement: { storage: Continuation };
  onStreamError: (error: Element) => void;
}

/** Strophe's WebSocket, which tells the whole stream error and not its condition alone, and each way to close. */
class Socket extends Strophe.Websocket {
  override _checkStreamError(wrapper: Element, _status: number): boolean {
    const error = wrapper.getElementsByTagNameNS(NS_STREAM, "error")[0];
    if (error === undefined) return false;
    (this._conn.options as unknown as StreamOptions).onStreamError(error);
    this._conn._doDisconnect();
    return true;
  }

  override _onClose(event?: CloseEvent): void {
    super._onClose(event);
    if (this.socket !== null) this._conn._doDisconnect();
  }
}

Strophe.setLogLevel(Strophe.LogLevel.FATAL); // what goes wrong is told by the ending
Strophe.Connection.addProtocol(PROTOCOL, Socket);

/** A stream; `open` it, and wait for `ended`. */
export class Stream {
  /** The full JID once the stream is bound. */
  jid = "";
  /** When the server last sent anything, by `performance.now()`. */
  heardAt = performance.now();
  /** Why and how the stream ended. */
  readonly ended: Promise<Ending>;

  readonly #connection: StropheConnection;
  readonly #credentials: Credentials;
  readonly #receive: (stanza: Element) => void;
  readonly #answers = new Map<string, { resolve: (iq: Element) => void; reject: (error: HeliographError) => void }>();
  #end!: (how: Ending) => void;
  #how: Ending | null = null;
  #isBound = false;
  /** Of this stream alone: what a resumed stream answers late is no answer to a request of the new one. */
  readonly #requests = crypto.randomUUID();
  #ids = 0;

  /**
   * @param kept what goes on with this stream, if it can, and is kept of it.
   * @param receive gets each stanza that is no answer to a request of ours.
   */
  constructor(url: string, credentials: Credentials, kept: Continuation, receive: (stanza: Element) => void) {
    this.#credentials = credentials;
    this.#receive = receive;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    const options: StreamOptions = {
      protocol: PROTOCOL,
      mechanisms: [Strophe.SASLSHA256],
      enableStreamManagement: true,
      streamManagement: { storage: kept },
      onStreamError: (error) => this.#conclude(streamError(error, this.#isBound)),
    };
    this.#connection = new Strophe.Connection(url, options as object);
  }

  get isEnded(): boolean {
    return this.#how !== null;
  }

  /** Whether the stream goes on where the one before it was lost: the server has kept what was for us meanwhile. */
  get isResumed(): boolean {
    return this.#connection.hasResumed();
  }

  /** Connect, sign in, resume or bind. Throws where the stream ended before that; `ended` says how. */
  async open(): Promise<void> {
    const { username, domain, password } = this.#credentials;
    const bound = new Promise<null>((resolve) => {
      this.#connection.connect(`${username}@${domain}`, password, (status: number, condition: unknown, element: unknown) =>
        this.#follow(status, condition, element, () => resolve(null)),
      );
    });
    const how = await Promise.race([bound, this.ended]);
    if (how !== null) throw how.error;
  }

  #follow(status: number, condition: unknown, element: unknown, bound: () => void): void {
    const { Status } = Strophe;
    if (status === Status.CONNECTED) {
      if (this.#connection.scram_keys === null) return this.#refuse(null); // a server that never proved who it is
      this.#isBound = true;
      this.jid = this.#connection.jid;
      this.heardAt = performance.now();
      this.#connection.addHandler((stanza: Element) => this.#take(stanza), null, null, null);
      bound();
    } else if (status === Status.AUTHFAIL) {
      this.#refuse((element as Element | undefined) ?? null);
    } else if (status === Status.CONNFAIL || status === Status.DISCONNECTED) {
      const isUnsafe = condition === Strophe.ErrorCondition.NO_AUTH_MECH;
      const error = failure("unreachable", isUnsafe ? "There is no safe way to sign in here" : undefined);
      this.#conclude(isUnsafe ? { trigger: "failed", reason: "invalid-mechanism", error } : lost(error, this.#isBound));
    }
  }

  #refuse(failed: Element | null): void {
    this.#conclude(refused(failed));
    this.#connection.disconnect();
  }

  // ------------------------------------------------------------------------------------------------------- sending

  /** Send a stanza, given as XML with its namespace. */
  send(stanza: string): void {
    if (!this.#isBound || this.#how !== null) throw failure("not_connected");
    this.#connection.send(new DOMParser().parseFromString(stanza, "text/xml").documentElement);
  }

  /** Send an IQ (RFC 6120, section 8.2.3); resolves to its answer, a result or an error. `to` is a server's domain. */
  request(type: "get" | "set", payload: string, to?: string): Promise<Element> {
    const id = `${this.#requests}-${(this.#ids += 1)}`;
    const address = to === undefined ? "" : ` to='${escape(to)}'`;
    this.send(`<iq xmlns='jabber:client' type='${type}' id='${id}'${address}>${payload}</iq>`);
    return new Promise((resolve, reject) => this.#answers.set(`${id} ${to ?? ""}`, { resolve, reject }));
  }

  // ----------------------------------------------------------------------------------------------------- receiving

  #take(stanza: Element): true {
    this.heardAt = performance.now();
    const type = stanza.getAttribute("type");
    if (stanza.localName === "iq" && (type === "result" || type === "error")) this.#takeAnswer(stanza);
    else if (["iq", "message", "presence"].includes(stanza.localName)) this.#receive(stanza);
    return true; // Strophe keeps the handler
  }

  #takeAnswer(iq: Element): void {
    const { username, domain } = this.#credentials;
    const from = iq.getAttribute("from") ?? "";
    const asker = [`${username}@${domain}`, this.jid].includes(from) ? "" : from; // the user's own account answered
    const key = `${iq.getAttribute("id")} ${asker}`;
    this.#answers.get(key)?.resolve(iq);
    this.#answers.delete(key);
  }

  // -------------------------------------------------------------------------------------------------------- ending

  #conclude(how: Ending): void {
    if (this.#how !== null) return;
    this.#how = how;
    this.#end(how);
    for (const answer of this.#answers.values()) answer.reject(how.error);
    this.#answers.clear();
  }

  /** Let go of the socket without a word, for that reason: the stream can go on with the next one. */
  abandon(how: Ending): void {
    this.#conclude(how);
    this.#connection._doDisconnect();
  }

  /** Say goodbye and close, for that reason. */
  abort(how: Ending): void {
    this.#conclude(how);
    this.#connection.disconnect();
  }

  /** Say goodbye and close. */
  close(): void {
    this.abort(lost(failure("unreachable", "The connection was closed"), this.#isBound));
  }
}

/** The first child of an IQ. */
export function payloadOf(iq: Element): Element | undefined {
  return children(iq)[0];
}
