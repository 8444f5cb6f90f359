/** What the app is: how clients reach it, its limits and features, and the statuses that it offers. */

import type { Config, OfferedStatusesBody } from "heliograph";

import { doing } from "../shared/deed.js";
import { fill, h } from "../shared/dom.js";
import { isMessageKey, t } from "../shared/messages.js";
import type { Api } from "./api.js";
import type { Part } from "./part.js";

/** The part of the console about the app itself. */
export function app(api: Api): Part {
  const cards = h("div", { class: "user-cards" });
  const element = h("div", { class: "user" }, h("h1", { class: "unseen", tabindex: -1 }, t("admin_app")), cards);
  const refresh = async (): Promise<void> => {
    const [config, { statuses }] = await Promise.all([
      api.get<Config>("/config"),
      api.get<OfferedStatusesBody>("/app/statuses"),
    ]);
    const features = Object.entries(config.features).map(([name, isOn]): [string, string] => [named("feature", name), t(isOn ? "admin_on" : "admin_off")]);
    const limits = Object.entries(config.limits).map(([name, value]): [string, string] => [named("limit", name), value.toLocaleString()]);
    fill(
      cards,
      card(t("admin_app"), [
        [t("admin_domain"), config.domain],
        ["XMPP", `${config.xmppHost}, ${portsOf(config)}`],
        ["WebSocket", config.websocketUrl],
        [t("admin_required"), config.requiredProfileFields.join(", ") || "–"],
        ...features,
      ]),
      statusCard(api, statuses, refresh),
      card(t("admin_limits"), limits),
    );
  };
  return { element, refresh };
}

/** The ports that are open. */
function portsOf(config: Config): string {
  const startTls = config.xmppPort === null ? [] : [`STARTTLS ${config.xmppPort}`];
  const directTls = config.xmppTlsPort === null ? [] : [`TLS ${config.xmppTlsPort}`];
  return [...startTls, ...directTls].join(", ") || "–";
}

/** The text for a name of the API, or the name itself. */
function named(kind: "feature" | "limit", name: string): string {
  const key = `admin_${kind}_${name}`;
  return isMessageKey(key) ? t(key) : name;
}

function card(heading: string, facts: readonly [string, string][]): HTMLElement {
  const rows = facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  return h("section", { class: "card" }, h("h2", {}, heading), h("dl", { class: "facts" }, ...rows));
}

/** One status a line. */
function statusCard(api: Api, statuses: readonly string[], refresh: () => Promise<void>): HTMLElement {
  const text = h("textarea", { class: "field", rows: 6, id: "statuses", "aria-describedby": "statuses-hint" });
  text.value = statuses.join("\n");
  const save = h("button", { type: "submit", class: "button primary small" }, t("profile_save"));
  const form = h(
    "form",
    { class: "stack" },
    h("label", { for: "statuses" }, t("admin_statuses_label")),
    text,
    h("p", { class: "faint", id: "statuses-hint" }, t("admin_statuses_hint")),
    h("div", { class: "actions" }, save),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = text.value.split("\n").map((line) => line.trim()).filter(Boolean);
    doing(save, () => api.call("PUT", "/app/statuses", { statuses: wanted }), t("admin_saved"), refresh);
  });
  return h("section", { class: "card" }, h("h2", {}, t("admin_statuses")), form);
}
