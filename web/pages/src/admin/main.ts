/** The page at `/admin`: asks for the app's secret key, then shows its users and what happens. */

import type { Config } from "heliograph";

import { button, fill, focusOn, h } from "../shared/dom.js";
import { header, languagePicker, show, signOutButton, tell } from "../shared/frame.js";
import { icon, type IconName } from "../shared/icons.js";
import { language, t, type MessageKey } from "../shared/messages.js";
import { codeOf, explain } from "../shared/problems.js";
import { outcome } from "../shared/outcome.js";
import { Api } from "./api.js";
import { app } from "./app.js";
import { feedback } from "./feedback.js";
import { keyCard } from "./key_card.js";
import type { Part } from "./part.js";
import { activity } from "./trail.js";
import { user } from "./user.js";
import { users } from "./users.js";

/** The key lives as long as the tab: a reload keeps it, and a closed tab does not. */
const KEPT = "heliograph.admin";

const PARTS: readonly [string, MessageKey, IconName][] = [
  ["#/users", "admin_users", "people"],
  ["#/activity", "admin_activity", "clock"],
  ["#/feedback", "admin_feedback", "pencil"],
  ["#/app", "admin_app", "keys"],
];

async function begin(): Promise<void> {
  document.documentElement.lang = language();
  const key = sessionStorage.getItem(KEPT);
  if (key === null) {
    askForKey();
    return;
  }
  try {
    await enter(key);
  } catch (error) {
    if (codeOf(error) !== "unreachable") leave();
    else show(t("title_admin"), header(languagePicker()), outcome("warning", t("code_offline"), explain(error), again()));
  }
}

function again(): HTMLElement {
  return button(t("admin_again"), "primary", () => location.reload());
}

function askForKey(): void {
  show(t("title_admin"), header(languagePicker()), keyCard(enter));
}

/** Tries a key: only a secret one may list users. */
async function enter(key: string): Promise<void> {
  const api = new Api(key);
  await api.get("/users", { limit: 1 });
  const config = await api.get<Config>("/config");
  sessionStorage.setItem(KEPT, key);
  new Console(api, config).start();
}

function leave(): void {
  sessionStorage.removeItem(KEPT);
  location.hash = "";
  location.reload();
}

/** The frame around the parts; the address says which of them is shown. */
class Console {
  private readonly place = h("main", { class: "admin-part" });
  private readonly links = PARTS.map(([address, label, sign]) => ({
    address,
    element: h("a", { class: "admin-link", href: address }, icon(sign), h("span", {}, t(label))),
  }));
  private part: Part | undefined;

  constructor(
    private readonly api: Api,
    private readonly config: Config,
  ) {}

  start(): void {
    const where = h("span", { class: "tag" }, t(this.config.isSandbox ? "admin_sandbox" : "admin_live"));
    const domain = h("span", { class: "faint admin-domain" }, this.config.domain);
    const top = header(domain, where, languagePicker(), signOutButton(leave));
    const nav = h("nav", { class: "admin-nav", "aria-label": t("nav_label") }, ...this.links.map(({ element }) => element));
    show(t("title_admin"), top, h("div", { class: "admin" }, nav, this.place));
    window.addEventListener("hashchange", () => void this.turn(true));
    void this.turn(false);
  }

  private async turn(isMove: boolean): Promise<void> {
    this.part?.leave?.();
    const part = this.choose(location.hash);
    this.part = part;
    for (const { address, element } of this.links) {
      const isHere = location.hash.startsWith(address) || (location.hash === "" && address === "#/users");
      if (isHere) element.setAttribute("aria-current", "page");
      else element.removeAttribute("aria-current");
    }
    fill(this.place, part.element);
    scrollTo(0, 0);
    try {
      await part.refresh();
      const heading = part.element.querySelector("h1");
      if (isMove && heading !== null && this.part === part) focusOn(heading);
    } catch (error) {
      if (this.part === part) this.failed(error);
    }
  }

  private choose(address: string): Part {
    const chosen = /^#\/users\/(.+)$/.exec(address)?.[1];
    if (chosen !== undefined) return user(this.api, decodeURIComponent(chosen));
    if (address === "#/activity") return activity(this.api);
    if (address === "#/feedback") return feedback(this.api);
    if (address === "#/app") return app(this.api);
    return users(this.api);
  }

  private failed(error: unknown): void {
    const code = codeOf(error);
    if (code === "license_invalid") {
      leave();
      return;
    }
    if (code === "account_not_found") fill(this.place, h("p", { class: "none" }, explain(error)));
    else tell(explain(error));
  }
}

void begin();
