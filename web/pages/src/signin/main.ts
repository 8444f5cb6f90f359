/** The page at `/`: shows a code until a phone lets it in, then is a small chat. */

import SDK, { type ConnectionUpdate } from "heliograph";

import { button, h } from "../shared/dom.js";
import { NoConfig } from "../shared/config.js";
import { header, languagePicker, show } from "../shared/frame.js";
import { Kept } from "../shared/kept.js";
import { connection, initialise, ownJid, resume } from "../shared/me.js";
import { isMessageKey, language, t } from "../shared/messages.js";
import { codeOf, explain } from "../shared/problems.js";
import { outcome } from "../shared/outcome.js";
import { CodeCard } from "./code_card.js";
import { Home } from "./home.js";

const kept = new Kept(sessionStorage);

async function begin(): Promise<void> {
  document.documentElement.lang = language();
  try {
    await initialise();
    const credentials = await resume(kept);
    await (credentials === null ? signIn() : home());
  } catch (error) {
    failed(error);
  }
}

async function signIn(): Promise<void> {
  const card = new CodeCard(async (credentials) => {
    kept.write(credentials);
    await home();
  });
  show(t("title_sign_in"), header(languagePicker()), h("main", { class: "sign-in" }, pitch(), card.element));
  await card.start();
}

/** What to do, in three steps. */
function pitch(): HTMLElement {
  const address = `${location.host}/phone`;
  const steps = [t("step_open", { address }), t("step_scan"), t("step_approve")];
  return h(
    "section",
    { class: "pitch" },
    h("h1", {}, t("sign_in_heading")),
    h("p", { class: "lead" }, t("sign_in_lead")),
    h("ol", { class: "steps" }, ...steps.map((step) => h("li", {}, h("span", {}, step)))),
  );
}

async function home(): Promise<void> {
  const screen = new Home(await ownJid(), leave);
  await screen.start();
}

async function leave(): Promise<void> {
  await SDK.logout();
}

/** The session is over, whoever ended it: forget it and say why. */
function signedOut(reason: string): void {
  kept.forget();
  const key = `signed_out_${reason}`;
  const why = isMessageKey(key) ? t(key) : t("signed_out_other");
  const again = button(t("code_new"), "primary", () => location.reload());
  show(t("title_sign_in"), header(languagePicker()), outcome("leave", t("signed_out_heading"), why, again));
}

function failed(error: unknown): void {
  if (codeOf(error) === "authentication_failed") {
    signedOut("other");
    return;
  }
  const reason = error instanceof NoConfig && error.code === "no_app" ? t("problem_no_app") : explain(error);
  const again = button(t("code_new"), "primary", () => location.reload());
  show(t("title_sign_in"), header(languagePicker()), outcome("warning", t("code_offline"), reason, again));
}

connection.on((update: ConnectionUpdate) => {
  if (update.status === "LOGOUT") signedOut(update.reason ?? "other");
});

void begin();
