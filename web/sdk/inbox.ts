/**
 * What received stanzas mean to the app: stanzas in, events out, no I/O. One inbox serves one user over all the
 * connections of the page's life, so what was told before a connection was lost is not told again after it.
 */
import type { Event, FriendsListUpdate, NewSession, PresenceUpdate, ProfileUpdate } from "./events";
import { parseJid, type Jid } from "./jid";
import { NS_VCARD4, readMark, readVcard4 } from "./vcard";
import { child, childText, children } from "./xml";

export const NS_ROSTER = "jabber:iq:roster";
export const NS_BLOCKING = "urn:xmpp:blocking";
const NS_EVENT = "http://jabber.org/protocol/pubsub#event";
const NS_NEW_SESSION = "urn:heliograph:new-session:1";
const NS_STABLE_IDS = "urn:xmpp:sid:0";
const NODE_VCARD4 = "urn:xmpp:vcard4";
/** How many messages are remembered by their ids. */
const MESSAGES_MAX = 10_000;

type FriendState = Exclude<FriendsListUpdate["state"], "removed">;

/** What an inbox knows, as plain data, for a page that joins later. */
export interface Known {
  profiles: ProfileUpdate[];
  presences: PresenceUpdate[];
  friends: [jid: string, state: FriendState][] | null;
  blocked: string[] | null;
  mark: number;
}

export class Inbox {
  readonly #user: Jid;
  readonly #profiles = new Map<string, ProfileUpdate>();
  /** By full JID: who is there. */
  readonly #presences = new Map<string, PresenceUpdate>();
  readonly #friends = new Map<string, FriendState>();
  /** Who sent a message and what they called it, the oldest first. */
  readonly #messages = new Set<string>();
  #hasRoster = false;
  #mark = 0;
  /** Whom the user blocks; `null` before the list was fetched. */
  #blocked: ReadonlySet<string> | null = null;
  /** Who was there on the last connection, and has not been seen on this one. */
  #unseen = new Set<string>();

  /** @param userJid the bare JID of the signed-in user. */
  constructor(userJid: string) {
    this.#user = parseJid(userJid);
  }

  /** The highest mark of the profile events that came; 0 before the first. A new stream need not bring what is older. */
  get mark(): number {
    return this.#mark;
  }

