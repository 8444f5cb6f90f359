/** A screen that says how something ended, and what can be done now. */

import { focusOn, h } from "./dom.js";
import { icon, type IconName } from "./icons.js";

/**
 * A card in the middle of the page.
 *
 * @param sign the icon over the heading
 * @param heading what happened
 * @param words what that means
 * @param actions what can be done
 */
export function outcome(sign: IconName, heading: string, words: string, ...actions: HTMLElement[]): HTMLElement {
  const head = h("h1", { tabindex: -1 }, heading);
  const card = h(
    "main",
    { class: "middle" },
    h(
      "section",
      { class: "card outcome" },
      h("span", { class: "seal", "data-sign": sign }, icon(sign)),
      head,
      h("p", { class: "lead" }, words),
      h("div", { class: "actions wide" }, ...actions),
    ),
  );
  queueMicrotask(() => focusOn(head));
  return card;
}
