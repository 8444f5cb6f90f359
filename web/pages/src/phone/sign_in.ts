/** Signing the phone itself in, by identifier, in the sandbox. */

import { busy, h } from "../shared/dom.js";
import { header, languagePicker, show } from "../shared/frame.js";
import type { Kept } from "../shared/kept.js";
import { register } from "../shared/me.js";
import { t } from "../shared/messages.js";
import { explain } from "../shared/problems.js";

const IDENTIFIER = "[a-z0-9_\\-]{1,191}";

/**
 * Shows the form.
 *
 * @param kept where the new session's credentials go
 * @param signedIn called once this phone is connected
 */
export function showSignIn(kept: Kept, signedIn: () => Promise<void>): void {
  const input = h("input", {
    id: "identifier",
    class: "field large",
    name: "identifier",
    value: new URLSearchParams(location.search).get("as") ?? "",
    required: true,
    pattern: IDENTIFIER,
    maxlength: 191,
    autocapitalize: "none",
    autocomplete: "username",
    spellcheck: "false",
    "aria-describedby": "identifier-hint",
  });
  const problem = h("p", { class: "wrong", role: "alert" });
  const go = h("button", { type: "submit", class: "button primary" }, t("phone_sign_in"));
  const form = h(
    "form",
    { class: "stack" },
    h("label", { for: "identifier" }, t("phone_identifier")),
    input,
    h("p", { id: "identifier-hint", class: "faint" }, t("phone_identifier_hint")),
    problem,
    go,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(go, async () => {
      problem.textContent = "";
      try {
        await register(input.value, kept);
        await signedIn();
      } catch (error) {
        problem.textContent = explain(error);
      }
    });
  });
  const words = [h("h1", {}, t("phone_heading")), h("p", { class: "lead" }, t("phone_lead"))];
  const note = h("p", { class: "faint sandbox" }, t("phone_sandbox"));
  show(t("title_phone"), header(languagePicker()), h("main", { class: "phone" }, ...words, h("section", { class: "card" }, form), note));
}
