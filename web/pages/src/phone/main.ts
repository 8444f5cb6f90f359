/** The page at `/phone`: signs in once, then lets other screens in. */

import SDK, { type ConnectionUpdate } from "heliograph";

import { button } from "../shared/dom.js";
import { NoConfig } from "../shared/config.js";
import { header, languagePicker, show } from "../shared/frame.js";
import { Kept } from "../shared/kept.js";
import { connection, initialise, ownJid, resume } from "../shared/me.js";
import { isMessageKey, language, t } from "../shared/messages.js";
import { outcome } from "../shared/outcome.js";
import { codeOf, explain } from "../shared/problems.js";
import { PhoneHome } from "./home.js";
import { showInvitation } from "./invitation.js";
import { Linking } from "./linking.js";
import { showSignIn } from "./sign_in.js";

const INVITATION = "invite=";

const kept = new Kept(localStorage);

let home: PhoneHome | undefined;

async function begin(): Promise<void> {
  document.documentElement.lang = language();
  try {
    await initialise();
    const credentials = await resume(kept);
    if (credentials === null) showSignIn(kept, arrive);
    else await arrive();
  } catch (error) {
    failed(error);
  }
}

/**
 * The first screen, or what a link asks for in its fragment: an invitation, or a code, as an app may let its codes be
 * links to this page. Opening one is as good as scanning it, and approves nothing.
 */
async function arrive(): Promise<void> {
  const wanted = location.hash.slice(1);
  history.replaceState(null, "", "/phone");
  if (wanted.startsWith("HG1.")) await linking(await ownJid()).lookUp(wanted);
  else if (wanted.startsWith(INVITATION)) await showInvitation(wanted.slice(INVITATION.length), goHome);
  else await goHome();
}

function linking(userJid: string): Linking {
  return new Linking(userJid, () => void goHome());
}

async function goHome(): Promise<void> {
  const userJid = await ownJid();
  home ??= new PhoneHome(userJid, {
    scan: () => linking(userJid).scan(),
    signOut: () => SDK.logout(),
  });
  await home.show();
}

/** The session is over, whoever ended it. */
function signedOut(reason: string): void {
  kept.forget();
  home = undefined;
  const key = `signed_out_${reason}`;
  const why = isMessageKey(key) ? t(key) : t("signed_out_other");
  const again = button(t("phone_sign_in"), "primary", () => location.reload());
  show(t("title_phone"), header(languagePicker()), outcome("leave", t("signed_out_heading"), why, again));
}

function failed(error: unknown): void {
  if (codeOf(error) === "authentication_failed") {
    signedOut("other");
    return;
  }
  const reason = error instanceof NoConfig && error.code === "no_app" ? t("problem_no_app") : explain(error);
  const again = button(t("outcome_again"), "primary", () => location.reload());
  show(t("title_phone"), header(languagePicker()), outcome("warning", t("code_offline"), reason, again));
}

connection.on((update: ConnectionUpdate) => {
  if (update.status === "LOGOUT") signedOut(update.reason ?? "other");
});

void begin();
