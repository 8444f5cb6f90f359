/** The contacts with their names, pictures and presence, each kept as it is now. */

import SDK, { type Contact, type FriendsListUpdate, type PresenceUpdate, type ProfileUpdate } from "heliograph";

import { avatar, nameOf } from "../shared/avatar.js";
import { busy, fill, h } from "../shared/dom.js";
import { tell } from "../shared/frame.js";
import { icon } from "../shared/icons.js";
import { friends, presence, profiles } from "../shared/me.js";
import { t } from "../shared/messages.js";
import { explain } from "../shared/problems.js";

interface Entry {
  contact: Contact;
  /** Which of the contact's devices are connected. */
  online: Set<string>;
  unread: number;
}

/** What is known of a contact only as "is online", before a device of it is named. */
const SOME_DEVICE = "";

/** The list, and the form that adds to it. */
export class Contacts {
  readonly element: HTMLElement;
  private readonly list = h("ul", { class: "rows contacts", role: "list" });
  private readonly entries = new Map<string, Entry>();
  private chosen = "";

  /**
   * @param choose called when a contact is chosen to talk to
   * @param changed called when what is known of a contact has changed
   */
  constructor(
    private readonly choose: (contact: Contact) => void,
    private readonly changed: (contact: Contact) => void,
  ) {
    const heading = h("h2", {}, t("contacts_heading"));
    this.element = h("section", { class: "card contacts-card" }, heading, this.list, this.addForm());
    profiles.on((update) => this.followProfile(update));
    presence.on((update) => this.followPresence(update));
    friends.on((update) => void this.followFriend(update));
  }

  async refresh(): Promise<void> {
    const { data } = await SDK.getFriendsList();
    const before = new Map(this.entries);
    this.entries.clear();
    for (const contact of data.contacts) {
      const known = before.get(contact.userJid);
      const online = contact.isOnline ? (known?.online ?? new Set([SOME_DEVICE])) : new Set<string>();
      this.entries.set(contact.userJid, { contact, online, unread: known?.unread ?? 0 });
    }
    this.render();
  }

  /** The contact of that bare JID. */
  find(jid: string): Contact | undefined {
    return this.entries.get(jid)?.contact;
  }

  /** Marks the contact that is being talked to; its messages count as read. */
  mark(jid: string): void {
    this.chosen = jid;
    const entry = this.entries.get(jid);
    if (entry !== undefined) entry.unread = 0;
    this.render();
  }

  /** Counts a message that nobody looks at yet. */
  count(jid: string): void {
    const entry = this.entries.get(jid);
    if (entry === undefined || jid === this.chosen) return;
    entry.unread += 1;
    this.render();
  }

  private followProfile(update: ProfileUpdate): void {
    const entry = this.entries.get(update.userJid);
    if (entry === undefined) return;
    entry.contact = { ...entry.contact, profile: update };
    this.render();
    this.changed(entry.contact);
  }

  private followPresence(update: PresenceUpdate): void {
    const entry = this.entries.get(update.userJid);
    if (entry === undefined) return;
    entry.online.delete(SOME_DEVICE);
    if (update.isOnline) entry.online.add(update.resource);
    else entry.online.delete(update.resource);
    entry.contact = { ...entry.contact, isOnline: entry.online.size > 0 };
    this.render();
    this.changed(entry.contact);
  }

  private async followFriend(update: FriendsListUpdate): Promise<void> {
    const known = this.entries.get(update.userJid)?.contact.state;
    if (known === update.state) return;
    try {
      await this.refresh();
    } catch (error) {
      tell(explain(error));
    }
  }

  private render(): void {
    const focused = document.activeElement?.getAttribute("data-jid");
    const sorted = [...this.entries.values()].sort(byPresenceAndName);
    const rows = sorted.map((entry) => this.row(entry));
    fill(this.list, ...(rows.length > 0 ? rows : [h("li", { class: "none" }, t("contacts_none"))]));
    if (focused) this.list.querySelector<HTMLElement>(`[data-jid="${CSS.escape(focused)}"]`)?.focus();
  }

  private row({ contact, unread }: Entry): HTMLElement {
    const { profile, userJid, state } = contact;
    const isFriend = state === "friend";
    const picture = h("span", { class: "with-presence" }, avatar(profile), presenceDot(contact));
    const words = isFriend ? profile.status || presenceWord(contact) : t(`contact_${state}`);
    const text = h("span", { class: "row-text" }, h("strong", {}, nameOf(profile)), h("span", { class: "faint" }, words));
    const count = unread > 0 ? h("span", { class: "count" }, t("contact_unread", { count: unread })) : null;
    if (!isFriend) {
      const accept = state === "received" ? this.acceptButton(contact) : null;
      return h("li", { class: "row" }, picture, text, accept);
    }
    const opener = h(
      "button",
      { type: "button", class: "row-button", "data-jid": userJid, "aria-current": userJid === this.chosen && "true" },
      picture,
      text,
      count,
    );
    opener.addEventListener("click", () => this.choose(contact));
    return h("li", { class: "row" }, opener);
  }

  private acceptButton(contact: Contact): HTMLElement {
    const control = h("button", { type: "button", class: "button primary small" }, t("contact_accept"));
    control.addEventListener("click", () => {
      void busy(control, async () => {
        await this.add(contact.userId);
      });
    });
    return control;
  }

  private addForm(): HTMLElement {
    const input = h("input", {
      class: "field",
      name: "identifier",
      required: true,
      maxlength: 191,
      autocapitalize: "none",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: t("contact_add"),
      "aria-label": t("contact_identifier"),
    });
    const add = h("button", { type: "submit", class: "button plain", "aria-label": t("contact_add") }, icon("plus"));
    const form = h("form", { class: "one-line", "aria-label": t("contact_add") }, input, add);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void busy(add, async () => {
        if (await this.add(input.value.trim().toLowerCase())) input.value = "";
      });
    });
    return form;
  }

  private async add(identifier: string): Promise<boolean> {
    try {
      await SDK.addContact(identifier);
      await this.refresh();
      return true;
    } catch (error) {
      tell(explain(error));
      return false;
    }
  }
}

function byPresenceAndName(one: Entry, other: Entry): number {
  const presenceOrder = Number(other.contact.isOnline) - Number(one.contact.isOnline);
  return presenceOrder || nameOf(one.contact.profile).localeCompare(nameOf(other.contact.profile));
}

/** Whether a contact is connected, in a word. */
export function presenceWord(contact: Contact): string {
  return t(contact.isOnline ? "contact_online" : "contact_offline");
}

function presenceDot(contact: Contact): HTMLElement {
  const dot = h("span", { class: contact.isOnline ? "presence online" : "presence" });
  dot.append(h("span", { class: "unseen" }, presenceWord(contact)));
  return dot;
}
