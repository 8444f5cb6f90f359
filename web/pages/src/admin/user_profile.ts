/** A user's profile as the app's backend sees and changes it. What is saved here is on every screen at once. */

import type { OwnProfileBody } from "heliograph";

import { avatar } from "../shared/avatar.js";
import { doing } from "../shared/deed.js";
import { button, fill, h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { t, type MessageKey } from "../shared/messages.js";
import { Api, type ProfileField } from "./api.js";

const FIELDS: readonly [ProfileField, MessageKey, string][] = [
  ["nickName", "profile_name", "text"],
  ["status", "profile_status", "text"],
  ["mobileNumber", "profile_mobile", "tel"],
  ["email", "profile_email", "email"],
];

/** The card of a profile, which becomes its form. */
export function profileCard(api: Api, profile: OwnProfileBody, refresh: () => Promise<void>): HTMLElement {
  const card = h("section", { class: "card profile-card" });
  const change = (control: HTMLButtonElement, changed: Readonly<Record<string, unknown>>): void => {
    const body = { ...changed, version: profile.version };
    doing(control, () => api.call("PATCH", Api.user(profile.userId, "profile"), body), t("profile_saved"), refresh);
  };
  const view = (): void => fill(card, ...reading(profile, () => fill(card, writing(profile, change, view)), change));
  view();
  return card;
}

type Change = (control: HTMLButtonElement, changed: Readonly<Record<string, unknown>>) => void;

function reading(profile: OwnProfileBody, edit: () => void, change: Change): HTMLElement[] {
  const words = h(
    "div",
    { class: "profile-words" },
    h("strong", { class: "profile-name" }, profile.nickName || profile.userId),
    h("span", { class: "faint" }, `${profile.userId} · ${t("admin_version", { version: profile.version })}`),
  );
  const facts = FIELDS.slice(1).map(([field, label]) =>
    h("div", {}, h("dt", {}, t(label)), h("dd", {}, profile[field] || "–", seenBy(profile, field))),
  );
  const editing = button(t("profile_edit"), "plain", edit);
  editing.prepend(icon("pencil"));
  const actions = [editing];
  if (profile.image !== "") {
    const clear = button(t("admin_clear_photo"), "plain", () => change(clear, { image: "" }));
    actions.push(clear);
  }
  for (const action of actions) action.classList.add("small");
  return [
    h("div", { class: "profile-top" }, avatar(profile, "large"), words),
    h("dl", { class: "facts" }, ...facts),
    h("div", { class: "actions" }, ...actions),
  ];
}

/** Who sees a field, where that is not everybody's to see. */
function seenBy(profile: OwnProfileBody, field: ProfileField): HTMLElement {
  const viewers = profile.visibility[field] ?? "";
  const key: MessageKey = viewers === "everyone" ? "admin_seen_everyone" : viewers === "nobody" ? "admin_seen_nobody" : "admin_seen_contacts";
  return h("span", { class: "faint seen-by" }, t(key));
}

function writing(profile: OwnProfileBody, change: Change, cancel: () => void): HTMLElement {
  const inputs = FIELDS.map(([field, label, type]) => {
    const input = h("input", { name: field, type, value: profile[field], class: "field", autocomplete: "off" });
    return h("label", { class: "labelled" }, h("span", {}, t(label)), input);
  });
  const save = h("button", { type: "submit", class: "button primary small" }, t("profile_save"));
  const stop = button(t("profile_cancel"), "plain", cancel);
  stop.classList.add("small");
  const form = h("form", { class: "stack" }, ...inputs, h("div", { class: "actions" }, save, stop));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const entered = new FormData(form);
    const changed = FIELDS.map(([field]): [string, string] => [field, String(entered.get(field) ?? "").trim()]);
    change(save, Object.fromEntries(changed.filter(([field, text]) => text !== profile[field as ProfileField])));
  });
  return form;
}
