/** What an account is, and what can be done with it. */

import type { AccountBody } from "heliograph";

import { doing } from "../shared/deed.js";
import { button, h } from "../shared/dom.js";
import { t } from "../shared/messages.js";
import { dayAndTime } from "../shared/time.js";
import { Api } from "./api.js";
import { confirmed } from "./ask.js";
import { tagsOf } from "./tags.js";

type Refresh = () => Promise<void>;

/** The card of an account. */
export function accountCard(api: Api, account: AccountBody, refresh: Refresh): HTMLElement {
  const facts: [string, string | HTMLElement][] = [
    [t("admin_address"), account.userJid],
    [t("admin_since"), dayAndTime(account.createdAt)],
    ...Object.entries(account.metaData).map(([name, value]): [string, string] => [name, String(value)]),
  ];
  if (account.expiresAt !== null) facts.push([t("admin_expires"), dayAndTime(account.expiresAt)]);
  if (account.purgeAt !== null) facts.push([t("admin_purge"), dayAndTime(account.purgeAt)]);
  if (!account.isDeleted) facts.push([t("admin_cap"), capForm(api, account, refresh)]);
  const list = h("dl", { class: "facts" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  const heading = h("div", { class: "card-head" }, h("h2", {}, t("admin_account")), ...tagsOf(account));
  return h("section", { class: "card" }, heading, list, h("div", { class: "actions" }, ...deeds(api, account, refresh)));
}

function capForm(api: Api, account: AccountBody, refresh: Refresh): HTMLElement {
  const input = h("input", { class: "field cap", type: "number", min: 1, placeholder: t("admin_cap_usual"), "aria-label": t("admin_cap") });
  input.value = account.maxSessions === null ? "" : String(account.maxSessions);
  const save = h("button", { type: "submit", class: "button plain small" }, t("profile_save"));
  const form = h("form", { class: "one-line" }, input, save);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const change = { maxSessions: input.value === "" ? null : input.valueAsNumber };
    doing(save, () => api.call("PATCH", Api.user(account.userId), change), t("admin_saved"), refresh);
  });
  return form;
}

function deeds(api: Api, account: AccountBody, refresh: Refresh): HTMLElement[] {
  const path = (...rest: string[]): string => Api.user(account.userId, ...rest);
  const post = (label: string, look: "plain" | "danger", done: string, ...rest: string[]): HTMLButtonElement => {
    const control = button(label, look, () => doing(control, () => api.call("POST", path(...rest)), done, refresh));
    control.classList.add("small");
    return control;
  };
  if (account.isDeleted) return [post(t("admin_restore"), "plain", t("admin_restored"), "restore"), removal(api, account, refresh)];
  const blocking = account.isAdminBlocked
    ? post(t("admin_unblock"), "plain", t("admin_unblocked"), "unblock")
    : post(t("admin_block"), "danger", t("admin_blocked"), "block");
  return [post(t("admin_sign_out_all"), "plain", t("admin_signed_out_all"), "end-sessions"), blocking, removal(api, account, refresh)];
}

/** Deletes the user; for good where that is ticked, where the grace period runs already, and always in the sandbox. */
function removal(api: Api, account: AccountBody, refresh: Refresh): HTMLElement {
  const control = button(t("admin_delete"), "danger", () => void ask());
  control.classList.add("small");
  const ask = async (): Promise<void> => {
    const isLast = account.isDeleted || account.isSandbox;
    const option = isLast ? undefined : t("admin_delete_at_once");
    const words = account.isDeleted ? "admin_delete_now_words" : account.isSandbox ? "admin_delete_sandbox_words" : "admin_delete_words";
    const answer = await confirmed(t("admin_delete_heading", { name: account.userId }), t(words), t("admin_delete"), option);
    if (answer === null) return;
    const isForGood = answer.ticked || isLast;
    const path = Api.user(account.userId) + (isForGood ? "?immediately=true" : "");
    doing(control, () => api.call("DELETE", path), t("admin_deleted"), isForGood ? toTheList : refresh);
  };
  return control;
}

async function toTheList(): Promise<void> {
  location.hash = "#/users";
}
