// Made from heliograph.wire and heliograph.errors by `make docs`. Change those, not this file.

/** The HTTP status of every error. */
export const ERROR_STATUS = {
  access_denied: 403,
  account_deleted: 403,
  account_not_found: 404,
  admin_blocked: 403,
  already_connected: 409,
  already_used: 409,
  app_invalid: 400,
  authentication_failed: 401,
  authorization_pending: 409,
  block_invalid: 400,
  block_limit: 403,
  check_code_mismatch: 403,
  contact_invalid: 400,
  contact_limit: 403,
  contact_request_not_found: 404,
  expired_token: 400,
  feature_disabled: 403,
  idempotency_mismatch: 409,
  identifier_invalid: 400,
  image_invalid: 400,
  image_too_costly: 400,
  image_too_many_pixels: 413,
  internal_error: 500,
  invitation_invalid: 404,
  invitation_limit: 403,
  key_mismatch: 403,
  last_seen_hidden: 403,
  license_invalid: 401,
  license_mode_mismatch: 400,
  media_busy: 503,
  media_unsupported: 415,
  metadata_invalid: 400,
  method_not_allowed: 405,
  not_connected: 409,
  origin_forbidden: 403,
  outcome_unknown: 504,
  payload_too_large: 413,
  profile_conflict: 409,
  profile_invalid: 400,
  rate_limited: 429,
  registration_unverified: 401,
  remote_failed: 502,
  remote_refused: 400,
  request_invalid: 400,
  route_not_found: 404,
  sandbox_full: 403,
  secret_key_required: 403,
  session_limit: 405,
  session_not_found: 404,
  settings_invalid: 400,
  slow_down: 429,
  step_up_required: 403,
  storage_unavailable: 503,
  timeout: 504,
  token_expired: 401,
  token_malformed: 401,
  token_missing: 401,
  token_revoked: 401,
  token_subject_mismatch: 400,
  unreachable: 503,
  webhook_invalid: 400,
  webhook_not_found: 404,
} as const;

/** What a node can answer. */
export type ErrorCode = keyof typeof ERROR_STATUS;

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

