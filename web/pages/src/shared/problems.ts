/** What went wrong, in the reader's language. */

import { isMessageKey, t } from "./messages.js";

/** The parts of the SDK's typed errors that the pages look at. */
interface Coded {
  code: string;
  message: string;
  details?: Readonly<Record<string, unknown>>;
  retryAfter?: number;
}

function isCoded(error: unknown): error is Coded {
  return error instanceof Error && typeof (error as { code?: unknown }).code === "string";
}

/** The stable code of an error, or `""`. */
export function codeOf(error: unknown): string {
  return isCoded(error) ? error.code : "";
}

/** The facts that an error carries. */
export function detailsOf(error: unknown): Readonly<Record<string, unknown>> {
  return isCoded(error) ? (error.details ?? {}) : {};
}

/** A sentence for the reader: ours where we know the code, else the server's. */
export function explain(error: unknown): string {
  if (!isCoded(error)) {
    console.error(error);
    return t("problem", { message: error instanceof Error ? error.message : String(error) });
  }
  return explainCode(error.code, error.message, error.retryAfter);
}

/** The same of a code and the message that came with it. */
export function explainCode(code: string, message: string, retryAfter = 1): string {
  const key = `problem_${code}`;
  return isMessageKey(key) ? t(key, { seconds: Math.ceil(retryAfter) }) : t("problem", { message });
}
