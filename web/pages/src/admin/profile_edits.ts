/** Who changed which field of a profile, and when. */

import type { ProfileEditBody } from "heliograph";

import { h } from "../shared/dom.js";
import { t } from "../shared/messages.js";
import { since } from "../shared/time.js";

/** The list of changes, the newest first. */
export function profileEdits(edits: readonly ProfileEditBody[]): HTMLElement {
  const rows = edits.map(row);
  return h("ul", { class: "rows", role: "list" }, ...(rows.length > 0 ? rows : [h("li", { class: "none" }, t("admin_history_none"))]));
}

function row(edit: ProfileEditBody): HTMLElement {
  const by = t(edit.by === "backend" ? "admin_by_backend" : "admin_by_user", { via: edit.via });
  const fields = edit.fields.map(({ field, before, after }) =>
    h("span", { class: "edit" }, h("strong", {}, field), before || after ? ` ${quoted(before)} → ${quoted(after)}` : null),
  );
  return h(
    "li",
    { class: "row audit-row" },
    h("span", { class: "row-text" }, h("span", { class: "faint" }, `${t("admin_version", { version: edit.version })} · ${by}`), ...fields),
    h("time", { class: "faint", datetime: edit.at, title: edit.at }, since(edit.at)),
  );
}

function quoted(text: string | null | undefined): string {
  return text ? `“${text}”` : "–";
}
