/** The signal socket: JSON messages, one WebSocket after the other until the sign-in is at its end. */
import { failure } from "./errors";
import { backoffMs, type ReconnectPolicy } from "./reconnect";
import type { FromBrowser, FromServer } from "./wire";

const SUBPROTOCOL = "heliograph-signal-1";
const ATTEMPTS_MAX = 20;
const CLOSE_NORMAL = 1000; // RFC 6455, section 7.4.1

/** What comes of a socket. */
export interface SignalHandlers {
  /** The first message of a new socket. */
  greet(): FromBrowser;
  take(message: FromServer): void;
  /** The socket is gone; another one is on its way. */
  lost(): void;
  /** There is no socket to be had. */
  failed(error: Error): void;
}

/** Where the signal server is: the URL that the page names, or the one that the node told; a bare host has the usual path. */
export function signalUrl(given: string | null | undefined, told: string | null): string {
  let url: URL | null;
  try {
    url = new URL(given || told || "");
  } catch {
    url = null;
  }
  if (url !== null && /^http/.test(url.protocol)) url.protocol = url.protocol.replace("http", "ws");
  if (url === null || !/^wss?:$/.test(url.protocol)) {
    throw failure("request_invalid", "There is no signal server to ask", { field: "signalServerUrl" });
  }
  if (url.pathname === "/") url.pathname = "/signal";
  return url.href;
}

export class Signal {
  readonly #url: string;
  readonly #policy: ReconnectPolicy;
  readonly #handlers: SignalHandlers;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #lastWord: FromBrowser | null = null;
  #isClosed = false;

  constructor(url: string, policy: ReconnectPolicy, handlers: SignalHandlers) {
    this.#url = url;
    this.#policy = policy;
    this.#handlers = handlers;
  }

  /** Open the next socket. */
  open(): void {
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    this.#socket = socket;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => socket.close(), this.#policy.attemptTimeoutMs);
    socket.onopen = () => socket.send(JSON.stringify(this.#handlers.greet()));
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      clearTimeout(this.#timer);
      this.#attempt = 0;
      if (!this.#isClosed) this.#read(data);
    };
    socket.onclose = ({ code }) => {
      if (code === CLOSE_NORMAL && this.#lastWord !== null) this.#isClosed = true; // it was heard
      this.#lost();
    };
  }

  #read(data: string): void {
    let message: FromServer;
    try {
      message = JSON.parse(data);
    } catch {
      return this.#socket?.close(); // what answers there is no signal server
    }
    if (this.#lastWord === null) this.#handlers.take(message);
    else if (message.type === "approved") this.send(this.#lastWord);
    else if (message.type === "ended") this.close();
  }

  #lost(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#attempt += 1;
    const isToldOf = this.#lastWord === null;
    if (this.#attempt > ATTEMPTS_MAX) {
      if (isToldOf) this.#handlers.failed(failure("unreachable", "The signal server cannot be reached"));
      return;
    }
    if (isToldOf) this.#handlers.lost();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.open(), backoffMs(this.#policy, this.#attempt, Math.random()));
  }

  /** Send a message, if there is a socket. */
  send(message: FromBrowser): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** The credential is there: say so until the server has heard it. From now on the handlers are told of nothing. */
  finish(lastWord: FromBrowser): void {
    this.#lastWord = lastWord;
    this.send(lastWord);
  }

  /** No more messages and no more sockets. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }
}