/** What the app offers. */
export interface FeaturesBody {
  /** sign-in by QR code. */
  qrSignIn: boolean;
  /** finding users (`getUsersList`). */
  userSearch: boolean;
  /** users delete themselves (`deleteMyAccount`). */
  accountDeletion: boolean;
  /** when a contact was last there (`getLastSeen`). */
  lastSeen: boolean;
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
  /** what the app offers. */
  features: FeaturesBody;
  /** what a user of this app has to fill in, as `ProfileRequest` names it. */
  requiredProfileFields: readonly string[];
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

/** A new device session and its credentials. The password and the tokens are shown this once. */
export interface CredentialsData {
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
}

/** A new device session with its credentials, and how to connect. */
export interface RegisterData extends CredentialsData {
  /** how to connect. */
  config: Config;
}

/** Registrations of 1 to 1,000 users. */
export interface BulkRequest {
  users: readonly RegisterRequest[];
}

/** What came of one registration. */
export interface BulkResultBody {
  /** as it was sent. */
  userIdentifier: string;
  /** `registered` (a new user), `existing` (a further session of one) or `failed`. */
  status: "registered" | "existing" | "failed";
  /** the session, where there is one. */
  data?: CredentialsData;
  /** why there is none. */
  error?: ErrorBody;
}

/** What came of each registration, in the order of the request, and how many came to what. */
export interface BulkData {
  registered: number;
  existing: number;
  failed: number;
  results: readonly BulkResultBody[];
}

/** What the user has to say on leaving; each at most 2000 characters. */
export interface DeletionRequest {
  reason?: string;
  feedback?: string;
}

/** A deletion. Until `purge_at` the app can undo it; then the user is gone for good. Times are ISO 8601 in UTC. */
export interface DeletionData {
  deletedAt: string;
  purgeAt: string;
}

/** A user's metadata. */
export interface MetaDataBody {
  metaData: MetaData;
}

/** A user's metadata, whole. */
export interface MetaDataRequest {
  metaData: MetaData;
}

/** Entries of a user's metadata: `null` removes one, all else sets it, and what is not named stays. */
export interface MetaDataPatch {
  metaData: Record<string, unknown>;
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

/** An access or refresh token whose session has to end. */
export interface RevokeRequest {
  token: string;
}

/** What a device says of itself, for the list of sessions; each at most 128 characters, all may be empty. */
export interface DeviceBody {
  device?: string;
  browser?: string;
  os?: string;
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

/** A user whom the user blocks: identifier and bare JID, and nothing of the profile. */
export interface BlockedUserBody {
  userId: string;
  userJid: string;
}

/** The users whom the user blocks. */
export interface BlockedData {
  blocked: readonly BlockedUserBody[];
}

/** When a user was last there: ISO 8601 in UTC, and seconds ago; now and 0 of one who is there. */
export interface LastSeenBody {
  userId: string;
  userJid: string;
  isOnline: boolean;
  lastSeenAt: string;
  seconds: number;
}

/** Requests that wait: by others who have asked the user, and by the user. */
export interface RequestsData {
  received: readonly ContactBody[];
  sent: readonly ContactBody[];
}

/** Make contacts of all these users, named by their identifiers. */
export interface ImportRequest {
  identifiers: readonly string[];
}

/** What became of one identifier of an import. */
export interface ImportedBody {
  /** the identifier as it was sent. */
  userId: string;
  /** what the user is now, or `failed`. */
  state: "friend" | "requested" | "received" | "failed";
  /** why it failed: `identifier_invalid`, `account_not_found`, `contact_invalid` or `contact_limit`. */
  code?: string | null;
}

/** One result for each identifier, in the order in which they were named; one named twice is told of once. */
export interface ImportData {
  results: readonly ImportedBody[];
}

/** Whether the user agrees to be found by the telephone number of the profile. */
export interface DiscoverabilityRequest {
  byPhone: boolean;
}

/** Whether the user can be found. */
export interface DiscoverabilityBody {
  /** the user has agreed to be found by telephone number; by default, not. */
  byPhone: boolean;
  /** there is a number in the user's profile. */
  hasNumber: boolean;
}

/** Who of a phone book is a user and has agreed to be found? */
export interface PhoneBookRequest {
  /** of each number the SHA-256, in base64url without padding, of `heliograph-phone-book:DOMAIN:NUMBER`: the JID domain of the client configuration, and the number in E.164 form with its `+`. */
  hashes: readonly string[];
}

/** A user who was found. */
export interface FoundUserBody {
  /** by which of the hashes. */
  hash: string;
  userId: string;
  userJid: string;
  /** as the one who looks may see it. */
  profile: ProfileBody;
}

/** The users who were found. Nobody is made a contact by it. */
export interface PhoneBookData {
  matches: readonly FoundUserBody[];
}

/** Make an invitation. */
export interface NewInvitationRequest {
  /** its life in seconds, 60 to 2,592,000 (30 days). */
  expiresIn?: number;
  /** how many users may accept it, 1 to 100. */
  maxUses?: number;
}

/** The token of an invitation: what follows `invite=` in its address. */
export interface InvitationTokenRequest {
  token: string;
}

/** An open invitation. Times are ISO 8601 in UTC; `uses` have accepted it, of `max_uses`. */
export interface InvitationBody {
  id: string;
  createdAt: string;
  expiresAt: string;
  maxUses: number;
  uses: number;
}

/** A new invitation with its token and its address, which are shown this once. */
export interface NewInvitationBody extends InvitationBody {
  token: string;
  url: string;
}

/** The user's open invitations. */
export interface InvitationsData {
  invitations: readonly InvitationBody[];
}

/** Who invites, as the invited user may see it, and until when. */
export interface InviterBody {
  userId: string;
  userJid: string;
  profile: ProfileBody;
  expiresAt: string;
}

/** What a user may choose a status from. */
export interface StatusesBody {
  /** the user's status text. */
  current: string;
  /** what the app offers, in its order. */
  offered: readonly string[];
  /** what the user had last, at most 10, the newest first. */
  recent: readonly string[];
}

/** Take a text off the recent ones; without `status`, all of them. */
export interface ForgetStatusRequest {
  status?: string | null;
}

/** What the app offers to all its users from now on. */
export interface OfferedStatusesRequest {
  statuses: readonly string[];
}

/** What the app offers. */
export interface OfferedStatusesBody {
  statuses: readonly string[];
}

/** A change of one user's profile; see `ProfileRequest`. */
export interface ProfileUpdateItem extends ProfileRequest {
  userId: string;
}

/** Changes of many profiles. A user who is named twice is changed twice, in this order. */
export interface ProfileUpdatesRequest {
  items: readonly ProfileUpdateItem[];
}

/** What became of one change. */
export interface UpdatedBody {
  /** as it was sent. */
  userId: string;
  /** `updated`, `unchanged` (the profile was like that already) or `failed`. */
  result: "updated" | "unchanged" | "failed";
  /** of the profile, unless it failed. */
  version?: number | null;
  /** why it failed: the code of an error, a sentence, and the field that it is about. */
  code?: string | null;
  /** why it failed: the code of an error, a sentence, and the field that it is about. */
  message?: string | null;
  /** why it failed: the code of an error, a sentence, and the field that it is about. */
  field?: string | null;
}

/** One result for each change, in their order. */
export interface UpdatesData {
  results: readonly UpdatedBody[];
}

/** One changed field. Only the values of name, status and picture are kept. */
export interface FieldEditBody {
  field: string;
  before?: string | null;
  after?: string | null;
}

/** One change of a profile. */
export interface ProfileEditBody {
  /** the one that it made. */
  version: number;
  /** ISO 8601 in UTC. */
  at: string;
  /** whose word it was. */
  by: "user" | "backend";
  /** the way by which it came. */
  via: "api" | "xmpp";
  /** the device session; `""` for a backend. */
  sessionId: string;
  fields: readonly FieldEditBody[];
}

/** The newest changes of a profile, at most 20, the newest first. */
export interface ProfileHistoryData {
  changes: readonly ProfileEditBody[];
}

/** A stored picture. Its addresses give WebP to who accepts that, and else JPEG. */
export interface MediaBody {
  /** names it in a later `ProfileRequest`. */
  fileToken: string;
  /** names its thumbnail. */
  fileTokenThumb: string;
  /** its public URL. */
  image: string;
  /** the URL of its thumbnail. */
  thumbImage: string;
  /** of the form that the next three describe. */
  mimeType: string;
  /** in bytes. */
  size: number;
  /** in pixels. */
  width: number;
  /** in pixels. */
  height: number;
}

/** One thing that happened. */
export interface AuditEntryBody {
  /** its place in the app's trail; a user's entries have gaps between their numbers. */
  number: number;
  /** when, as ISO 8601 in UTC. */
  at: string;
  /** what, such as `session.ended`. */
  kind: string;
  /** the user's identifier; `""` where it is about no user. */
  userId: string;
  /** the session; `""` where it is about none. */
  sessionId: string;
  /** what else there is to say, such as `reason`, `device` or `changed`. */
  facts: Record<string, unknown>;
}

/** A page of the audit trail, the newest entry first. `next` is the `before` of the page behind it. */
export interface AuditData {
  entries: readonly AuditEntryBody[];
  next: number | null;
}

/** A user as the app's own backend sees it. Times are ISO 8601 in UTC. */
export interface AccountBody {
  /** the user's identifier. */
  userId: string;
  /** the user's bare JID. */
  userJid: string;
  /** whether the app's administrator has blocked the user. */
  isAdminBlocked: boolean;
  /** whether this is a sandbox user. */
  isSandbox: boolean;
  /** whether the user was deleted, and can still be restored. */
  isDeleted: boolean;
  /** when a deleted user is gone for good. */
  purgeAt: string | null;
  /** the user's own cap on sessions; `null` where the app's holds. */
  maxSessions: number | null;
  /** the user's metadata. */
  metaData: MetaData;
  /** when the user was first registered. */
  createdAt: string;
  /** when a sandbox user expires. */
  expiresAt: string | null;
}

/** A change of a user; what is absent stays. */
export interface AccountRequest {
  /** the user's own cap on sessions, 1 to 100; `null` for the app's. */
  maxSessions?: number | null;
  /** the user's metadata, whole. */
  metaData?: MetaData;
}

/** A page of users in the order of their identifiers; `next` goes into `after` for the next page, if any. */
export interface AccountsData {
  users: readonly AccountBody[];
  next: string | null;
}

/** A search among the users of the same app. */
export interface UserSearchRequest {
  /** the beginning of an identifier or of a word of a name, or a whole email address or mobile number; `""` for all users. */
  search?: string;
  /** from 1 on. */
  page?: number;
  /** how many users a page has, 1 to 100. */
  limit?: number;
  /** entries that the users have to have. */
  metadata?: MetaData | null;
}

/** A user who was found: the profile as the viewer may see it, and the metadata. */
export interface ListedUserBody extends ProfileBody {
  metaData: MetaData;
}

/** A page of a search. */
export interface UsersData {
  /** those who were found. */
  users: readonly ListedUserBody[];
  /** which page this is. */
  page: number;
  /** how many users a page has. */
  limit: number;
  /** how many were found in all; a search looks at no more than 2000 matches. */
  totalRecords: number;
  /** how many pages that makes. */
  totalPages: number;
}

/** What a user said on leaving. `user_id` is `null` once the user is gone for good. */
export interface FeedbackBody {
  userId: string | null;
  reason: string;
  feedback: string;
  createdAt: string;
}

/** A page of feedback, newest first; `next` goes into `before` for the next page, where there is one. */
export interface FeedbackData {
  feedback: readonly FeedbackBody[];
  next: number | null;
}

/** A scan: the CODE of the QR text, or the typed code of 8 letters. */
export interface QrScanRequest {
  code: string;
}

/** What the consent screen has to tell of the device that asks. */
export interface QrScanData {
  /** the link, for the answer. */
  linkId: string;
  /** what the browser says of itself. */
  device: DeviceBody;
  /** the network address that it comes from. */
  ip: string;
  /** what kind of address that is. */
  ipHint: "loopback" | "private" | "public" | "unknown";
  /** how many seconds ago it asked. */
  requestedAgo: number;
  /** how many seconds the user may think. */
  expiresIn: number;
  /** whether the phone comes from the same public address; `null` where the app does not care. */
  sameNetwork: boolean | null;
  /** whether the user has no session of such a browser on such a system. */
  newDevice: boolean;
  /** whether the approval has to carry `keyHash`: so it is, unless the code was typed. */
  needsKeyHash: boolean;
}

/** An approval. */
export interface QrApproveRequest {
  /** KEYHASH, as the phone itself has read it out of the QR text. */
  keyHash?: string | null;
  /** at the session cap, end the least recently active session (`true`) or fail (`false`). */
  forceRegister?: boolean;
  /** the id of the session that makes room. */
  replaceSession?: string | null;
}

/** The check code that the phone shows and the browser asks for; `null` where the app asks for none. */
export interface QrApproveData {
  checkCode: string | null;
}

/** An ephemeral key on P-256 as a JWK (RFC 7517, RFC 7518). */
export interface PublicKeyBody {
  kty?: "EC";
  crv?: "P-256";
  x: string;
  y: string;
}

/** The first message of a browser that wants to be signed in. */
export interface Hello {
  type: "hello";
  version: 1;
  licenseKey: string;
  publicKey: PublicKeyBody;
  device?: DeviceBody;
}

/** What the challenge held. */
export interface Proof {
  type: "proof";
  nonce: string;
}

/** The first message of a socket that takes the place of a lost one. */
export interface Resume {
  type: "resume";
  version: 1;
  licenseKey: string;
  linkId: string;
  resumeSecret: string;
}

/** A person clicked after `paused`. */
export interface Continue {
  type: "continue";
}

/** The check code, as a person typed it. */
export interface CheckCode {
  type: "checkCode";
  code: string;
}

/** The browser has opened the credential. One that does not say so within the minute loses its session again. */
export interface Received {
  type: "received";
}

/** The browser does not want to be signed in any more. */
export interface Cancel {
  type: "cancel";
}

/** A nonce as a compact JWE (ECDH-ES, A256GCM) for the browser's key. */
export interface Challenge {
  type: "challenge";
  jwe: string;
}

/** What to show now. */
export interface CodeShown {
  type: "code";
  /** the link. */
  linkId: string;
  /** with it another socket can take over. */
  resumeSecret: string;
  /** the text of the QR code. */
  qr: string;
  /** the same for typing: 8 letters. */
  typedCode: string;
  /** the thumbprint of the browser's key, which the browser checks itself. */
  keyHash: string;
  /** how many seconds the code is valid. */
  expiresIn: number;
  /** in how many seconds the next one comes. */
  refreshIn: number;
}

/** No further code comes until a person clicks. */
export interface Paused {
  type: "paused";
}

/** A phone has scanned the code; its user looks at the consent screen. */
export interface Scanned {
  type: "scanned";
}

/** Who is about to be signed in, as strangers may see the user. */
export interface SigningIn {
  userId: string;
  nickName: string;
  image: string;
}

/** Ask the person for the check code. */
export interface Verify {
  type: "verify";
  user: SigningIn;
  triesLeft: number;
}

/** The credential: a compact JWE (ECDH-ES, A256GCM) for the browser's key; `apu` is the link's id, `apv` the key's thumbprint. Its plaintext is `RegisterData` as JSON. It comes again, the same, to each socket that resumes the link, until the browser has sent `received`. */
export interface Approved {
  type: "approved";
  jwe: string;
}

/** The link is over without a sign-in. */
export interface Ended {
  type: "ended";
  code: string;
  message: string;
}

/** The last message was refused; the link goes on unless `ended` follows. */
export interface Refused {
  type: "error";
  /** the error's code. */
  code: string;
  /** a sentence for a person. */
  message: string;
  /** seconds after which it may be tried again. */
  retryAfter?: number;
  /** of a wrong check code, how many tries are left. */
  triesLeft?: number;
}

export type FromBrowser = Hello | Proof | Resume | Continue | CheckCode | Received | Cancel;

export type FromServer = Challenge | CodeShown | Paused | Scanned | Verify | Approved | Ended | Refused;
