/** The users of the app: a list to search in, and the form that adds one. */

import type { AccountBody, AccountsData, CredentialsData } from "heliograph";

import { avatar } from "../shared/avatar.js";
import { busy, h } from "../shared/dom.js";
import { tell } from "../shared/frame.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/messages.js";
import { explain } from "../shared/problems.js";
import { since } from "../shared/time.js";
import type { Api } from "./api.js";
import { shown } from "./ask.js";
import { PagedList } from "./pages.js";
import type { Part } from "./part.js";
import { tagsOf } from "./tags.js";

const PAGE = 50;
const TYPING_MS = 200;

/** The part of the console that lists the users. */
export function users(api: Api): Part {
  const search = h("input", {
    class: "field",
    type: "search",
    name: "search",
    autocomplete: "off",
    "aria-label": t("admin_search"),
    placeholder: t("admin_search"),
  });
  const list = new PagedList(async (after) => find(api, search.value.trim(), after), row, t("admin_users_none"));
  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = window.setTimeout(() => void list.refresh().catch((error) => tell(explain(error))), TYPING_MS);
  });
  const element = h(
    "section",
    { class: "card" },
    h("h1", { tabindex: -1 }, t("admin_users")),
    search,
    list.element,
    addForm(api),
  );
  return { element, refresh: () => list.refresh(), leave: () => clearTimeout(typing) };
}

async function find(api: Api, prefix: string, after: string | number | null) {
  const query = { limit: PAGE, ...(prefix === "" ? {} : { search: prefix }), ...(after === null ? {} : { after }) };
  const { users: items, next } = await api.get<AccountsData>("/users", query);
  return { items, next };
}

function row(account: AccountBody): HTMLElement {
  const { userId } = account;
  const who = { userId, nickName: "", image: "" };
  const text = h(
    "span",
    { class: "row-text" },
    h("strong", {}, userId),
    h("span", { class: "faint" }, t("admin_created", { when: since(account.createdAt) })),
  );
  const link = h("a", { class: "row-button", href: `#/users/${encodeURIComponent(userId)}` }, avatar(who), text, ...tagsOf(account));
  return h("li", { class: "row" }, link);
}

function addForm(api: Api): HTMLElement {
  const input = h("input", { class: "field", name: "identifier", required: true, autocomplete: "off", spellcheck: "false", "aria-label": t("admin_add") });
  input.placeholder = t("admin_add");
  const add = h("button", { type: "submit", class: "button plain" }, icon("plus"), h("span", {}, t("admin_add_do")));
  const form = h("form", { class: "one-line" }, input, add);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(add, async () => {
      try {
        await register(api, input.value.trim());
        form.reset();
      } catch (error) {
        tell(explain(error));
      }
    });
  });
  return form;
}

/** Registers a user, or a further device of one, and shows the credentials: the node cannot show them again. */
async function register(api: Api, identifier: string): Promise<void> {
  const made = await api.call<CredentialsData>("POST", "/register", { userIdentifier: identifier });
  const words = t(made.isExisting ? "admin_added_device" : "admin_added_user");
  await shown(identifier, words, { [t("admin_address")]: made.userJid, [t("admin_password")]: made.password });
  location.hash = `#/users/${encodeURIComponent(identifier)}`;
}
