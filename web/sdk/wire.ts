// Made from heliograph.wire and heliograph.errors by `make docs`. Change those, not this file.

/** The stable code of every error that a node can answer with. */
export type ErrorCode =
  "access_denied" |
  "account_not_found" |
  "admin_blocked" |
  "already_connected" |
  "already_used" |
  "app_invalid" |
  "authentication_failed" |
  "authorization_pending" |
  "check_code_mismatch" |
  "contact_invalid" |
  "contact_limit" |
  "expired_token" |
  "identifier_invalid" |
  "internal_error" |
  "key_mismatch" |
  "license_invalid" |
  "license_mode_mismatch" |
  "media_unsupported" |
  "metadata_invalid" |
  "method_not_allowed" |
  "not_connected" |
  "origin_forbidden" |
  "payload_too_large" |
  "profile_conflict" |
  "profile_invalid" |
  "rate_limited" |
  "registration_unverified" |
  "request_invalid" |
  "route_not_found" |
  "sandbox_full" |
  "secret_key_required" |
  "session_limit" |
  "session_not_found" |
  "settings_invalid" |
  "slow_down" |
  "step_up_required" |
  "timeout" |
  "token_expired" |
  "token_malformed" |
  "token_missing" |
  "token_revoked" |
  "token_subject_mismatch" |
  "unreachable";

/** At most 3 entries of String, Boolean or finite Number. The rule is checked by the server's core, which answers `metadata_invalid`, and so not by the type here. */
export type MetaData = Record<string, string | boolean | number>;

/** Every answer that is no error. `data` is absent where a call has nothing to say beyond its success. */
export interface Answer<Data> {
  statusCode: number;
  message: string;
  data?: Data;
}

/** Every answer that is an error. */
export interface ErrorBody {
  /** the HTTP status. */
  statusCode: number;
  /** one sentence for a person. */
  message: string;
  /** the stable name of the error, for programs. */
  code: string;
  /** facts for programs, such as `field`, `sessions` or `errorId`. */
  details?: Record<string, unknown>;
}

/** Limits that a client should know before it asks, each with its unit in its name. */
export interface LimitsBody {
  /** how many device sessions a user of this app may have at once. */
  maxSessions: number;
  identifierMaxChars: number;
  metadataMaxEntries: number;
  metadataKeyMaxChars: number;
  metadataValueMaxChars: number;
  nameMaxGraphemes: number;
  statusMaxGraphemes: number;
  imageMaxBytes: number;
  contactsMax: number;
  requestMaxBytes: number;
  stanzaMaxBytes: number;
}

/** What a client needs to know to connect, for the app and environment of its key. */
export interface Config {
  /** where XMPP listens. */
  xmppHost: string;
  /** the port with STARTTLS (RFC 6120); `null` where it is closed. */
  xmppPort: number | null;
  /** the port with direct TLS (XEP-0368); `null` where it is closed. */
  xmppTlsPort: number | null;
  /** XMPP over WebSocket (RFC 7395). */
  websocketUrl: string;
  /** the QR signal server; `null` where QR sign-in is not offered. */
  signalServerUrl: string | null;
  /** the JID domain of the users. */
  domain: string;
  /** whether the key is a trial key. */
  isSandbox: boolean;
  limits: LimitsBody;
}

/** What a device says of itself, for the list of sessions; each at most 128 characters, all may be empty. */
export interface DeviceBody {
  device?: string;
  browser?: string;
  os?: string;
}

/** A registration: a new user, or a further device of one that exists. */
export interface RegisterRequest {
  /** 1 to 191 characters out of `a-z`, `0-9`, `_` and `-`. */
  userIdentifier: string;
  /** at the session cap, end the least recently active session (`true`) or fail (`false`). */
  forceRegister?: boolean;
  /** the id of the session that makes room, whether or not the cap is reached. */
  replaceSession?: string | null;
  /** the user's metadata; absent or `null` leaves what is stored. */
  registerMetaData?: MetaData | null;
  /** what the device says of itself. */
  device?: DeviceBody;
}

/** The new device session and its credentials. The password and the tokens are shown this once. */
export interface RegisterData {
  /** the XMPP username (the localpart of the JID), which is the user's identifier. */
  username: string;
  /** the password of this device session alone. */
  password: string;
  /** whether a valid name was ever saved. */
  isProfileUpdated: boolean;
  /** whether this is a sandbox user. */
  isSandbox: boolean;
  /** the bare JID. */
  userJid: string;
  /** the access token. */
  token: string;
  /** gets the next tokens, once. */
  refreshToken: string;
  /** the life of the access token in seconds. */
  expiresIn: number;
  /** the id of the new session. */
  sessionId: string;
  /** whether the user was registered before. */
  isExisting: boolean;
  /** how to connect. */
  config: Config;
}

