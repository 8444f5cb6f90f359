/** The tokens of the signed-in user: which goes along with a call, and how the next one comes to be. */
import type { Api, CallOptions, ProgressCallback, Response } from "./api";
import { HeliographError, failure } from "./errors";
import type { RegisterData, TokenRequest, Tokens } from "./wire";

const ACCESS_TOKEN = /^hgt_[\w-]{43}$/;
const JWT = /^[\w-]+\.([\w-]+)\.[\w-]+$/;

/** So long before its end a token is renewed. */
const RENEW_BEFORE_S = 60;

/** What a tab knows of a user's tokens, as it goes to the other tabs of the same session. */
export interface TokenState {
  access: string | null;
  refresh: string | null;
  /** When the access token expires, in seconds since the epoch; `null` where that is not known. */
  expiresAtS: number | null;
}

const NONE: TokenState = { access: null, refresh: null, expiresAtS: null };

/** Holds the tokens of one user at a time, and calls the API with them. */
export class TokenKeeper {
  /** An identity assertion for the next registration; it works once. */
  assertion: string | null = null;
  /** Where another tab looks after the tokens: asks it for the one after `stale`. */
  renewElsewhere: ((stale: string | null) => Promise<TokenState>) | null = null;

  readonly #api: Api;
  readonly #tell: (tokens: Tokens) => void;
  readonly #nowS: () => number;
  #state = NONE;
  #credentials: TokenRequest | null = null;
  #renewal: Promise<void> | null = null;
  #changes = 0; // a renewal that began before the last change is of no use

  /**
   * @param tell gets new tokens that came of themselves.
   * @param nowS the time, in seconds since the epoch.
   */
  constructor(api: Api, tell: (tokens: Tokens) => void, nowS: () => number = () => Date.now() / 1000) {
    this.#api = api;
    this.#tell = tell;
    this.#nowS = nowS;
  }

  get state(): TokenState {
    return this.#state;
  }

  // -------------------------------------------------------------------------------------------------- who is known

  /** A registration brought a session with its first tokens. */
  registered(data: RegisterData): void {
    this.assertion = null;
    this.holdPair(data);
    this.#credentials = { username: data.username, password: data.password };
  }

