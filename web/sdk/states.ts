/** The states of a connection as one table. It decides nothing else: the loop that acts on it is in `connection`. */

/** What `connectionListener` is told. */
export type ConnectionStatus =
  | "CONNECTING"
  | "CONNECTED"
  | "DISCONNECTED"
  | "RECONNECTING"
  | "CONNECTIONTIMEOUT"
  | "CONNECTIONFAILED"
  | "AUTHENTICATIONFAILED"
  | "ERROROCCURED"
  | "LOGOUT";

/**
 * What can happen to a connection.
 *
 * The caller: `connect` asks for a connection, `close` ends it and keeps the session. `retry` is the end of a wait. The
 * peer: `bound` says that the stream is ready, `timed_out` and `unreachable` that an attempt failed, `refused` that the
 * credentials are not accepted, `lost` that a ready stream is gone, `failed` that one of the two sides found the other's
 * stream wrong. `session_ended` comes from either: the device session is over.
 */
export type Trigger =
  | "connect"
  | "bound"
  | "timed_out"
  | "unreachable"
  | "refused"
  | "lost"
  | "failed"
  | "retry"
  | "session_ended"
  | "close";

type Row = Partial<Record<Trigger, ConnectionStatus>>;

const TRYING: Row = {
  bound: "CONNECTED",
  timed_out: "CONNECTIONTIMEOUT",
  unreachable: "CONNECTIONFAILED",
  refused: "AUTHENTICATIONFAILED",
  failed: "ERROROCCURED",
  session_ended: "LOGOUT",
  close: "DISCONNECTED",
};
const RESTING: Row = { connect: "CONNECTING", retry: "RECONNECTING", session_ended: "LOGOUT" };

/** Every change of state. What is not here changes nothing: it is news that came too late to matter. */
export const TRANSITIONS: Readonly<Record<ConnectionStatus, Row>> = {
  CONNECTING: TRYING,
  RECONNECTING: { ...TRYING, connect: "CONNECTING" },
  CONNECTED: { lost: "DISCONNECTED", failed: "ERROROCCURED", session_ended: "LOGOUT", close: "DISCONNECTED" },
  DISCONNECTED: RESTING,
  CONNECTIONTIMEOUT: { ...RESTING, close: "DISCONNECTED" },
  CONNECTIONFAILED: { ...RESTING, close: "DISCONNECTED" },
  ERROROCCURED: { ...RESTING, close: "DISCONNECTED" },
  AUTHENTICATIONFAILED: { connect: "CONNECTING" },
  LOGOUT: { connect: "CONNECTING" },
};

/** Whether only the caller's next `connect` leaves a state: nothing is tried again by itself. */
export function isFinal(status: ConnectionStatus): boolean {
  return status === "AUTHENTICATIONFAILED" || status === "LOGOUT";
}

/** The state after a trigger, or `undefined` where it changes nothing. */
export function nextStatus(status: ConnectionStatus, trigger: Trigger): ConnectionStatus | undefined {
  return TRANSITIONS[status][trigger];
}
