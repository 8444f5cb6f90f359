/** The one class of errors that the SDK's calls throw. The codes are those of the node's error table. */
import { ERROR_STATUS, type ErrorCode } from "./wire";

/** What the SDK says by itself, without asking the node. */
const MESSAGES = {
  access_denied: "That is not allowed",
  already_connected: "Already connected as another user",
  authentication_failed: "Authentication failed",
  admin_blocked: "The user is blocked by the administrator",
  cancelled: "It was cancelled",
  internal_error: "Internal error",
  key_mismatch: "The QR code is not of the key that this browser made",
  license_invalid: "The licence key is not valid",
  license_mode_mismatch: "The licence key is not of the kind that isTrialLicenseKey says",
  not_connected: "Connect first",
  payload_too_large: "The request is too large",
  profile_invalid: "The profile is not valid",
  request_invalid: "The request is not valid",
  timeout: "The server did not answer in time",
  token_expired: "Token Expired",
  token_malformed: "The token is malformed",
  token_subject_mismatch: "The token belongs to another user",
  unreachable: "The server cannot be reached",
} as const satisfies Partial<Record<ErrorCode | "cancelled", string>>;

/** A code that this SDK gives by itself; `cancelled` is no code of a node. */
export type OwnCode = keyof typeof MESSAGES;

/** What an error looks like as plain data; this is what goes over a channel between tabs. */
export interface ErrorData {
  statusCode: number;
  code: string;
  message: string;
  details: Record<string, unknown>;
  retryAfterS: number | null;
}

/** A call that did not succeed. */
export class HeliographError extends Error implements ErrorData {
  override readonly name = "HeliographError";
  /** An HTTP status. */
  readonly statusCode: number;
  /** The stable name of what went wrong, for programs. */
  readonly code: string;
  /** Facts for programs, such as `field`, `sessions` or `errorId`. */
  readonly details: Record<string, unknown>;
  /** After so many seconds the same call may succeed; `null` where that is not known. */
  readonly retryAfterS: number | null;

  constructor(data: Pick<ErrorData, "statusCode" | "code" | "message"> & Partial<ErrorData>) {
    super(data.message);
    this.statusCode = data.statusCode;
    this.code = data.code;
    this.details = data.details ?? {};
    this.retryAfterS = data.retryAfterS ?? null;
  }

  /** The error as plain data. */
  toJSON(): ErrorData {
    const { statusCode, code, message, details, retryAfterS } = this;
    return { statusCode, code, message, details, retryAfterS };
  }
}

/** An error of the SDK's own making; `message` says more than the code alone. */
export function failure(code: OwnCode, message?: string, details?: Record<string, unknown>): HeliographError {
  return fromCode(code, message ?? MESSAGES[code], { ...(details && { details }) });
}

/** An error of which the code is known, and with it the status; 400 of a code from a newer node. */
export function fromCode(code: string, message: string, facts: Partial<ErrorData> = {}): HeliographError {
  const status = (ERROR_STATUS as Record<string, number>)[code];
  return new HeliographError({ ...facts, code, message, statusCode: status ?? (code === "cancelled" ? 409 : 400) });
}

/** Whatever was thrown, as an error of ours: what is none is a bug, and says so. */
export function asError(thrown: unknown): HeliographError {
  return thrown instanceof HeliographError ? thrown : failure("internal_error", String(thrown));
}
