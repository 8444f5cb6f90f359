/** The signed-in user of a page: the one place that sets up the SDK, and turns its listeners into signals. */

import SDK, {
  type ConnectionUpdate,
  type FriendsListUpdate,
  type MessageReceived,
  type NewSession,
  type PresenceUpdate,
  type ProfileUpdate,
} from "heliograph";

import { loadConfig } from "./config.js";
import { Signal } from "./events.js";
import type { Credentials, Kept } from "./kept.js";

export const connection = new Signal<ConnectionUpdate>();
export const profiles = new Signal<ProfileUpdate>();
export const friends = new Signal<FriendsListUpdate>();
export const presence = new Signal<PresenceUpdate>();
export const messages = new Signal<MessageReceived>();
export const newSessions = new Signal<NewSession>();

/** Sets the SDK up for this node. */
export async function initialise(): Promise<void> {
  const config = await loadConfig();
  await SDK.initializeSDK({
    ...config,
    callbackListeners: {
      connectionListener: (update) => connection.emit(update),
      userProfileListener: (update) => profiles.emit(update),
      friendsListListener: (update) => friends.emit(update),
      presenceListener: (update) => presence.emit(update),
      messageListener: (message) => messages.emit(message),
      sessionListener: (session) => newSessions.emit(session),
    },
  });
}

/** Connects with the session that the page has kept; `null` where it has kept none. */
export async function resume(kept: Kept): Promise<Credentials | null> {
  const credentials = kept.read();
  if (credentials === null) return null;
  await SDK.connect(credentials.username, credentials.password);
  return credentials;
}

/** Registers this device under an identifier, and connects. */
export async function register(identifier: string, kept: Kept): Promise<void> {
  const { data } = await SDK.register(identifier);
  kept.write(data);
  await SDK.connect(data.username, data.password);
}

/** The bare JID of the signed-in user. */
export async function ownJid(): Promise<string> {
  const { data } = await SDK.getCurrentUserJid();
  return data.userJid;
}
