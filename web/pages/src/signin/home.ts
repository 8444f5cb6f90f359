/** The small chat home: own profile, contacts, one conversation, sessions. */

import SDK, { type ConnectionUpdate, type Contact, type NewSession } from "heliograph";

import { deviceName } from "../shared/device_name.js";
import { button, fill, h } from "../shared/dom.js";
import { header, languagePicker, show, signOutButton, tell } from "../shared/frame.js";
import { icon, type IconName } from "../shared/icons.js";
import { connection, messages, newSessions } from "../shared/me.js";
import { t, type MessageKey } from "../shared/messages.js";
import { explain } from "../shared/problems.js";
import { ProfileCard } from "../shared/profile_card.js";
import { sessionsList, type SessionsList } from "../shared/sessions_list.js";
import { Contacts } from "./contacts.js";
import { Conversation } from "./conversation.js";

type Part = "chats" | "profile" | "sessions";

const PARTS: readonly [Part, MessageKey, IconName][] = [
  ["chats", "nav_chats", "people"],
  ["profile", "nav_profile", "person"],
  ["sessions", "nav_sessions", "screen"],
];

const STATUS: Readonly<Record<string, MessageKey>> = {
  CONNECTED: "status_connected",
  CONNECTING: "status_connecting",
  RECONNECTING: "status_reconnecting",
};

/** One signed-in user's page. A wide screen shows all parts side by side, a narrow one a part at a time. */
export class Home {
  private readonly profile: ProfileCard;
  private readonly contacts: Contacts;
  private readonly conversation: Conversation;
  private readonly sessions: SessionsList;
  private readonly main = h("main", { class: "home", "data-part": "chats" });
  private readonly status = h("span", { class: "status", role: "status" });
  private readonly tabs: HTMLButtonElement[] = [];

  /**
   * @param userJid who is signed in
   * @param leave ends this session
   */
  constructor(
    userJid: string,
    private readonly leave: () => Promise<void>,
  ) {
    this.profile = new ProfileCard(userJid);
    this.conversation = new Conversation(() => this.openList());
    this.contacts = new Contacts(
      (contact) => this.open(contact),
      (contact) => this.conversation.update(contact),
    );
    this.sessions = sessionsList(() => true, t("sessions_lead"));
    connection.on((update) => this.followConnection(update));
    newSessions.on((session) => void this.announce(session));
    messages.on((message) => {
      this.conversation.receive(message);
      this.contacts.count(message.userJid);
    });
  }

  /** Shows the page and fills it. */
  async start(): Promise<void> {
    this.showStatus("CONNECTED");
    const heading = h("h1", { class: "unseen" }, t("title_home"));
    const sessions = h(
      "section",
      { class: "card sessions-card" },
      h("h2", {}, t("sessions_heading")),
      h("p", { class: "faint" }, t("sessions_lead")),
      this.sessions.element,
    );
    fill(this.main, heading, this.profile.element, this.contacts.element, this.conversation.element, sessions);
    show(t("title_home"), header(this.status, languagePicker(), signOutButton(() => void this.signOut())), this.main, this.navigation());
    await this.refresh();
  }

  private async refresh(): Promise<void> {
    try {
      await Promise.all([this.profile.refresh(), this.contacts.refresh(), this.sessions.refresh()]);
    } catch (error) {
      tell(explain(error));
    }
  }

  private navigation(): HTMLElement {
    for (const [part, label, sign] of PARTS) {
      const tab = h("button", { type: "button", class: "tab" }, icon(sign), h("span", {}, t(label)));
      tab.addEventListener("click", () => this.turnTo(part));
      tab.dataset["part"] = part;
      this.tabs.push(tab);
    }
    this.turnTo("chats");
    return h("nav", { class: "tabs", "aria-label": t("nav_label") }, ...this.tabs);
  }

  private turnTo(part: Part): void {
    this.main.dataset["part"] = part;
    for (const tab of this.tabs) {
      if (tab.dataset["part"] === part) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    if (part === "sessions") void this.refresh();
  }

  private open(contact: Contact): void {
    this.contacts.mark(contact.userJid);
    this.main.dataset["open"] = "";
    this.conversation.open(contact);
  }

  /** On a narrow screen: from the conversation back to the contacts. */
  private openList(): void {
    delete this.main.dataset["open"];
    this.contacts.mark("");
  }

  private followConnection(update: ConnectionUpdate): void {
    this.showStatus(update.status);
    // What changed while the connection was away.
    if (update.status === "CONNECTED") void this.refresh();
  }

  private showStatus(status: string): void {
    this.status.dataset["status"] = status;
    fill(this.status, h("span", { class: "status-dot" }), h("span", {}, t(STATUS[status] ?? "status_disconnected")));
  }

  /** Another device of the user has just been signed in: say so, and offer to end it. */
  private async announce(session: NewSession): Promise<void> {
    const words = t("session_new", { device: deviceName(session), ip: session.ip });
    const end = button(t("session_not_me"), "danger", () => void this.endSession(session.sessionId));
    end.classList.add("small");
    tell(h("span", {}, words), end);
    await this.refresh();
  }

  private async endSession(id: string): Promise<void> {
    try {
      await SDK.logoutSession(id);
      await this.refresh();
    } catch (error) {
      tell(explain(error));
    }
  }

  private async signOut(): Promise<void> {
    try {
      await this.leave();
    } catch (error) {
      tell(explain(error));
    }
  }
}
