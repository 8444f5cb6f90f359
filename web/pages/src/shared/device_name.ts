/** What a device session is called. */

import { t } from "./messages.js";

/** Browser and system, else what the device said of itself. */
export function deviceName(session: { device: string; browser: string; os: string }): string {
  const parts = [session.browser, session.os].filter(Boolean).join(" · ");
  return parts || session.device || t("session_unknown");
}
