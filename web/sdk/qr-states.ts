/** How far a QR sign-in is, on the side that shows the code, as one table. */

/** What `onState` is told. */
export type QrStateName =
  | "connecting"
  | "waiting"
  | "paused"
  | "scanned"
  | "verify"
  | "approved"
  | "connected"
  | "ended"
  | "offline";

/**
 * What can happen. The server: a `code` to draw, no more codes until somebody clicks (`paused`), a phone has `scanned`,
 * the check code is asked for (`verify`), the credential came (`approved`), it is over (`ended`). This side: the socket
 * is gone (`lost`), the page is connected (`signed_in`).
 */
export type QrInput = "code" | "paused" | "scanned" | "verify" | "approved" | "ended" | "lost" | "signed_in";

type Row = Partial<Record<QrInput, QrStateName>>;

const GOING_ON: Row = { verify: "verify", approved: "approved", ended: "ended", lost: "offline" };
const OPEN: Row = { ...GOING_ON, code: "waiting", paused: "paused", scanned: "scanned" };

/** Every change of state. What is not here is not obeyed: a signal server cannot lead a sign-in back or out of order. */
export const QR_TRANSITIONS: Readonly<Record<QrStateName, Row>> = {
  connecting: OPEN,
  waiting: OPEN,
  paused: OPEN,
  offline: OPEN,
  scanned: { ...GOING_ON, scanned: "scanned" },
  verify: GOING_ON,
  approved: { signed_in: "connected", ended: "ended" },
  connected: {},
  ended: {},
};

/** The state after an input, or `undefined` where it is not obeyed. */
export function nextQrState(state: QrStateName, input: QrInput): QrStateName | undefined {
  return QR_TRANSITIONS[state][input];
}
