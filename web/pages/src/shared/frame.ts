/** What stands around every screen: the mark, the language, and a line for what has just happened. */

import { fill, h, type Child } from "./dom.js";
import { icon } from "./icons.js";
import { LANGUAGES, chooseLanguage, language, t, type Language } from "./messages.js";

const NOTICE_MS = 6000;

let notice: HTMLElement | undefined;
let noticeTimer = 0;

/** The header of a page; `extra` stands at its end. */
export function header(...extra: Child[]): HTMLElement {
  const mark = h("img", { src: "/pages/logo.svg", alt: "", width: 36, height: 36, class: "mark" });
  const name = h("span", { class: "brand" }, mark, h("span", {}, "Heliograph"));
  return h("header", { class: "top" }, name, h("div", { class: "top-end" }, ...extra));
}

/** The button that ends this page's own session; on a narrow screen it is its icon alone. */
export function signOutButton(act: () => void): HTMLElement {
  const control = h("button", { type: "button", class: "button plain sign-out" }, icon("leave"), h("span", {}, t("sign_out")));
  control.addEventListener("click", act);
  return control;
}

/** The choice of language; the page is read again in the new one. */
export function languagePicker(): HTMLElement {
  const choices = Object.entries(LANGUAGES).map(([tag, name]) =>
    h("option", { value: tag, lang: tag, selected: tag === language() }, name),
  );
  const picker = h("select", { "aria-label": t("language"), class: "language" }, ...choices);
  picker.addEventListener("change", () => {
    chooseLanguage(picker.value as Language);
    location.reload();
  });
  return picker;
}

/** Shows a screen: header and content, and the heading in the window's title. */
export function show(title: string, top: HTMLElement, ...content: Child[]): void {
  document.title = title;
  const root = document.getElementById("app");
  if (root === null) throw new Error("The page has no #app");
  notice = h("div", { class: "notice", role: "status", hidden: true });
  fill(root, top, ...content, notice);
}

/** Tells, for a while, what has just happened. */
export function tell(...words: Child[]): void {
  if (notice === undefined) return;
  clearTimeout(noticeTimer);
  fill(notice, ...words);
  notice.hidden = false;
  const shown = notice;
  noticeTimer = window.setTimeout(() => {
    shown.hidden = true;
  }, NOTICE_MS);
}
