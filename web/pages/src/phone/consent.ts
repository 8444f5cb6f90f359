/** The consent screen: who asks, from where, since when; and two equal answers. */

import type { QrRequest } from "heliograph";

import { busy, h } from "../shared/dom.js";
import { icon, type IconName } from "../shared/icons.js";
import { t } from "../shared/messages.js";
import { ago } from "../shared/time.js";

interface Answers {
  approve: () => Promise<void>;
  deny: () => Promise<void>;
}

/**
 * Makes the screen.
 *
 * @param request what the node says of the device that asks
 * @param userJid as whom the device will be signed in
 * @param answers what the two buttons do
 */
export function consentScreen(
  request: QrRequest,
  userJid: string,
  answers: Answers,
): { element: HTMLElement; head: HTMLElement } {
  const head = h("h1", { tabindex: -1 }, t("consent_heading"));
  const name = userJid.split("@")[0] ?? "";
  const element = h(
    "main",
    { class: "phone consent" },
    h("div", { class: "asks" }, h("span", { class: "seal", "data-sign": "screen" }, icon("screen")), head),
    h("p", { class: "lead" }, t("consent_as", { name })),
    h("section", { class: "card" }, facts(request)),
    ...warnings(request),
    h("div", { class: "answers" }, answer("cross", t("consent_deny"), "deny", answers.deny), answer("check", t("consent_approve"), "approve", answers.approve)),
  );
  return { element, head };
}

function facts(request: QrRequest): HTMLElement {
  const { device } = request;
  const unknown = t("consent_unknown");
  const hint = request.ipHint === "unknown" ? "" : ` (${t(`consent_address_${request.ipHint}`)})`;
  const rows: [string, string][] = [
    [t("consent_browser"), device.browser || device.device || unknown],
    [t("consent_system"), device.os || unknown],
    [t("consent_address"), request.ip ? request.ip + hint : unknown],
  ];
  if (request.sameNetwork !== null) {
    rows.push([t("consent_network"), t(request.sameNetwork ? "consent_network_same" : "consent_network_other")]);
  }
  rows.push([t("consent_asked"), ago(request.requestedAgo)]);
  return h("dl", { class: "facts" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function warnings(request: QrRequest): HTMLElement[] {
  const texts: string[] = [];
  if (request.sameNetwork === false) texts.push(t("consent_other_network"));
  if (request.newDevice) texts.push(t("consent_new_device"));
  const notes = texts.map((text) => h("p", { class: "caution" }, icon("warning"), h("span", {}, text)));
  return [...notes, h("p", { class: "caution firm" }, icon("person"), h("span", {}, t("consent_warning")))];
}

function answer(sign: IconName, label: string, look: "approve" | "deny", act: () => Promise<void>): HTMLButtonElement {
  const control = h("button", { type: "button", class: `button answer ${look}` }, icon(sign), h("span", {}, label));
  control.addEventListener("click", () => void busy(control, act));
  return control;
}
