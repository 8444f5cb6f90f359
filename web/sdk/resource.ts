/** One user's resource on a server (RFC 6121, section 4): makes its streams ready, answers what is asked, keeps them alive. */
import type { Emit } from "./dispatch";
import { NS_PING, answer, initialPresence, result } from "./discovery";
import { timedOut, type Ending } from "./endings";
import { asError } from "./errors";
import { NS_BLOCKING, NS_ROSTER, type Inbox } from "./inbox";
import type { ReconnectPolicy } from "./reconnect";
import { NS_PROFILE } from "./vcard";
import { Stream, payloadOf, type Continuation, type Credentials } from "./xmpp";

const PING = `<ping xmlns='${NS_PING}'/>`;

/** What all streams of an SDK share. */
export interface Terms {
  websocketUrl: string;
  policy: ReconnectPolicy;
}

export class Resource {
  readonly credentials: Credentials;
  readonly #terms: Terms;
  readonly #inbox: Inbox;
  readonly #emit: Emit;
  readonly #kept: Continuation;

  constructor(credentials: Credentials, terms: Terms, kept: Continuation, inbox: Inbox, emit: Emit) {
    this.credentials = credentials;
    this.#terms = terms;
    this.#kept = kept;
    this.#inbox = inbox;
    this.#emit = emit;
  }

  /** A stream that is ready, or why there is none. */
  async attempt(signal: AbortSignal): Promise<Stream | Ending> {
    const { websocketUrl } = this.#terms;
    const stream: Stream = new Stream(websocketUrl, this.credentials, this.#kept, (stanza) => this.#receive(stream, stanza));
    const timer = setTimeout(() => stream.abandon(timedOut()), this.#terms.policy.attemptTimeoutMs);
    const stop = () => stream.close();
    signal.addEventListener("abort", stop);
    try {
      await stream.open();
      if (!stream.isResumed) await this.#settle(stream);
      return stream;
    } catch (error) {
      if (!stream.isEnded) stream.abort({ trigger: "failed", reason: "internal_error", error: asError(error) });
      return await stream.ended;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  /**
   * Fetch the contact list and the block list, then announce ourselves (RFC 6121, sections 2.2 and 4.2). The ping behind
   * them is answered when the server has taken all: from then on nothing is missed.
   */
  async #settle(stream: Stream): Promise<void> {
    const presence = await initialPresence();
    this.#inbox.connecting();
    const contacts = stream.request("get", `<query xmlns='${NS_ROSTER}'/>`);
    const blocked = stream.request("get", `<blocklist xmlns='${NS_BLOCKING}'/>`);
    const { mark } = this.#inbox;
    // Whatever the answer is: at worst all profiles come again.
    if (mark > 0) void stream.request("set", `<since xmlns='${NS_PROFILE}' mark='${mark}'/>`).catch(() => undefined);
    stream.send(presence);
    const ready = stream.request("get", PING, this.credentials.domain);
    const [roster, list] = (await Promise.all([contacts, blocked, ready])).map(payloadOf);
    if (roster?.namespaceURI === NS_ROSTER) this.#tell(this.#inbox.takeRoster(roster));
    if (list?.namespaceURI === NS_BLOCKING) this.#tell(this.#inbox.takeBlocks(list));
    this.#tell(this.#inbox.connected());
  }

  /** Keep a stream until it ends, or until `signal` says that it is to be closed. */
  async hold(stream: Stream, signal: AbortSignal): Promise<Ending> {
    const stop = () => stream.close();
    signal.addEventListener("abort", stop);
    const checking = setInterval(() => void this.#check(stream), this.#terms.policy.pingAfterMs / 2);
    const wake = () => void this.#check(stream);
    globalThis.addEventListener?.("online", wake);
    try {
      if (signal.aborted) stop();
      return await stream.ended;
    } finally {
      clearInterval(checking);
      globalThis.removeEventListener?.("online", wake);
      signal.removeEventListener("abort", stop);
    }
  }

  /** Ask a silent server for a sign of life (XEP-0199); give the stream up if there is none. */
  async #check(stream: Stream): Promise<void> {
    const { policy } = this.#terms;
    if (stream.isEnded || performance.now() - stream.heardAt < policy.pingAfterMs) return;
    const timer = setTimeout(() => stream.abandon({ ...timedOut(), trigger: "lost" }), policy.pingTimeoutMs);
    try {
      await stream.request("get", PING, this.credentials.domain);
    } catch {
      // the stream ended meanwhile
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(stream: Stream, stanza: Element): void {
    if (stanza.localName !== "iq") {
      this.#tell(this.#inbox.take(stanza));
      return;
    }
    const pushed = this.#inbox.takePush(stanza);
    if (pushed === null) {
      void answer(stanza).then((reply) => stream.isEnded || stream.send(reply));
    } else {
      this.#tell(pushed);
      stream.send(result(stanza, ""));
    }
  }

  #tell(events: ReturnType<Inbox["take"]>): void {
    for (const event of events) this.#emit(...event);
  }
}
