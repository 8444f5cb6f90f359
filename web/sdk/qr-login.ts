/** The browser's side of QR sign-in: shows codes until a phone approves one, and opens what is sealed to its key. */
import { connect } from "./accounts";
import type { Response } from "./api";
import { dialogAsker, type DialogMessages, type QrAsk } from "./check-code-dialog";
import { guarded } from "./dispatch";
import { HeliographError, asError, failure, fromCode } from "./errors";
import { QrScreen, findCanvas, findLogo, type Logo, type QrLook } from "./qr-canvas";
import { BrowserKey } from "./qr-key";
import { Signal, signalUrl } from "./qr-signal";
import { nextQrState, type QrInput, type QrStateName } from "./qr-states";
import { readScannedText } from "./qr-text";
import { PATIENT, backoffMs } from "./reconnect";
import type { Runtime } from "./runtime";
import type { CodeShown, FromBrowser, FromServer, Refused, RegisterData, SigningIn, Verify } from "./wire";

const CONNECT_ATTEMPTS_MAX = 5;

/** What `onState` is told: the state, and what is known in it. */
export interface QrState {
  state: QrStateName;
  /** Of `waiting`: for how many seconds the code is valid, and in how many the next one comes. */
  expiresIn?: number;
  refreshIn?: number;
  /** Of `waiting`: the same code for typing, 8 letters. */
  typedCode?: string;
  /** Of `verify`: who is about to be signed in, and how often the check code may still be tried. */
  user?: SigningIn;
  triesLeft?: number;
  /** Of `ended`: why. */
  code?: string;
  message?: string;
}

/** How a page takes part. All of it may be left out: the SDK then asks by a dialog, and shows states on the canvas. */
export interface QrOptions extends QrLook {
  /** Asks a person for the check code that the phone shows; `null` gives up. Called again after a wrong code. */
  askCode?: (ask: QrAsk) => Promise<string | null>;
  /** Is told how far it is. */
  onState?: (state: QrState) => void;
  /** Texts of the dialog in place of the English ones. */
  messages?: Partial<DialogMessages>;
}

/** What the callback gets, once: the new session, when the page is connected; or why it came to nothing. */
export type QrResult =
  | ({ statusCode: 200; message: string } & RegisterData)
  | { statusCode: number; message: string; code: string };

/** A running sign-in. */
export interface QrLogin {
  readonly state: QrStateName;
  /** Somebody clicked after `paused`: go on. */
  continue(): void;
  /** Do not sign in any more. */
  cancel(): void;
}

/** What a sign-in is started with. */
export interface QrStart {
  canvas: string | HTMLElement;
  logo: string | Logo | HTMLElement | null | undefined;
  signalServerUrl: string | null | undefined;
  callback: ((result: QrResult) => unknown) | undefined;
  options: QrOptions;
}

/** Start a sign-in; resolves when the first code is drawn. */
export async function startQrLogin(runtime: Runtime, start: QrStart): Promise<Response<QrLogin>> {
  if (runtime.link.userJid !== null) throw failure("already_connected", "Already connected");
  const url = signalUrl(start.signalServerUrl, runtime.config.signalServerUrl);
  const screen = new QrScreen(findCanvas(start.canvas), await findLogo(start.logo), start.options);
  runtime.qrLogin?.cancel();
  const login = new Login(runtime, url, await BrowserKey.generate(), screen, start);
  runtime.qrLogin = login;
  await login.drawn;
  return { statusCode: 200, message: "Success", data: login };
}

class Login implements QrLogin {
  state: QrStateName = "connecting";
  /** Resolves when the first code is drawn. */
  readonly drawn: Promise<void>;

