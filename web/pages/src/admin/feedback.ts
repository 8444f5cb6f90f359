/** What users said on leaving. */

import type { FeedbackBody, FeedbackData } from "heliograph";

import { h } from "../shared/dom.js";
import { t } from "../shared/messages.js";
import { since } from "../shared/time.js";
import type { Api } from "./api.js";
import { PagedList } from "./pages.js";
import type { Part } from "./part.js";

const PAGE = 50;

/** The part of the console that lists it, the newest first. */
export function feedback(api: Api): Part {
  const list = new PagedList(
    async (before) => {
      const answer = await api.get<FeedbackData>("/feedback", {
        limit: PAGE,
        ...(before === null ? {} : { before }),
      });
      return { items: answer.feedback, next: answer.next };
    },
    row,
    t("admin_feedback_none"),
  );
  const heading = h("h1", { tabindex: -1 }, t("admin_feedback"));
  const element = h("section", { class: "card" }, heading, h("p", { class: "faint" }, t("admin_feedback_lead")), list.element);
  return { element, refresh: () => list.refresh() };
}

function row(said: FeedbackBody): HTMLElement {
  return h(
    "li",
    { class: "row audit-row" },
    h("span", { class: "row-text" }, h("strong", {}, said.reason || "–"), h("span", {}, said.feedback), h("span", { class: "faint" }, said.userId ?? t("admin_user_gone"))),
    h("time", { class: "faint", datetime: said.createdAt, title: said.createdAt }, since(said.createdAt)),
  );
}
