/** The SDK: one object for one user on one device. */
import { connect, deleteAccount, logOut, register, type RegisterOptions } from "./accounts";
import { Api, segment, type Response } from "./api";
import { ContactCalls } from "./contact-calls";
import { failure } from "./errors";
import { sendMessage } from "./messages";
import type { Logo } from "./qr-canvas";
import { startQrLogin, type QrLogin, type QrOptions, type QrResult } from "./qr-login";
import { approveQrCode, denyQrCode, scanQrCode, type ApproveOptions, type QrRequest } from "./qr-phone";
import { Runtime, type InitializeOptions } from "./runtime";
import type { ConnectionStatus } from "./states";
import type { Config, DeletionData, EndedData, MetaData, QrApproveData, RegisterData, SessionsData, Tokens } from "./wire";

/**
 * Register, connect, profiles, contacts, sessions: `initializeSDK` first.
 *
 * Every call resolves to `{statusCode, message, data?}` or throws a `HeliographError`. Any call may throw `unreachable`,
 * `timeout`, `rate_limited` (with `retryAfterS`) and, before `initializeSDK`, `not_connected`; calls for the signed-in
 * user also `token_missing`, `token_expired` and `token_revoked`.
 */
export class HeliographSDK extends ContactCalls {
  #runtime: Runtime | null = null;