  readonly #runtime: Runtime;
  readonly #key: BrowserKey;
  readonly #screen: QrScreen;
  readonly #signal: Signal;
  readonly #options: QrOptions;
  readonly #callback: QrStart["callback"];
  readonly #askCode: (ask: QrAsk) => Promise<string | null>;
  #first!: { resolve: () => void; reject: (error: Error) => void };
  #hasCode = false;
  #linkId = "";
  #resumeSecret = "";
  #asking: AbortController | null = null;
  #sent: FromBrowser | null = null;
  #refusal: HeliographError | null = null;
  /** Messages are taken one after the other, though opening a seal takes a moment. */
  #turn: Promise<void> = Promise.resolve();

  constructor(runtime: Runtime, url: string, key: BrowserKey, screen: QrScreen, start: QrStart) {
    this.#runtime = runtime;
    this.#key = key;
    this.#screen = screen;
    this.#options = start.options;
    this.#callback = start.callback;
    this.#askCode = start.options.askCode ?? dialogAsker(start.options.messages);
    this.drawn = new Promise((resolve, reject) => (this.#first = { resolve, reject }));
    this.#signal = new Signal(url, PATIENT, {
      greet: () => this.#greet(),
      take: (message) => {
        this.#turn = this.#turn.then(() => this.#take(message)).catch((error: unknown) => this.#end(asError(error)));
      },
      lost: () => this.#lost(),
      failed: (error) => this.#end(asError(error)),
    });
    this.#signal.open();
    this.#tell({});
  }

  // ------------------------------------------------------------------------------------------------------ the person

  continue(): void {
    if (this.state === "paused") this.#send({ type: "continue" });
  }

  cancel(): void {
    this.#signal.send({ type: "cancel" });
    this.#end(failure("cancelled", "The sign-in was cancelled"));
  }

