/** One line of the audit trail. */

import type { AuditEntryBody } from "heliograph";

import { h } from "../shared/dom.js";
import { icon, type IconName } from "../shared/icons.js";
import { isMessageKey, t } from "../shared/messages.js";
import { since } from "../shared/time.js";

const SIGNS: Readonly<Record<string, IconName>> = {
  app: "keys",
  webhook: "send",
  user: "person",
  session: "screen",
  profile: "pencil",
  qr: "camera",
};

/** The row of an entry; with `isAboutOne` the user's name is left out, as all entries are about one user. */
export function auditRow(entry: AuditEntryBody, isAboutOne = false): HTMLElement {
  const subject = entry.kind.split(".")[0] ?? "";
  const about = entry.userId !== "" && !isAboutOne ? h("a", { href: `#/users/${encodeURIComponent(entry.userId)}` }, entry.userId) : null;
  return h(
    "li",
    { class: "row audit-row" },
    h("span", { class: "row-sign" }, icon(SIGNS[subject] ?? "clock")),
    h(
      "span",
      { class: "row-text" },
      h("span", { class: "audit-head" }, h("strong", {}, saying(entry.kind)), about),
      h("span", { class: "faint" }, factsOf(entry)),
    ),
    h("time", { class: "faint", datetime: entry.at, title: entry.at }, since(entry.at)),
  );
}

/** What a kind of entry means; one that this page does not know stands as it is. */
function saying(kind: string): string {
  const key = `audit_${kind.replaceAll(".", "_")}`;
  return isMessageKey(key) ? t(key) : kind;
}

function factsOf(entry: AuditEntryBody): string {
  const facts = Object.entries(entry.facts).map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(", ") : String(value)}`);
  return [`#${entry.number}`, ...facts].join(" · ");
}
