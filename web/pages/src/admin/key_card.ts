/** The way in: the app's secret key. */

import { busy, h } from "../shared/dom.js";
import { t } from "../shared/messages.js";
import { explain } from "../shared/problems.js";

/**
 * A form that asks for the key.
 *
 * @param admit tries the key; what it throws is shown, and the form stays
 */
export function keyCard(admit: (key: string) => Promise<void>): HTMLElement {
  const input = h("input", {
    id: "key",
    class: "field",
    type: "password",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "hg_sk_…",
    "aria-describedby": "key-hint key-wrong",
  });
  const wrong = h("p", { class: "wrong", id: "key-wrong", role: "alert" });
  const enter = h("button", { type: "submit", class: "button primary" }, t("admin_enter"));
  const form = h(
    "form",
    { class: "stack" },
    h("label", { for: "key" }, t("admin_key")),
    input,
    h("p", { class: "faint", id: "key-hint" }, t("admin_key_hint")),
    wrong,
    enter,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(enter, async () => {
      wrong.textContent = "";
      try {
        await admit(input.value.trim());
      } catch (error) {
        wrong.textContent = explain(error);
        input.focus();
      }
    });
  });
  const heading = h("h1", {}, t("admin_heading"));
  const card = h("section", { class: "card key-card" }, heading, h("p", { class: "lead" }, t("admin_lead")), form);
  queueMicrotask(() => input.focus());
  return h("main", { class: "middle" }, card);
}