  /** A page without `onState` shows a pause on the canvas, and a click or a key there goes on. */
  #offerToContinue(): void {
    const { canvas } = this.#screen;
    const before = { role: canvas.getAttribute("role"), tabIndex: canvas.tabIndex };
    const go = (event: Event) => {
      if (event instanceof KeyboardEvent && event.key !== "Enter" && event.key !== " ") return;
      canvas.removeEventListener("click", go);
      canvas.removeEventListener("keydown", go);
      canvas.setAttribute("role", before.role ?? "img");
      canvas.tabIndex = before.tabIndex;
      this.continue();
    };
    canvas.setAttribute("role", "button");
    canvas.tabIndex = 0;
    canvas.addEventListener("click", go);
    canvas.addEventListener("keydown", go);
  }

  async #ask({ user, triesLeft }: Verify): Promise<void> {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const code = await this.#askCode({ user, triesLeft, signal: asking.signal });
    if (asking.signal.aborted || this.#asking !== asking) return;
    this.#asking = null;
    if (code === null) this.cancel();
    else this.#send({ type: "checkCode", code });
  }

  // ----------------------------------------------------------------------------------------------------- the messages

  #greet(): FromBrowser {
    const known = { version: 1, licenseKey: this.#runtime.api.licenseKey } as const;
    if (this.#linkId !== "") return { type: "resume", ...known, linkId: this.#linkId, resumeSecret: this.#resumeSecret };
    return { type: "hello", ...known, publicKey: this.#key.jwk, device: this.#runtime.device };
  }

  #send(message: FromBrowser): void {
    this.#sent = message;
    this.#signal.send(message);
  }

  async #take(message: FromServer): Promise<void> {
    if (message.type === "challenge") {
      if (this.#linkId === "") this.#signal.send({ type: "proof", nonce: await this.#key.open(message.jwe) });
    } else if (message.type === "error") {
      this.#refused(message);
    } else if (message.type === "ended") {
      const { code, message: text } = message;
      const known = this.#refusal?.code === code ? this.#refusal : null;
      this.#end(known ?? fromCode(code, text));
    } else if (nextQrState(this.state, message.type) !== undefined) {
      await this.#goOn(message);
    }
  }

  async #goOn(message: Exclude<FromServer, { type: "challenge" | "error" | "ended" }>): Promise<void> {
    if (message.type === "approved") return await this.#signIn(message.jwe);
    if (message.type === "code") this.#draw(message);
    const { user, triesLeft } = message as Partial<Verify>;
    const { expiresIn, refreshIn, typedCode } = message as Partial<CodeShown>;
    const facts = { user, triesLeft, expiresIn, refreshIn, typedCode };
    this.#move(message.type, Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)));
    if (message.type === "verify") void this.#ask(message).catch((error: unknown) => this.#end(asError(error)));
    if (message.type === "scanned" && this.#isQuiet) this.#screen.cover("scanned");
    if (message.type === "paused" && this.#isQuiet) {
      this.#screen.cover("paused");
      this.#offerToContinue();
    }
  }

  /** Draw no code that names another key than ours: its approval would go to somebody else. */
  #draw(code: CodeShown): void {
    const { keyHash } = readScannedText(code.qr);
    if (keyHash !== this.#key.thumbprint || code.keyHash !== keyHash) throw failure("key_mismatch");
    this.#linkId = code.linkId;
    this.#resumeSecret = code.resumeSecret;
    this.#screen.show(code.qr);
    this.#hasCode = true;
    this.#first.resolve();
  }

  /** A message was refused, and the link goes on. Who was too fast says it again. */
  #refused({ code, message, retryAfter, triesLeft }: Refused): void {
    this.#refusal = fromCode(code, message, {
      retryAfterS: retryAfter ?? null,
      ...(triesLeft !== undefined && { details: { triesLeft } }),
    });
    const sent = this.#sent;
    if (code !== "slow_down" || retryAfter === undefined || sent === null) return;
    setTimeout(() => this.#sent === sent && this.#signal.send(sent), retryAfter * 1000);
  }

  #lost(): void {
    if (!this.#hasCode) {
      this.#end(failure("unreachable", "The signal server cannot be reached"));
      return;
    }
    this.#asking?.abort();
    this.#asking = null;
    this.#move("lost");
  }

  // -------------------------------------------------------------------------------------------------------- the end

  async #signIn(jwe: string): Promise<void> {
    const data: RegisterData = JSON.parse(await this.#key.open(jwe, this.#linkId));
    this.#signal.finish({ type: "received" });
    this.#asking?.abort();
    this.#move("approved");
    this.#runtime.tokens.registered(data);
    this.#runtime.username = data.username;
    await this.#connect(data);
    this.#move("signed_in");
    this.#close();
    this.#callBack({ statusCode: 200, message: "Success", ...data });
  }

  /** The credential comes once: a network that is away for a moment must not cost it. */
  async #connect({ username, password }: RegisterData): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await connect(this.#runtime, username, password);
        return;
      } catch (error) {
        const isPassing = error instanceof HeliographError && error.statusCode >= 500;
        if (!isPassing || attempt === CONNECT_ATTEMPTS_MAX) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, backoffMs(PATIENT, attempt, Math.random())));
    }
  }

  #end(error: HeliographError): void {
    if (this.state === "ended" || this.state === "connected") return;
    const { statusCode, code, message } = error;
    this.#asking?.abort();
    this.#signal.close();
    this.state = "ended";
    this.#tell({ code, message });
    if (this.#isQuiet && this.#hasCode) this.#screen.cover("ended");
    this.#close();
    if (this.#hasCode) this.#callBack({ statusCode, code, message });
    else this.#first.reject(error);
  }

  #callBack(result: QrResult): void {
    guarded("the callback of generateQrCode", () => this.#callback?.(result));
  }

  #close(): void {
    this.#screen.close();
    if (this.#runtime.qrLogin === this) this.#runtime.qrLogin = null;
  }

  // ------------------------------------------------------------------------------------------------------- the state

  get #isQuiet(): boolean {
    return this.#options.onState === undefined;
  }

  #move(input: QrInput, facts: Omit<QrState, "state"> = {}): void {
    const state = nextQrState(this.state, input);
    if (state === undefined) return;
    this.state = state;
    this.#tell(facts);
  }

  #tell(facts: Omit<QrState, "state">): void {
    guarded("onState", () => this.#options.onState?.({ state: this.state, ...facts }));
  }
}
