/** The one class of errors that the SDK's calls throw. The codes are those of the node's error table. */
import type { ErrorCode } from "./wire";

const OWN = {
  already_connected: [409, "Already connected as another user"],
  authentication_failed: [401, "Authentication failed"],
  admin_blocked: [403, "The user is blocked by the administrator"],
  cancelled: [409, "The call was cancelled"],
  key_mismatch: [403, "The QR code is not of the key that this browser made"],
  license_invalid: [401, "The licence key is not valid"],
  license_mode_mismatch: [400, "The licence key is not of the kind that isTrialLicenseKey says"],
  not_connected: [409, "Connect first"],
  payload_too_large: [413, "The request is too large"],
  profile_invalid: [400, "The profile is not valid"],
  request_invalid: [400, "The request is not valid"],
  timeout: [504, "The server did not answer in time"],
  token_expired: [401, "Token Expired"],
  token_malformed: [401, "The token is malformed"],
  token_subject_mismatch: [400, "The token belongs to another user"],
  unreachable: [503, "The server cannot be reached"],
} as const satisfies Partial<Record<ErrorCode | "cancelled", readonly [number, string]>>;

/** A code that this SDK gives by itself, without asking the node. */
export type OwnCode = keyof typeof OWN;

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
  const [statusCode, usual] = OWN[code];
  return new HeliographError({ code, statusCode, message: message ?? usual, ...(details && { details }) });
}

/** Whatever was thrown, as an error of ours: what is none is a bug, and says so. */
export function asError(thrown: unknown): HeliographError {
  if (thrown instanceof HeliographError) return thrown;
  return new HeliographError({ statusCode: 500, code: "internal_error", message: String(thrown) });
}
