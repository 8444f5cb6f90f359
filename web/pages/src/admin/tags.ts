/** What is special about an account, in a word each. */

import type { AccountBody } from "heliograph";

import { h } from "../shared/dom.js";
import { t } from "../shared/messages.js";

/** Blocked, or deleted and not gone yet. */
export function tagsOf(account: AccountBody): HTMLElement[] {
  const tags: HTMLElement[] = [];
  if (account.isAdminBlocked) tags.push(h("span", { class: "tag bad" }, t("admin_tag_blocked")));
  if (account.isDeleted) tags.push(h("span", { class: "tag bad" }, t("admin_tag_deleted")));
  return tags;
}
