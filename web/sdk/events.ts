/** What an app is told without asking, and under which names it listens. */
import type { ConnectionStatus } from "./states";
import type { ContactBody, ProfileBody, Tokens } from "./wire";

/** The connection changed its state. */
export interface ConnectionUpdate {
  status: ConnectionStatus;
  /** Why: an error's code, a stream error's condition or, of LOGOUT, why the session ended. */
  reason?: string;
  /** Of RECONNECTING: which attempt since the loss begins, from 1. */
  attempt?: number;
}

/** A profile is new to this page: the user's own or a contact's. Each version comes once, in order. */
export type ProfileUpdate = ProfileBody;

/** An entry of the contact list changed; `removed` is one no longer. */
export interface FriendsListUpdate {
  userId: string;
  userJid: string;
  state: ContactBody["state"] | "removed";
}

/** A device of a contact, or another device of the user, came or went or says something else of itself. */
export interface PresenceUpdate {
  userId: string;
  userJid: string;
  /** Which of the devices. */
  resource: string;
  isOnline: boolean;
  /** `away`, `chat`, `dnd`, `xa`, or `""` for simply available (RFC 6121, section 4.7.2.1). */
  show: string;
  /** A text for people (RFC 6121, section 4.7.2.2). */
  status: string;
}

/** A one-to-one text message came. */
export interface MessageReceived {
  /** The id that its sender gave it, or `""`. */
  messageId: string;
  userId: string;
  userJid: string;
  text: string;
}

/** The signed-in account was deleted. */
export interface UserDeleted {
  userId: string;
  userJid: string;
}

/** The administrator blocked or unblocked the signed-in user or a contact. */
export interface AdminBlockUpdate {
  userId: string;
  userJid: string;
  isAdminBlocked: boolean;
}

/** The signed-in user blocked or unblocked a user, on this device or another. */
export interface BlockUpdate {
  userId: string;
  userJid: string;
  isBlocked: boolean;
}

/** Another device of the user was let in. If it was not the user who did that, `logoutSession(sessionId)` ends it. */
export interface NewSession {
  sessionId: string;
  device: string;
  browser: string;
  os: string;
  /** The network address from which it was let in. */
  ip: string;
  /** When, in ISO 8601. */
  createdAt: string;
  /** How; `qr`. */
  via: string;
}

/** A session of the user on another device was ended by the server, for the user's safety. */
export interface SessionEnded extends NewSession {
  /** Why; `token_reused`: one of its refresh tokens was used by two. */
  reason: string;
}

/** The SDK has new tokens; an app that keeps them over a reload stores these. */
export type TokenUpdate = Tokens;

/** Each listener with the event that it gets. */
export interface Events {
  connectionListener: ConnectionUpdate;
  userProfileListener: ProfileUpdate;
  friendsListListener: FriendsListUpdate;
  presenceListener: PresenceUpdate;
  blockUserListener: BlockUpdate;
  messageListener: MessageReceived;
  userDeletedListener: UserDeleted;
  adminBlockListener: AdminBlockUpdate;
  tokenListener: TokenUpdate;
  sessionListener: NewSession;
  sessionEndedListener: SessionEnded;
}

export type ListenerName = keyof Events;

/** The callbacks that `initializeSDK` takes. */
export type CallbackListeners = { [Name in ListenerName]?: (event: Events[Name]) => unknown };

/** A listener's name with its event. */
export type Event = { [Name in ListenerName]: readonly [name: Name, event: Events[Name]] }[ListenerName];

export const LISTENER_NAMES: ReadonlySet<string> = new Set<ListenerName>([
  "connectionListener",
  "userProfileListener",
  "friendsListListener",
  "presenceListener",
  "blockUserListener",
  "messageListener",
  "userDeletedListener",
  "adminBlockListener",
  "tokenListener",
  "sessionListener",
  "sessionEndedListener",
]);
