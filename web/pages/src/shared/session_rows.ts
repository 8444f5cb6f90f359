/** Device sessions as rows of a list. */

import type { Session } from "heliograph";

import { doing } from "./deed.js";
import { deviceName } from "./device_name.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./messages.js";
import { since } from "./time.js";

/**
 * The rows, the session that was active last first, each with the button that ends it; the reader's own has none.
 *
 * @param whenEmpty what to say where there are none
 * @param end ends one
 * @param changed shows what has become of it
 */
export function sessionRows(
  sessions: readonly Session[],
  whenEmpty: string,
  end: (session: Session) => Promise<unknown>,
  changed: () => Promise<void>,
): HTMLElement[] {
  if (sessions.length === 0) return [h("li", { class: "none" }, whenEmpty)];
  const newestFirst = [...sessions].sort((a, b) => b.lastActiveAt.localeCompare(a.lastActiveAt));
  return newestFirst.map((session) => row(session, () => end(session), changed));
}

function row(session: Session, end: () => Promise<unknown>, changed: () => Promise<void>): HTMLElement {
  const name = deviceName(session);
  const via = t(session.via === "qr" ? "session_via_qr" : "session_via_register");
  const facts = [session.ip, via, t("session_active", { when: since(session.lastActiveAt) })].filter(Boolean);
  const text = h("span", { class: "row-text" }, h("strong", {}, name), h("span", { class: "faint" }, facts.join(" · ")));
  const sign = h("span", { class: "row-sign" }, icon(session.via === "qr" ? "screen" : "phone"));
  if (session.current) text.append(h("span", { class: "tag" }, t("session_current")));
  return h("li", { class: "row" }, sign, text, session.current ? null : endButton(name, end, changed));
}

function endButton(name: string, end: () => Promise<unknown>, changed: () => Promise<void>): HTMLButtonElement {
  const label = t("session_end_label", { device: name });
  const control = h("button", { type: "button", class: "button plain small", "aria-label": label }, t("session_end"));
  control.addEventListener("click", () => doing(control, end, t("session_ended", { device: name }), changed));
  return control;
}
