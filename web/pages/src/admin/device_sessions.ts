/** Where a user is signed in. */

import type { SessionBody } from "heliograph";

import { h } from "../shared/dom.js";
import { deviceName } from "../shared/device_name.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/messages.js";
import { since } from "../shared/time.js";
import { Api } from "./api.js";
import { doing } from "./deed.js";

/** The card of a user's device sessions, the one that was active last first. */
export function deviceSessions(
  api: Api,
  identifier: string,
  sessions: readonly SessionBody[],
  refresh: () => Promise<void>,
): HTMLElement {
  const newestFirst = [...sessions].sort((a, b) => b.lastActiveAt.localeCompare(a.lastActiveAt));
  const rows = newestFirst.map((session) => row(api, identifier, session, refresh));
  const none = h("li", { class: "none" }, t("admin_sessions_none"));
  const list = h("ul", { class: "rows sessions", role: "list" }, ...(rows.length > 0 ? rows : [none]));
  return h("section", { class: "card" }, h("h2", {}, t("sessions_heading")), list);
}

function row(api: Api, identifier: string, session: SessionBody, refresh: () => Promise<void>): HTMLElement {
  const name = deviceName(session);
  const via = t(session.via === "qr" ? "session_via_qr" : "session_via_register");
  const facts = [session.ip, via, t("session_active", { when: since(session.lastActiveAt) })].filter(Boolean);
  const label = t("session_end_label", { device: name });
  const end = h("button", { type: "button", class: "button plain small", "aria-label": label }, t("session_end"));
  end.addEventListener("click", () => {
    const path = Api.user(identifier, "sessions", session.id);
    doing(end, () => api.call("DELETE", path), t("session_ended", { device: name }), refresh);
  });
  return h(
    "li",
    { class: "row" },
    h("span", { class: "row-sign" }, icon(session.via === "qr" ? "screen" : "phone")),
    h("span", { class: "row-text" }, h("strong", {}, name), h("span", { class: "faint" }, facts.join(" · "))),
    end,
  );
}
