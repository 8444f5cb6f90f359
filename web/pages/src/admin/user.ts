/** One user: profile, account, device sessions, and what happened. */

import type { AccountBody, OwnProfileBody, ProfileEditBody, SessionBody } from "heliograph";

import { button, fill, h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/messages.js";
import { accountCard } from "./account_card.js";
import { Api } from "./api.js";
import { deviceSessions } from "./device_sessions.js";
import type { Part } from "./part.js";
import { profileEdits } from "./profile_edits.js";
import { profileCard } from "./user_profile.js";
import { trailOf } from "./trail.js";

/** The part of the console that shows one user. */
export function user(api: Api, identifier: string): Part {
  const cards = h("div", { class: "user-cards" });
  const trail = trailOf(api, Api.user(identifier, "audit"), true);
  const back = button(t("admin_back"), "quiet", () => {
    location.hash = "#/users";
  });
  back.classList.add("small");
  back.prepend(icon("back"));
  const element = h("div", { class: "user" }, back, h("h1", { class: "unseen", tabindex: -1 }, identifier), cards);

  const refresh = async (): Promise<void> => {
    const account = await api.get<AccountBody>(Api.user(identifier));
    // A deleted account has neither profile nor sessions until it is restored.
    const [profile, sessions, edits] = account.isDeleted ? [null, [], []] : await live(api, identifier);
    fill(
      cards,
      profile === null ? null : profileCard(api, profile, refresh),
      accountCard(api, account, refresh),
      account.isDeleted ? null : deviceSessions(api, identifier, sessions, refresh),
      section(t("admin_history"), profileEdits(edits)),
      section(t("admin_activity"), trail.element),
    );
    await trail.refresh();
  };
  return { element, refresh };
}

async function live(api: Api, identifier: string): Promise<[OwnProfileBody, readonly SessionBody[], readonly ProfileEditBody[]]> {
  const [profile, { sessions }, { changes }] = await Promise.all([
    api.get<OwnProfileBody>(Api.user(identifier, "profile")),
    api.get<{ sessions: readonly SessionBody[] }>(Api.user(identifier, "sessions")),
    api.get<{ changes: readonly ProfileEditBody[] }>(Api.user(identifier, "profile", "history")),
  ]);
  return [profile, sessions, changes];
}

function section(heading: string, content: HTMLElement): HTMLElement {
  return h("section", { class: "card" }, h("h2", {}, heading), content);
}
