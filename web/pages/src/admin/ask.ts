/** Dialogs: a question before something that cannot be undone, and words that are shown once. */

import { button, h, type Child } from "../shared/dom.js";
import { t } from "../shared/messages.js";

let count = 0;

function open(heading: string, content: Child[], ...actions: HTMLElement[]): HTMLDialogElement {
  count += 1;
  const title = h("h2", { id: `dialog-${count}` }, heading);
  const row = h("div", { class: "actions wide" }, ...actions);
  const dialog = h("dialog", { class: "card dialog", "aria-labelledby": title.id }, title, ...content, row);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Asks before a deed.
 *
 * @param deed what the button that does it says
 * @param option a box that can be ticked beside it
 * @returns `null` where the answer is no, else whether the box is ticked
 */
export function confirmed(heading: string, words: string, deed: string, option?: string): Promise<{ ticked: boolean } | null> {
  return new Promise((resolve) => {
    const box = h("input", { type: "checkbox" });
    const ticked = option === undefined ? null : h("label", { class: "tick" }, box, h("span", {}, option));
    const close = (answer: { ticked: boolean } | null): void => {
      resolve(answer);
      dialog.close();
    };
    const yes = button(deed, "danger", () => close({ ticked: box.checked }));
    const no = button(t("admin_cancel"), "plain", () => close(null));
    const dialog = open(heading, [h("p", { class: "lead" }, words), ticked], no, yes);
    dialog.addEventListener("cancel", () => resolve(null));
    no.focus();
  });
}

/** Shows names and values until the reader has done with them, each ready to be copied. */
export function shown(heading: string, words: string, values: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((resolve) => {
    const rows = Object.entries(values).map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", { class: "value" }, h("code", {}, value), copyButton(name, value))),
    );
    const done = button(t("admin_done"), "primary", () => dialog.close());
    const dialog = open(heading, [h("p", { class: "lead" }, words), h("dl", { class: "facts" }, ...rows)], done);
    dialog.addEventListener("close", () => resolve());
  });
}

function copyButton(name: string, value: string): HTMLElement {
  const control = button(t("admin_copy"), "plain", () => {
    void navigator.clipboard.writeText(value).then(() => {
      control.textContent = t("admin_copied");
    });
  });
  control.classList.add("small");
  control.setAttribute("aria-label", t("admin_copy_label", { name }));
  return control;
}
