/** What `initializeSDK` sets up, and what all calls share. */
import { Api } from "./api";
import { Dispatcher } from "./dispatch";
import { describeDevice } from "./device";
import { failure } from "./errors";
import type { CallbackListeners } from "./events";
import { Link } from "./link";
import { PATIENT, type ReconnectPolicy } from "./reconnect";
import { platform } from "./tabs";
import { TokenKeeper } from "./tokens";
import type { Config, DeviceBody } from "./wire";
import type { Credentials } from "./xmpp";

/** What `initializeSDK` takes. */
export interface InitializeOptions {
  /** Such as `https://chat.example`. */
  apiBaseUrl: string;
  /** The app's publishable key; it says which app, and whether live users or those of the sandbox. */
  licenseKey: string;
  /** What the page believes the key to be; left out, it believes nothing. */
  isTrialLicenseKey?: boolean;
  callbackListeners?: CallbackListeners;
  /** What the list of sessions shows of this device, in place of what the browser says of itself. */
  device?: DeviceBody;
  /** Whether pages of this browser with the same session share one connection; they do if nothing is said. */
  tabs?: boolean;
  /** How patient the connection is. */
  reconnectPolicy?: Partial<ReconnectPolicy>;
}

/** An initialised SDK. */
export class Runtime {
  readonly config: Config;
  readonly api: Api;
  readonly device: Required<DeviceBody>;
  readonly tokens: TokenKeeper;
  readonly link: Link;
  /** Who registered or connected last, and has not logged out. */
  username: string | null = null;
  /** The QR sign-in that is going on. */
  qrLogin: { cancel(): void } | null = null;

  constructor(config: Config, api: Api, options: InitializeOptions) {
    this.config = config;
    this.api = api;
    this.device = { ...describeDevice(globalThis.navigator?.userAgent ?? ""), ...options.device };
    const { emit } = new Dispatcher(options.callbackListeners ?? {});
    this.tokens = new TokenKeeper(api, (tokens) => this.link.tell("tokenListener", tokens));
    const terms = { websocketUrl: config.websocketUrl, policy: { ...PATIENT, ...options.reconnectPolicy } };
    const shared = options.tabs === false ? null : platform();
    const scope = `${config.websocketUrl} ${api.licenseKey}`;
    this.link = new Link(terms, emit, this.tokens, shared, scope, (credentials) => this.#sessionEnded(credentials));
  }

  /** The bare JID of the user. */
  get userJid(): string {
    if (this.username === null) throw failure("not_connected");
    return `${this.username}@${this.config.domain}`;
  }

  /** A session is over, and its password and tokens are worth nothing. Who has registered again meanwhile has others. */
  #sessionEnded(credentials: Credentials): void {
    if (this.tokens.forgetSession(credentials.username, credentials.password)) this.username = null;
  }

  /** The session is over by the user's own will. */
  logOut(reason: string): void {
    this.username = null;
    this.tokens.forget();
    this.link.stop("session_ended", reason);
  }
}