/** A user as the app's own backend sees it. */
export interface AccountBody {
  userId: string;
  userJid: string;
  isAdminBlocked: boolean;
  isSandbox: boolean;
}

/** Sign in for tokens with the credentials of a device session. */
export interface TokenRequest {
  username: string;
  password: string;
}

/** Exchange a refresh token for the next pair of tokens. Each refresh token works once. */
export interface RefreshRequest {
  refreshToken: string;
}

/** A pair of tokens; `expires_in` is the life of the access token in seconds. */
export interface Tokens {
  token: string;
  refreshToken: string;
  expiresIn: number;
}

/** A live device session. Times are ISO 8601 in UTC; `current` marks the one that asks. */
export interface SessionBody {
  id: string;
  device: string;
  browser: string;
  os: string;
  ip: string;
  createdAt: string;
  lastActiveAt: string;
  via: "register" | "qr";
  current: boolean;
}

/** The user's live sessions. */
export interface SessionsData {
  sessions: readonly SessionBody[];
}

/** End all other sessions of the user, or only those that a browser holds (`onlyWeb`). */
export interface EndOthersRequest {
  onlyWeb?: boolean;
}

/** The ids of the sessions that were ended. */
export interface EndedData {
  sessionIds: readonly string[];
}

/** A profile as its viewer may see it, and what `userProfileListener` gets. An unset or hidden field is `""`. */
export interface ProfileBody {
  /** the user's identifier. */
  userId: string;
  /** the user's bare JID. */
  userJid: string;
  /** the identifier of the user whose profile this is; always equal to `user_id`. */
  fromUser: string;
  /** the display name. */
  nickName: string;
  /** the URL of the picture. */
  image: string;
  /** the URL of its thumbnail. */
  thumbImage: string;
  /** the status text. */
  status: string;
  /** the same text, under the second name that existing clients read. */
  userStatus: string;
  /** digits as given, with or without `+`. */
  mobileNumber: string;
  email: string;
  /** whether the app's administrator has blocked the user. */
  isAdminBlocked: boolean;
  /** counts the changes; 0 where no profile was ever saved. */
  version: number;
}

/** Who may see each field of a profile. */
export interface VisibilityBody {
  nickName: "everyone" | "contacts" | "nobody";
  image: "everyone" | "contacts" | "nobody";
  status: "everyone" | "contacts" | "nobody";
  mobileNumber: "everyone" | "contacts" | "nobody";
  email: "everyone" | "contacts" | "nobody";
}

/** The user's own profile, complete. */
export interface OwnProfileBody extends ProfileBody {
  /** names the picture where it was uploaded here; `""` where it is a foreign URL or unset. */
  fileToken: string;
  /** the same of the thumbnail. */
  fileTokenThumb: string;
  /** who may see each field. */
  visibility: VisibilityBody;
}

/** Who may see which field from now on; an absent field keeps its visibility. */
export interface VisibilityRequest {
  nickName?: "everyone" | "contacts" | "nobody" | null;
  image?: "everyone" | "contacts" | "nobody" | null;
  status?: "everyone" | "contacts" | "nobody" | null;
  mobileNumber?: "everyone" | "contacts" | "nobody" | null;
  email?: "everyone" | "contacts" | "nobody" | null;
}

/** A change of the user's own profile: `null` or absent leaves a field as it is, `""` clears it. */
export interface ProfileRequest {
  nickName?: string | null;
  /** a URL, or the `fileToken` of an uploaded picture. */
  image?: string | null;
  status?: string | null;
  mobileNumber?: string | null;
  email?: string | null;
  visibility?: VisibilityRequest | null;
  /** the version that this change builds on; any other current version is a `profile_conflict`. */
  version?: number | null;
}

/** A contact of the user. */
export interface ContactBody {
  /** the contact's identifier. */
  userId: string;
  /** the contact's bare JID. */
  userJid: string;
  /** `friend` (mutual), `requested` (the user has asked) or `received` (the contact has asked). */
  state: "friend" | "requested" | "received";
  /** whether the contact is connected; always `false` of one who is no friend. */
  isOnline: boolean;
  /** the contact's profile as the user may see it. */
  profile: ProfileBody;
}

/** The user's contacts. */
export interface ContactsData {
  contacts: readonly ContactBody[];
}

/** A stored picture. */
export interface MediaBody {
  /** names it in a later `ProfileRequest`. */
  fileToken: string;
  /** its public URL. */
  image: string;
  /** what its content is. */
  mimeType: string;
  /** in bytes. */
  size: number;
}
