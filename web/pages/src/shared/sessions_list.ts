/** The user's device sessions, each with the button that ends it. */

import SDK, { type Session } from "heliograph";

import { fill, h } from "./dom.js";
import { sessionRows } from "./session_rows.js";

export interface SessionsList {
  element: HTMLElement;
  /** Asks the node again. */
  refresh(): Promise<void>;
}

/**
 * A list that is empty until its first `refresh`.
 *
 * @param wanted which sessions stand in it
 * @param whenEmpty what to say where there are none
 */
export function sessionsList(wanted: (session: Session) => boolean, whenEmpty: string): SessionsList {
  const element = h("ul", { class: "rows sessions", role: "list" });

  const refresh = async (): Promise<void> => {
    const { data } = await SDK.getSessions();
    const end = (session: Session): Promise<unknown> => SDK.logoutSession(session.id);
    fill(element, ...sessionRows(data.sessions.filter(wanted), whenEmpty, end, refresh));
  };
  return { element, refresh };
}
