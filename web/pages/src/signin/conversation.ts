/** One-to-one text with one contact. Messages live as long as the page does. */

import SDK, { type Contact, type MessageReceived } from "heliograph";

import { avatar, nameOf } from "../shared/avatar.js";
import { fill, h } from "../shared/dom.js";
import { tell } from "../shared/frame.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/messages.js";
import { explain } from "../shared/problems.js";
import { timeOfDay } from "../shared/time.js";
import { presenceWord } from "./contacts.js";

const KEPT_MESSAGES = 200;
const TEXT_MAX_CHARS = 8000;

interface Line {
  isOwn: boolean;
  text: string;
  at: number;
}

/** The conversation with the chosen contact. */
export class Conversation {
  readonly element = h("section", { class: "card conversation", "aria-label": t("nav_chats") });
  private readonly lines = new Map<string, Line[]>();
  private readonly log = h("div", { class: "log", role: "log", tabindex: 0 });
  private readonly head = h("div", { class: "conversation-head" });
  private contact: Contact | undefined;

  /**
   * @param back called when the reader goes back to the contacts, on a narrow screen
   */
  constructor(private readonly back: () => void) {
    const words = h("p", {}, t("chat_none"));
    fill(this.element, h("div", { class: "blank" }, h("span", { class: "seal", "data-sign": "flash" }, icon("flash")), words));
  }

  /** Shows the conversation with a contact. */
  open(contact: Contact): void {
    this.contact = contact;
    this.log.setAttribute("aria-label", t("chat_with", { name: nameOf(contact.profile) }));
    this.showHead();
    this.showLog();
    const composer = this.composer(contact);
    fill(this.element, this.head, this.log, composer);
    this.scrollDown();
    composer.querySelector("input")?.focus();
  }

  /** Shows what is new of the contact. */
  update(contact: Contact): void {
    if (this.contact?.userJid !== contact.userJid) return;
    this.contact = contact;
    this.showHead();
  }

  /** Takes in a message that has come. */
  receive(message: MessageReceived): void {
    this.add(message.userJid, { isOwn: false, text: message.text, at: Date.now() });
  }

  private add(jid: string, line: Line): void {
    const lines = this.lines.get(jid) ?? [];
    lines.push(line);
    if (lines.length > KEPT_MESSAGES) lines.shift();
    this.lines.set(jid, lines);
    if (this.contact?.userJid !== jid) return;
    if (lines.length === 1) fill(this.log);
    this.log.append(bubble(line, this.contact));
    this.scrollDown();
  }

  private showHead(): void {
    if (this.contact === undefined) return;
    const { profile } = this.contact;
    const name = h("h2", {}, nameOf(profile));
    const presence = h("span", { class: "faint" }, presenceWord(this.contact));
    const back = h("button", { type: "button", class: "button quiet back", "aria-label": t("chat_back") }, icon("back"));
    back.addEventListener("click", () => this.back());
    fill(this.head, back, avatar(profile), h("div", { class: "row-text" }, name, presence));
  }

  private showLog(): void {
    if (this.contact === undefined) return;
    const contact = this.contact;
    const lines = this.lines.get(contact.userJid) ?? [];
    const bubbles = lines.map((line) => bubble(line, contact));
    fill(this.log, ...(bubbles.length > 0 ? bubbles : [h("p", { class: "none" }, t("chat_empty"))]));
  }

  private composer(contact: Contact): HTMLElement {
    const input = h("input", {
      class: "field",
      name: "text",
      maxlength: TEXT_MAX_CHARS,
      autocomplete: "off",
      placeholder: t("chat_write"),
      "aria-label": t("chat_write"),
    });
    const send = h("button", { type: "submit", class: "button primary", "aria-label": t("chat_send") }, icon("send"));
    const form = h("form", { class: "one-line composer" }, input, send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (text === "") return;
      input.value = "";
      void this.send(contact.userJid, text);
    });
    return form;
  }

  private async send(jid: string, text: string): Promise<void> {
    try {
      await SDK.sendMessage(jid, text);
      this.add(jid, { isOwn: true, text, at: Date.now() });
    } catch (error) {
      tell(explain(error));
    }
  }

  private scrollDown(): void {
    this.log.scrollTop = this.log.scrollHeight;
  }
}

function bubble(line: Line, contact: Contact): HTMLElement {
  const who = line.isOwn ? t("chat_me") : nameOf(contact.profile);
  const by = h("span", { class: "unseen" }, `${who}: `);
  const at = h("time", { datetime: new Date(line.at).toISOString() }, timeOfDay(line.at));
  return h("p", { class: line.isOwn ? "bubble own" : "bubble" }, by, h("span", {}, line.text), at);
}
