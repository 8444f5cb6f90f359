/** The user's device sessions, each with the button that ends it. */

import SDK, { type Session } from "heliograph";

import { deviceName } from "./device_name.js";
import { busy, fill, h } from "./dom.js";
import { tell } from "./frame.js";
import { icon } from "./icons.js";
import { t } from "./messages.js";
import { explain } from "./problems.js";
import { since } from "./time.js";

export interface SessionsList {
  element: HTMLElement;
  /** Asks the node again. */
  refresh(): Promise<void>;
}

/**
 * A list that is empty until its first `refresh`.
 *
 * @param wanted which sessions stand in it
 * @param whenEmpty what to say where there are none
 */
export function sessionsList(wanted: (session: Session) => boolean, whenEmpty: string): SessionsList {
  const element = h("ul", { class: "rows sessions", role: "list" });

  const refresh = async (): Promise<void> => {
    const { data } = await SDK.getSessions();
    const found = data.sessions.filter(wanted).sort((a, b) => b.lastActiveAt.localeCompare(a.lastActiveAt));
    const rows = found.map((session) => row(session, refresh));
    fill(element, ...(rows.length > 0 ? rows : [h("li", { class: "none" }, whenEmpty)]));
  };
  return { element, refresh };
}

function row(session: Session, changed: () => Promise<void>): HTMLElement {
  const name = deviceName(session);
  const via = t(session.via === "qr" ? "session_via_qr" : "session_via_register");
  const facts = [session.ip, via, t("session_active", { when: since(session.lastActiveAt) })].filter(Boolean);
  const text = h("span", { class: "row-text" }, h("strong", {}, name), h("span", { class: "faint" }, facts.join(" · ")));
  const sign = h("span", { class: "row-sign" }, icon(session.via === "qr" ? "screen" : "phone"));
  if (session.current) text.append(h("span", { class: "tag" }, t("session_current")));
  return h("li", { class: "row" }, sign, text, session.current ? null : endButton(session, name, changed));
}

function endButton(session: Session, name: string, changed: () => Promise<void>): HTMLButtonElement {
  const label = t("session_end_label", { device: name });
  const control = h("button", { type: "button", class: "button plain small", "aria-label": label }, t("session_end"));
  control.addEventListener("click", () =>
    busy(control, async () => {
      try {
        await SDK.logoutSession(session.id);
        tell(t("session_ended", { device: name }));
        await changed();
      } catch (error) {
        tell(explain(error));
      }
    }),
  );
  return control;
}
