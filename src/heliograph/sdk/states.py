"""The states of a connection as one table. It decides nothing else: the loop that acts on it is in `connection`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ConnectionStatus(StrEnum):
    """What `connection_listener` is told."""

    CONNECTING = "CONNECTING"
    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    RECONNECTING = "RECONNECTING"
    CONNECTIONTIMEOUT = "CONNECTIONTIMEOUT"
    CONNECTIONFAILED = "CONNECTIONFAILED"
    AUTHENTICATIONFAILED = "AUTHENTICATIONFAILED"
    ERROROCCURED = "ERROROCCURED"
    LOGOUT = "LOGOUT"


class Trigger(StrEnum):
    """What can happen to a connection.

    The caller: `CONNECT` asks for a connection, `CLOSE` ends it and keeps the session. `RETRY` is the end of a wait.
    The peer: `BOUND` says that the stream is ready, `TIMED_OUT` and `UNREACHABLE` that an attempt failed, `REFUSED`
    that the credentials are not accepted, `LOST` that a ready stream is gone, `FAILED` that one of the two sides found
    the other's stream wrong. `SESSION_ENDED` comes from either: the device session is over.
    """

    CONNECT = "connect"
    BOUND = "bound"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    LOST = "lost"
    FAILED = "failed"
    RETRY = "retry"
    SESSION_ENDED = "session_ended"
    CLOSE = "close"


FINAL = frozenset((ConnectionStatus.AUTHENTICATIONFAILED, ConnectionStatus.LOGOUT))
"""States that only the caller's next `CONNECT` leaves: nothing is tried again by itself."""

_TRYING = (ConnectionStatus.CONNECTING, ConnectionStatus.RECONNECTING)
_RESTING = (
    ConnectionStatus.DISCONNECTED,
    ConnectionStatus.CONNECTIONTIMEOUT,
    ConnectionStatus.CONNECTIONFAILED,
    ConnectionStatus.ERROROCCURED,
)
_OUTCOMES = {
    Trigger.BOUND: ConnectionStatus.CONNECTED,
    Trigger.TIMED_OUT: ConnectionStatus.CONNECTIONTIMEOUT,
    Trigger.UNREACHABLE: ConnectionStatus.CONNECTIONFAILED,
    Trigger.REFUSED: ConnectionStatus.AUTHENTICATIONFAILED,
    Trigger.FAILED: ConnectionStatus.ERROROCCURED,
    Trigger.SESSION_ENDED: ConnectionStatus.LOGOUT,
    Trigger.CLOSE: ConnectionStatus.DISCONNECTED,
}

TRANSITIONS: Mapping[tuple[ConnectionStatus, Trigger], ConnectionStatus] = {
    **{(state, trigger): target for state in _TRYING for trigger, target in _OUTCOMES.items()},
    **{
        (state, Trigger.CONNECT): ConnectionStatus.CONNECTING
        for state in (*_RESTING, *FINAL, ConnectionStatus.RECONNECTING)
    },
    **{(state, Trigger.RETRY): ConnectionStatus.RECONNECTING for state in _RESTING},
    **{(state, Trigger.SESSION_ENDED): ConnectionStatus.LOGOUT for state in _RESTING},
    **{(state, Trigger.CLOSE): ConnectionStatus.DISCONNECTED for state in _RESTING[1:]},
    (ConnectionStatus.CONNECTED, Trigger.LOST): ConnectionStatus.DISCONNECTED,
    (ConnectionStatus.CONNECTED, Trigger.FAILED): ConnectionStatus.ERROROCCURED,
    (ConnectionStatus.CONNECTED, Trigger.SESSION_ENDED): ConnectionStatus.LOGOUT,
    (ConnectionStatus.CONNECTED, Trigger.CLOSE): ConnectionStatus.DISCONNECTED,
}
"""Every change of state. A pair that is not here changes nothing: it is news that came too late to matter."""


def next_status(status: ConnectionStatus, trigger: Trigger) -> ConnectionStatus | None:
    """The state after a trigger, or `None` where it changes nothing."""
    return TRANSITIONS.get((status, trigger))
