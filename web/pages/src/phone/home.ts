/** The phone's first screen: scan a code, and see which screens it has let in. */

import SDK, { type NewSession, type Session } from "heliograph";

import { deviceName } from "../shared/device_name.js";
import { busy, button, h } from "../shared/dom.js";
import { header, languagePicker, show, signOutButton, tell } from "../shared/frame.js";
import { icon } from "../shared/icons.js";
import { newSessions } from "../shared/me.js";
import { t } from "../shared/messages.js";
import { explain } from "../shared/problems.js";
import { ProfileCard } from "../shared/profile_card.js";
import { sessionsList } from "../shared/sessions_list.js";

interface Deeds {
  scan: () => void;
  signOut: () => Promise<unknown>;
}

const isLinked = (session: Session): boolean => session.via === "qr";

export class PhoneHome {
  private readonly profile: ProfileCard;
  private readonly linked = sessionsList(isLinked, t("linked_none"));

  constructor(
    userJid: string,
    private readonly deeds: Deeds,
  ) {
    this.profile = new ProfileCard(userJid);
    newSessions.on((session) => void this.announce(session));
  }

  /** Shows the screen with what is known, then asks the node. */
  async show(): Promise<void> {
    const scan = button(icon("camera"), "primary", this.deeds.scan);
    scan.classList.add("scan-button");
    scan.append(h("span", {}, h("strong", {}, t("phone_scan")), h("span", {}, t("phone_scan_hint"))));
    const linked = h(
      "section",
      { class: "card linked" },
      h("h2", {}, t("linked_heading")),
      this.linked.element,
      h("div", { class: "actions" }, this.endAllButton()),
    );
    const heading = h("h1", { class: "unseen" }, t("title_phone"));
    const main = h("main", { class: "phone" }, heading, this.profile.element, scan, linked);
    show(t("title_phone"), header(languagePicker(), signOutButton(() => void this.signOut())), main);
    await this.refresh();
  }

  private async refresh(): Promise<void> {
    try {
      await Promise.all([this.profile.refresh(), this.linked.refresh()]);
    } catch (error) {
      tell(explain(error));
    }
  }

  private endAllButton(): HTMLElement {
    const control = h("button", { type: "button", class: "button danger small" }, t("session_end_web"));
    control.addEventListener("click", () => {
      void busy(control, async () => {
        try {
          await SDK.logoutWebSessions();
          tell(t("sessions_web_ended"));
        } catch (error) {
          tell(explain(error));
        }
        await this.refresh();
      });
    });
    return control;
  }

  private async announce(session: NewSession): Promise<void> {
    tell(t("session_new", { device: deviceName(session), ip: session.ip }));
    await this.refresh();
  }

  private async signOut(): Promise<void> {
    try {
      await this.deeds.signOut();
    } catch (error) {
      tell(explain(error));
    }
  }
}
