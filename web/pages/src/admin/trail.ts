/** What happens in the app: the newest entries of its audit trail, kept up while the page is looked at. */

import type { AuditData, AuditEntryBody } from "heliograph";

import { h } from "../shared/dom.js";
import { t } from "../shared/messages.js";
import { Api } from "./api.js";
import { auditRow } from "./audit_row.js";
import { PagedList } from "./pages.js";
import type { Part } from "./part.js";

const PAGE = 50;
const REFRESH_MS = 5_000;

/** A trail from a path of the API: the app's, or one user's. */
export function trailOf(api: Api, path: string, isAboutOne = false): PagedList<AuditEntryBody> {
  const load = async (before: string | number | null) => {
    const { entries, next } = await api.get<AuditData>(path, { limit: PAGE, ...(before === null ? {} : { before }) });
    return { items: entries, next };
  };
  return new PagedList(load, (entry) => auditRow(entry, isAboutOne), t("admin_trail_none"));
}

/** The part of the console that shows the app's trail. */
export function activity(api: Api): Part {
  const list = trailOf(api, "/app/audit");
  const element = h(
    "section",
    { class: "card" },
    h("h1", { tabindex: -1 }, t("admin_activity")),
    h("p", { class: "faint" }, t("admin_activity_lead")),
    list.element,
  );
  const follow = async (): Promise<void> => {
    if (document.visibilityState === "visible") await list.catchUp((one, other) => one.number === other.number);
  };
  // A node that is away for a while is no news here; the next round finds it back.
  const timer = setInterval(() => void follow().catch(() => undefined), REFRESH_MS);
  return { element, refresh: () => list.refresh(), leave: () => clearInterval(timer) };
}
