/** What an invitation's link opens: who invites, and whether to become a contact. */

import SDK from "heliograph";

import { avatar, nameOf } from "../shared/avatar.js";
import { busy, button, focusOn, h } from "../shared/dom.js";
import { header, languagePicker, show, tell } from "../shared/frame.js";
import { t } from "../shared/messages.js";
import { outcome } from "../shared/outcome.js";
import { explain } from "../shared/problems.js";

/**
 * Shows who invites. Opening the link makes no contact; the button does.
 *
 * @param token what follows `invite=` in the link
 * @param done called when the reader is through with it
 */
export async function showInvitation(token: string, done: () => Promise<void>): Promise<void> {
  const later = button(t("invitation_later"), "plain", () => void done());
  try {
    const { profile } = (await SDK.previewInvitation(token)).data;
    const name = nameOf(profile);
    const head = h("h1", { tabindex: -1 }, t("invitation_heading", { name }));
    const accept = button(t("contact_accept"), "primary", () => {
      void busy(accept, async () => {
        try {
          await SDK.acceptInvitation(token);
          await done();
          tell(t("invitation_accepted", { name }));
        } catch (error) {
          tell(explain(error));
        }
      });
    });
    const card = h(
      "section",
      { class: "card outcome" },
      avatar(profile, "large"),
      head,
      h("p", { class: "lead" }, t("invitation_lead")),
      h("div", { class: "actions wide" }, accept, later),
    );
    show(t("title_phone"), header(languagePicker()), h("main", { class: "middle" }, card));
    focusOn(head);
  } catch (error) {
    show(t("title_phone"), header(languagePicker()), outcome("warning", t("invitation_over"), explain(error), later));
  }
}
