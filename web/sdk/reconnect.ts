/** When to try again: full jitter over a bound that doubles. */

/** How patient a connection is, in milliseconds. */
export interface ReconnectPolicy {
  /** How long one attempt to connect may take, sign-in included. */
  attemptTimeoutMs: number;
  /** A stream that was silent so long is asked for a sign of life (XEP-0199). */
  pingAfterMs: number;
  /** How long it may take to give one. */
  pingTimeoutMs: number;
  /** The longest wait before the first attempt to reconnect; each further one may wait twice as long. */
  backoffBaseMs: number;
  /** The longest wait of all. */
  backoffMaxMs: number;
  /** A connection that held so long starts the backoff anew. */
  stableAfterMs: number;
}

export const PATIENT: Readonly<ReconnectPolicy> = {
  attemptTimeoutMs: 20_000,
  pingAfterMs: 60_000,
  pingTimeoutMs: 20_000,
  backoffBaseMs: 1_000,
  backoffMaxMs: 60_000,
  stableAfterMs: 30_000,
};

/**
 * How long to wait before an attempt: anything from nothing to a bound that doubles, so that the clients of a server that
 * comes back do not all come at once.
 *
 * @param attempt 1 for the first attempt after a loss.
 * @param random chance, from 0 to 1.
 */
export function backoffMs(policy: ReconnectPolicy, attempt: number, random: number): number {
  return random * Math.min(policy.backoffMaxMs, policy.backoffBaseMs * 2 ** Math.min(attempt - 1, 30));
}