  /** The events of a message or a presence; none of what this SDK does not understand. */
  take(stanza: Element): Event[] {
    const from = parseJid(stanza.getAttribute("from") ?? this.#user.bare);
    return stanza.localName === "presence" ? this.#presence(stanza, from) : this.#message(stanza, from);
  }

  // -------------------------------------------------------------------------------------------------------- roster

  /** The whole contact list, as it was fetched. The first one is what later changes are told against. */
  takeRoster(query: Element): Event[] {
    const found = new Map<string, FriendState>();
    for (const [jid, state] of items(query)) if (state !== null) found.set(jid, state);
    if (!this.#hasRoster) {
      this.#hasRoster = true;
      for (const [jid, state] of found) this.#friends.set(jid, state);
      return [];
    }
    const gone = [...this.#friends].filter(([jid, state]) => state !== "received" && !found.has(jid));
    return [...gone.map(([jid]) => [jid, null] as const), ...found].flatMap(([jid, state]) => this.#setFriend(jid, state));
  }

  /**
   * The events of a push of the roster (RFC 6121, section 2.1.6) or of the block list (XEP-0191, sections 3.3 and 3.4);
   * `null` if the IQ is none, or not from the user's account.
   */
  takePush(iq: Element): Event[] | null {
    const from = iq.getAttribute("from");
    if (iq.getAttribute("type") !== "set" || (from !== null && from !== this.#user.bare)) return null;
    const query = child(iq, "query", NS_ROSTER);
    if (query !== undefined) return items(query).flatMap(([jid, state]) => this.#setFriend(jid, state));
    const before = [...(this.#blocked ?? [])];
    const block = child(iq, "block", NS_BLOCKING);
    if (block !== undefined) return this.#setBlocked([...before, ...jids(block)]);
    const unblock = child(iq, "unblock", NS_BLOCKING);
    if (unblock === undefined) return null;
    const named = new Set(jids(unblock)); // none named: all
    return this.#setBlocked(named.size === 0 ? [] : before.filter((jid) => !named.has(jid)));
  }

  #setFriend(jid: string, state: FriendState | null): Event[] {
    if (state === null) this.#profiles.delete(jid); // should the contact come back, the profile is news again
    if ((this.#friends.get(jid) ?? null) === state) return [];
    if (state === null) this.#friends.delete(jid);
    else this.#friends.set(jid, state);
    return [["friendsListListener", { userId: parseJid(jid).local, userJid: jid, state: state ?? "removed" }]];
  }

  // ------------------------------------------------------------------------------------------------------ blocking

  /** The whole block list, as it was fetched. The first one is what later changes are told against. */
  takeBlocks(list: Element): Event[] {
    if (this.#blocked !== null) return this.#setBlocked(jids(list));
    this.#blocked = new Set(jids(list));
    return [];
  }

  /** The events are of users: a domain or a device that is blocked is none. */
  #setBlocked(found: readonly string[]): Event[] {
    const before = this.#blocked ?? new Set<string>();
    const now = new Set(found);
    this.#blocked = now;
    const update = (jid: string, isBlocked: boolean): Event[] => {
      const { local, bare } = parseJid(jid);
      return local && bare === jid ? [["blockUserListener", { userId: local, userJid: jid, isBlocked }]] : [];
    };
    return [
      ...[...now].filter((jid) => !before.has(jid)).flatMap((jid) => update(jid, true)),
      ...[...before].filter((jid) => !now.has(jid)).flatMap((jid) => update(jid, false)),
    ];
  }

  // ------------------------------------------------------------------------------------------------------ presence

  /** A connection begins: who was there may be gone. */
  connecting(): void {
    this.#unseen = new Set(this.#presences.keys());
  }

  /** The server has told who is there: whoever it did not name has left meanwhile. */
  connected(): Event[] {
    const gone = [...this.#unseen].flatMap((jid) => this.#presences.get(jid) ?? []);
    return gone.flatMap((known) => this.#setPresence({ ...known, isOnline: false, show: "", status: "" }));
  }

  #presence(stanza: Element, from: Jid): Event[] {
    const type = stanza.getAttribute("type");
    if (type === null || type === "unavailable") {
      // One's own presence comes back to oneself (RFC 6121, section 4.2.2).
      if (stanza.getAttribute("from") === stanza.getAttribute("to")) return [];
      return this.#setPresence({
        userId: from.local,
        userJid: from.bare,
        resource: from.resource,
        isOnline: type === null,
        show: childText(stanza, "show"),
        status: child(stanza, "status")?.textContent ?? "",
      });
    }
    // Somebody asks to become a contact, or no longer does. A roster push tells all else.
    const known = this.#friends.get(from.bare);
    if (type === "subscribe" && known === undefined) return this.#setFriend(from.bare, "received");
    if (type === "unsubscribe" && known === "received") return this.#setFriend(from.bare, null);
    return [];
  }

  #setPresence(update: PresenceUpdate): Event[] {
    const jid = `${update.userJid}/${update.resource}`;
    this.#unseen.delete(jid);
    if (isSame(this.#presences.get(jid), update)) return [];
    if (update.isOnline) this.#presences.set(jid, update);
    else this.#presences.delete(jid);
    return [["presenceListener", update]];
  }

  // ------------------------------------------------------------------------------------------------------- message

  #message(stanza: Element, from: Jid): Event[] {
    const type = stanza.getAttribute("type") ?? "normal";
    const event = child(stanza, "event", NS_EVENT);
    // Only a server speaks for a bare JID (XEP-0163, section 4.3.1): a client could forge its own version here.
    if (type === "headline" && from.resource === "") {
      if (event !== undefined) return this.#profile(event, from);
      return from.bare === this.#user.bare ? sessionNews(stanza) : [];
    }
    const text = child(stanza, "body")?.textContent ?? "";
    if (text === "" || (type !== "chat" && type !== "normal") || this.#isKnown(stanza, from)) return [];
    const messageId = stanza.getAttribute("id") ?? "";
    return [["messageListener", { messageId, userId: from.local, userJid: from.bare, text }]];
  }

  /** Whether a message came before: its sender sends it again where it cannot know (XEP-0359, section 3.2). */
  #isKnown(message: Element, from: Jid): boolean {
    const id = child(message, "origin-id", NS_STABLE_IDS)?.getAttribute("id") ?? "";
    const key = `${from.bare} ${id}`;
    if (id === "") return false;
    if (this.#messages.has(key)) return true;
    this.#messages.add(key);
    if (this.#messages.size > MESSAGES_MAX) this.#messages.delete(this.#messages.values().next().value as string);
    return false;
  }

  #profile(event: Element, owner: Jid): Event[] {
    const list = child(event, "items", NS_EVENT);
    if (list?.getAttribute("node") !== NODE_VCARD4) return [];
    const item = children(list).filter((each) => each.localName === "item").at(-1);
    const vcard = item && child(item, "vcard", NS_VCARD4);
    if (vcard === undefined) return [];
    this.#mark = Math.max(this.#mark, readMark(vcard));
    return this.takeProfile(readVcard4(vcard, owner));
  }

  /** The events of a profile: none where it is known, or older than what is known. */
  takeProfile(update: ProfileUpdate): Event[] {
    const known = this.#profiles.get(update.userJid);
    if (known !== undefined && (known.version > update.version || isSame(known, update))) return [];
    this.#profiles.set(update.userJid, update);
    const events: Event[] = [["userProfileListener", update]];
    if (update.isAdminBlocked !== (known?.isAdminBlocked ?? false)) {
      const { userId, userJid, isAdminBlocked } = update;
      events.push(["adminBlockListener", { userId, userJid, isAdminBlocked }]);
    }
    return events;
  }

  // ---------------------------------------------------------------------------------------------------- other tabs

  /** All that is known. */
  known(): Known {
    return {
      profiles: [...this.#profiles.values()],
      presences: [...this.#presences.values()],
      friends: this.#hasRoster ? [...this.#friends] : null,
      blocked: this.#blocked === null ? null : [...this.#blocked],
      mark: this.#mark,
    };
  }

  /** Take over what another tab knows; the events of what is news here. */
  adopt(known: Known): Event[] {
    if (known.friends !== null && !this.#hasRoster) {
      this.#hasRoster = true;
      for (const [jid, state] of known.friends) this.#friends.set(jid, state);
    }
    if (known.blocked !== null) this.#blocked ??= new Set(known.blocked);
    this.#mark = Math.max(this.#mark, known.mark);
    return [
      ...known.profiles.flatMap((profile) => this.takeProfile(profile)),
      ...known.presences.flatMap((presence) => this.#setPresence(presence)),
    ];
  }

  /** Keep an event in mind that another tab has told. */
  note([name, event]: Event): void {
    if (name === "userProfileListener") this.#profiles.set(event.userJid, event);
    if (name === "presenceListener") this.#setPresence(event);
    if (name === "blockUserListener") {
      const others = [...(this.#blocked ?? [])].filter((jid) => jid !== event.userJid);
      this.#blocked = new Set(event.isBlocked ? [...others, event.userJid] : others);
    }
    if (name === "friendsListListener") this.#setFriend(event.userJid, event.state === "removed" ? null : event.state);
  }
}

/** What the user's own account tells of another session: it was let in, or ended for the user's safety. */
function sessionNews(message: Element): Event[] {
  const begun = child(message, "new-session", NS_NEW_SESSION);
  if (begun !== undefined) return [["sessionListener", readSession(begun)]];
  const ended = child(message, "ended-session", NS_NEW_SESSION);
  if (ended === undefined) return [];
  return [["sessionEndedListener", { ...readSession(ended), reason: ended.getAttribute("reason") ?? "" }]];
}

function readSession(element: Element): NewSession {
  const fact = (name: string) => element.getAttribute(name) ?? "";
  return {
    sessionId: fact("id"),
    device: fact("device"),
    browser: fact("browser"),
    os: fact("os"),
    ip: fact("ip"),
    createdAt: fact("createdAt"),
    via: fact("via"),
  };
}

/** The addresses of a block list. */
function jids(list: Element): string[] {
  return children(list).flatMap((item) => item.getAttribute("jid") ?? []);
}

function items(query: Element): [jid: string, state: FriendState | null][] {
  return children(query)
    .filter((item) => item.localName === "item")
    .map((item) => [item.getAttribute("jid") ?? "", friendState(item)]);
}

/** What a roster item is to the user; `null` for one that is no contact. */
function friendState(item: Element): FriendState | null {
  const subscription = item.getAttribute("subscription");
  if (subscription === "both") return "friend";
  return item.getAttribute("ask") === "subscribe" && subscription !== "remove" ? "requested" : null;
}

/** Whether two flat records say the same. */
function isSame(one: object | undefined, other: object): boolean {
  return one !== undefined && JSON.stringify(one) === JSON.stringify(other);
}
