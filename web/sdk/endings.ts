/** Why a stream ended, and what follows from it: pure. */
import { failure, type HeliographError } from "./errors";
import type { Trigger } from "./states";
import { child, children } from "./xml";

const NS_SESSION = "urn:heliograph:session:1";
const NS_STREAMS = "urn:ietf:params:xml:ns:xmpp-streams";

/** How a server that can tell a sentence alone, as ejabberd, puts the reason at its end. */
const TOLD = new RegExp(`\\s*\\(${NS_SESSION}#([a-z_]+)\\)$`);

/** Not the end of the session: its device has to show its password once more. */
const SIGN_IN_AGAIN = "sign_in_again";

/** Stream errors that say something of the server's hour and nothing of this client (RFC 6120, section 4.9.3). */
const PASSING = new Set(["connection-timeout", "internal-server-error", "reset", "resource-constraint", "system-shutdown"]);

/** The end of a stream: what it does to the connection's state, why, and what `connect` throws where it still waits. */
export interface Ending {
  trigger: Trigger;
  /** A stream error's condition, an error's code, or why the session ended. */
  reason: string;
  error: HeliographError;
}

/** The socket went away, or the server left with no fault of ours. */
export function lost(error: HeliographError, isBound: boolean, reason: string = error.code): Ending {
  return { trigger: isBound ? "lost" : "unreachable", reason, error };
}

/** An attempt took too long. */
export function timedOut(): Ending {
  return { trigger: "timed_out", reason: "timeout", error: failure("timeout") };
}

/** What `<stream:error/>` means (RFC 6120, section 4.9). */
export function streamError(error: Element, isBound: boolean): Ending {
  const said = child(error, "text", NS_STREAMS)?.textContent ?? "";
  const text = said.replace(TOLD, "");
  const ended = child(error, "ended", NS_SESSION)?.getAttribute("reason") ?? TOLD.exec(said)?.[1];
  if (ended === SIGN_IN_AGAIN) return lost(failure("unreachable", text || undefined), isBound);
  if (ended) {
    const code = ended === "admin_blocked" ? "admin_blocked" : "authentication_failed";
    return { trigger: "session_ended", reason: ended, error: failure(code, text || "The session has ended") };
  }
  const condition =
    children(error).find((each) => each.namespaceURI === NS_STREAMS && each.localName !== "text")?.localName ??
    "undefined-condition";
  const failed = failure("unreachable", `The stream ended with ${condition}${text && `: ${text}`}`);
  if (PASSING.has(condition)) return lost(failed, isBound, condition);
  return { trigger: "failed", reason: condition, error: failed };
}

/** What a failed sign-in means (RFC 6120, section 6.5); `null` is a server that did not prove who it is. */
export function refused(failed: Element | null): Ending {
  const condition = failed === null ? "not-authorized" : (children(failed)[0]?.localName ?? "not-authorized");
  const text = (failed && child(failed, "text")?.textContent) || undefined;
  if (condition === "account-disabled") {
    return { trigger: "refused", reason: "admin_blocked", error: failure("admin_blocked", text) };
  }
  if (condition === "temporary-auth-failure") {
    return lost(failure("unreachable", text ?? "The server cannot check passwords now"), false);
  }
  return { trigger: "refused", reason: "authentication_failed", error: failure("authentication_failed", text) };
}
