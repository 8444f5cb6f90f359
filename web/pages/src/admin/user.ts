/** One user: profile, account, device sessions, and what happened. */

import type { AccountBody, OwnProfileBody, ProfileEditBody, ProfileHistoryData, Session, SessionsData } from "heliograph";

import { button, fill, h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/messages.js";
import { sessionRows } from "../shared/session_rows.js";
import { accountCard } from "./account_card.js";
import { Api } from "./api.js";
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

  const sessionsOf = (sessions: readonly Session[]): HTMLElement => {
    const end = (session: Session): Promise<unknown> => api.call("DELETE", Api.user(identifier, "sessions", session.id));
    return h("ul", { class: "rows sessions", role: "list" }, ...sessionRows(sessions, t("admin_sessions_none"), end, refresh));
  };
  const refresh = async (): Promise<void> => {
    const account = await api.get<AccountBody>(Api.user(identifier));
    // A deleted account has neither profile nor sessions until it is restored.
    const [profile, sessions, edits] = account.isDeleted ? [null, [], []] : await live(api, identifier);
    fill(
      cards,
      profile === null ? null : profileCard(api, profile, refresh),
      accountCard(api, account, refresh),
      account.isDeleted ? null : section(t("sessions_heading"), sessionsOf(sessions)),
      section(t("admin_history"), profileEdits(edits)),
      section(t("admin_activity"), trail.element),
    );
    await trail.refresh();
  };
  return { element, refresh };
}

async function live(api: Api, identifier: string): Promise<[OwnProfileBody, readonly Session[], readonly ProfileEditBody[]]> {
  const [profile, { sessions }, { changes }] = await Promise.all([
    api.get<OwnProfileBody>(Api.user(identifier, "profile")),
    api.get<SessionsData>(Api.user(identifier, "sessions")),
    api.get<ProfileHistoryData>(Api.user(identifier, "profile", "history")),
  ]);
  return [profile, sessions, changes];
}

function section(heading: string, content: HTMLElement): HTMLElement {
  return h("section", { class: "card" }, h("h2", {}, heading), content);
}