  /** A sign-in worked: its credentials can get tokens. Tokens of another user are forgotten. */
  connected(username: string, password: string): void {
    if (this.#credentials !== null && this.#credentials.username !== username) this.#forgetTokens();
    this.#credentials = { username, password };
  }

  /**
   * Take a token from the app: an access token, or an identity assertion; `""` forgets all that is known.
   *
   * @throws HeliographError `token_malformed`, `token_expired` or `token_subject_mismatch`; the old token stays.
   */
  set(token: string, username: string | null, nowS: number): void {
    if (token === "") {
      this.forget();
    } else if (ACCESS_TOKEN.test(token)) {
      if (token !== this.#state.access) this.hold({ ...NONE, access: token });
    } else {
      checkClaims(readClaims(token), username, nowS);
      this.assertion = token;
    }
  }

  /** Know no one. */
  forget(): void {
    this.assertion = this.#credentials = null;
    this.#forgetTokens();
  }

  /** Know no one, if these are the credentials of whom is known; says whether they were. */
  forgetSession(username: string, password: string): boolean {
    const isKnown = this.#credentials?.username === username && this.#credentials.password === password;
    if (isKnown) this.forget();
    return isKnown;
  }

  /** Use a new pair from now on. */
  holdPair({ token, refreshToken, expiresIn }: Pick<Tokens, "token" | "refreshToken" | "expiresIn">): void {
    this.hold({ access: token, refresh: refreshToken, expiresAtS: this.#nowS() + expiresIn });
  }

  /** Use these from now on. */
  hold(state: TokenState): void {
    this.#state = state;
    this.#changes += 1;
  }

  /** Another tab may have used the refresh token up: the password of the session gets the next pair. */
  mistrustRefreshToken(): void {
    if (this.#credentials !== null) this.#state = { ...this.#state, refresh: null };
  }

  #forgetTokens(): void {
    this.hold(NONE);
  }

  // ------------------------------------------------------------------------------------------------------- calling

  /**
   * A call as the user. A token is renewed before it expires; one that has expired all the same is renewed once, then the
   * call is repeated.
   */
  call<Data = undefined>(method: string, path: string, body?: CallOptions["body"]): Promise<Response<Data>> {
    return this.#with((bearer) => this.#api.call<Data>(method, path, { body, bearer }));
  }

  /** Send a file as the user. */
  upload<Data>(path: string, file: Blob, onProgress?: ProgressCallback): Promise<Response<Data>> {
    return this.#with((bearer) => this.#api.upload<Data>(path, file, bearer, onProgress));
  }

  async #with<Result>(call: (bearer: string | null) => Promise<Result>): Promise<Result> {
    const used = await this.#fresh();
    try {
      return await call(used);
    } catch (error) {
      const isExpired = error instanceof HeliographError && error.code === "token_expired";
      if (!isExpired || (this.#state.refresh === null && this.#credentials === null)) throw error;
    }
    return await call(await this.renewed(used));
  }

  /** The token to go along: the next one, where this one is about to expire and the next is to be had. */
  async #fresh(): Promise<string | null> {
    const { access, refresh, expiresAtS } = this.#state;
    if (access === null) return this.#credentials === null ? null : this.renewed(null);
    if (refresh !== null && expiresAtS !== null && expiresAtS - this.#nowS() < RENEW_BEFORE_S) {
      try {
        return await this.renewed(access);
      } catch (error) {
        if (!isLost(error)) throw error; // else it may still do, and the call itself will tell
      }
    }
    return access;
  }

  /** The token after `stale`. All who need it wait for one renewal: a refresh token works once. */
  async renewed(stale: string | null): Promise<string | null> {
    if (this.#state.access === stale) {
      this.#renewal ??= this.#renew(stale).finally(() => (this.#renewal = null));
      await this.#renewal;
    }
    return this.#state.access;
  }

  async #renew(stale: string | null): Promise<void> {
    const beganAt = this.#changes;
    if (this.renewElsewhere !== null) {
      const state = await this.renewElsewhere(stale);
      if (this.#changes === beganAt) this.hold(state);
      return;
    }
    const tokens = await this.#nextTokens();
    if (this.#changes !== beganAt) return;
    this.holdPair(tokens);
    this.#tell(tokens);
  }

  async #nextTokens(): Promise<Tokens> {
    const { refresh } = this.#state;
    const credentials = this.#credentials;
    if (refresh !== null) {
      try {
        return await this.#refreshed(refresh);
      } catch (error) {
        // Two answers are lost: whether the server took it is not known, and one more use could end the session.
        if (isLost(error) && this.#state.refresh === refresh) this.mistrustRefreshToken();
        const isExpired = error instanceof HeliographError && error.code === "token_expired";
        if (!isExpired || credentials === null) throw error;
      }
    }
    if (credentials === null) throw failure("token_expired");
    return (await this.#api.call<Tokens>("POST", "/tokens", { body: credentials })).data;
  }

  /** The pair after a refresh token. Where the answer is lost it is asked for once more: the server makes that good. */
  async #refreshed(refreshToken: string): Promise<Tokens> {
    const ask = async () => (await this.#api.call<Tokens>("POST", "/tokens/refresh", { body: { refreshToken } })).data;
    try {
      return await ask();
    } catch (error) {
      if (!isLost(error)) throw error;
      return await ask();
    }
  }
}

/** Whether an error leaves open what the server did. */
function isLost(error: unknown): boolean {
  return error instanceof HeliographError && error.statusCode >= 500;
}

interface Claims {
  sub: string;
  exp?: number;
}

/** What can be read of a JWT without its key (RFC 7519, section 4.1). */
function readClaims(token: string): Claims {
  try {
    const payload = JWT.exec(token)?.[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? "";
    const claims: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
    if (isClaims(claims)) return claims;
  } catch {
    // not Base64, or not JSON
  }
  throw failure("token_malformed");
}

function isClaims(claims: unknown): claims is Claims {
  if (typeof claims !== "object" || claims === null) return false;
  const { sub, exp } = claims as Record<string, unknown>;
  return typeof sub === "string" && (exp === undefined || typeof exp === "number");
}

function checkClaims(claims: Claims, username: string | null, nowS: number): void {
  if (claims.exp !== undefined && claims.exp <= nowS) throw failure("token_expired");
  if (username !== null && claims.sub !== username) throw failure("token_subject_mismatch");
}