  protected get on(): Runtime {
    if (this.#runtime === null) throw failure("not_connected", "Initialize the SDK first");
    return this.#runtime;
  }

  /** The state that `connectionListener` was told last. */
  get connectionStatus(): ConnectionStatus {
    return this.#runtime?.link.status ?? "DISCONNECTED";
  }

  /**
   * Check the licence key against the server, and get ready. Called again, it begins anew.
   *
   * @throws HeliographError `license_invalid`, `license_mode_mismatch`, `request_invalid`.
   */
  async initializeSDK(options: InitializeOptions): Promise<Response<Config>> {
    const api = new Api(options.apiBaseUrl, options.licenseKey);
    const response = await api.call<Config>("GET", "/config");
    if (options.isTrialLicenseKey !== undefined && options.isTrialLicenseKey !== response.data.isSandbox) {
      throw failure("license_mode_mismatch");
    }
    this.close();
    this.#runtime = new Runtime(response.data, api, options);
    return response;
  }

  /** Disconnect and let go of everything. The session goes on: `connect` works again with the same password. */
  close(): void {
    this.#runtime?.qrLogin?.cancel();
    this.#runtime?.link.stop("close");
    this.#runtime = null;
  }

  // -------------------------------------------------------------------------------------------------------- account

  /**
   * Register a user or, of a user that exists, a further device. The password is this device's own.
   *
   * @param userIdentifier 1 to 191 characters out of `a-z`, `0-9`, `_` and `-`.
   * @param forceRegister at the session cap, end the least recently active session (`true`) or fail (`false`); or all
   *   further arguments by their names.
   * @param registerMetaData at most 3 entries of String, Boolean or finite Number; left out, what is stored stays.
   * @throws HeliographError `identifier_invalid`, `metadata_invalid`, `session_limit` (405, with `details.sessions`),
   *   `session_not_found`, `registration_unverified`, `already_connected`, `admin_blocked`, `sandbox_full`.
   */
  async register(
    userIdentifier: string,
    forceRegister: boolean | RegisterOptions = true,
    registerMetaData?: MetaData,
  ): Promise<Response<RegisterData>> {
    const options = typeof forceRegister === "object" ? forceRegister : { forceRegister };
    const metaData = registerMetaData ?? options.registerMetaData;
    return await register(this.on, userIdentifier, { ...options, ...(metaData && { registerMetaData: metaData }) });
  }

  /**
   * Connect to XMPP with what `register` gave; a connection that is lost is made again by itself.
   *
   * @throws HeliographError `authentication_failed`, `admin_blocked`, `unreachable`, `timeout`, and `already_connected`
   *   as another user. As the same user, nothing happens.
   */
  async connect(username: string, password: string): Promise<Response> {
    return await connect(this.on, username, password);
  }

  /** End this device's session, and with it the connection and the password. */
  async logout(): Promise<Response> {
    return await logOut(this.on);
  }

  /**
   * Delete the signed-in user with all that belongs to it, on all devices. Until `purgeAt` the app can undo it.
   *
   * @throws HeliographError `feature_disabled`, `step_up_required`.
   */
  async deleteMyAccount(reason = "", feedback = ""): Promise<Response<DeletionData>> {
    return await deleteAccount(this.on, reason, feedback);
  }

  /** The bare JID of the user who registered or connected. */
  async getCurrentUserJid(): Promise<Response<{ userJid: string }>> {
    return { statusCode: 200, message: "Success", data: { userJid: this.on.userJid } };
  }

  // --------------------------------------------------------------------------------------------------- QR sign-in

  /**
   * Draw QR codes on a canvas until a phone has approved one; then this page has a session of its own and is connected.
   *
   * @param canvas the canvas, or an element to hold one, or the id of one of them.
   * @param logo the picture for the middle, or its id; `null` for none.
   * @param signalServerUrl where the signal server is; `null` for where the node says.
   * @param callback called once: with `{statusCode: 200, username, password, …}` when this page is connected, or with
   *   `{statusCode, code, message}` when it came to nothing.
   * @returns when the first code is drawn, with `data` to `continue` after a pause and to `cancel`.
   * @throws HeliographError `already_connected`, `request_invalid`, `unreachable`, `key_mismatch`, `origin_forbidden`,
   *   `rate_limited`.
   */
  async generateQrCode(
    canvas: string | HTMLElement,
    logo?: string | Logo | HTMLElement | null,
    signalServerUrl?: string | null,
    callback?: (result: QrResult) => unknown,
    options: QrOptions = {},
  ): Promise<Response<QrLogin>> {
    return await startQrLogin(this.on, { canvas, logo, signalServerUrl, callback, options });
  }

  /**
   * Take a code for this session: what comes back is for the consent screen. Nobody else can take it any more.
   *
   * @param scannedText the text of the QR code, or the typed code.
   * @throws HeliographError `request_invalid`, `access_denied`, `expired_token`, `already_used`, `step_up_required`.
   */
  async scanQrCode(scannedText: string): Promise<Response<QrRequest>> {
    return await scanQrCode(this.on, scannedText);
  }

  /**
   * Let the page in that shows a code. What comes back is the check code to show to the user, if there is one.
   *
   * @param scanned the text of the code, with `options.consent`; or what `scanQrCode` gave, after the user agreed.
   * @throws HeliographError `access_denied`, `key_mismatch`, `session_limit` (405, with `details.sessions`),
   *   `already_used`; of a text also as `scanQrCode`.
   */
  async approveQrCode(scanned: string | QrRequest, options: ApproveOptions = {}): Promise<Response<QrApproveData>> {
    return await approveQrCode(this.on, scanned, options);
  }

  /** Do not let the page in, and tell it so. */
  async denyQrCode(scanned: string | QrRequest): Promise<Response> {
    return await denyQrCode(this.on, scanned);
  }

  // -------------------------------------------------------------------------------------------------------- messages

  /** Send a one-to-one text message, to a JID or an identifier. That it was sent does not say that it was read. */
  async sendMessage(jid: string, text: string): Promise<Response<{ messageId: string }>> {
    return await sendMessage(this.on, jid, text);
  }

  // -------------------------------------------------------------------------------------------------------- sessions

  /** The user's live sessions, least recently active first. */
  async getSessions(): Promise<Response<SessionsData>> {
    return await this.on.tokens.call<SessionsData>("GET", "/sessions");
  }

  /** End one session. Its device is told and disconnected; the others notice nothing. */
  async logoutSession(sessionId: string): Promise<Response> {
    return await this.on.tokens.call("DELETE", `/sessions/${segment(sessionId)}`);
  }

  /** End all sessions but this one. */
  async logoutOtherSessions(): Promise<Response<EndedData>> {
    return await this.on.tokens.call<EndedData>("POST", "/sessions/end-others", { onlyWeb: false });
  }

  /** End all other sessions that a browser holds. */
  async logoutWebSessions(): Promise<Response<EndedData>> {
    return await this.on.tokens.call<EndedData>("POST", "/sessions/end-others", { onlyWeb: true });
  }

  // ---------------------------------------------------------------------------------------------------------- tokens

  /**
   * Set the token for API calls; nothing is sent.
   *
   * @param token an access token; or an identity assertion, a JWT of the app's backend that the next `register` takes
   *   along; or `""` to forget all tokens and credentials that API calls would use.
   * @throws HeliographError `token_malformed`, `token_expired`, `token_subject_mismatch`; the old token stays.
   */
  async setUserToken(token: string): Promise<Response> {
    this.on.tokens.set(token, this.on.username, Date.now() / 1000);
    return { statusCode: 200, message: "Success" };
  }

  /** Get new tokens for the credentials of a device session, for use elsewhere or with `setUserToken`. */
  async getUserToken(username: string, password: string): Promise<Response<Tokens>> {
    return await this.on.api.call<Tokens>("POST", "/tokens", { body: { username, password } });
  }
}
