"""The connection to a server, from the client's side, and bugs."""

from __future__ import annotations

from heliograph.errors.base import AUTH, CONFLICT, WAIT, HeliographError, PeerError, Row, UsageError


class AuthenticationFailed(UsageError):
    """The username or the password is wrong."""

    row = Row("authentication_failed", 401, "Authentication failed", AUTH)


class AlreadyConnected(UsageError):
    """The SDK is connected as another user."""

    row = Row("already_connected", 409, "Already connected as another user", CONFLICT)


class NotConnected(UsageError):
    """The call needs a connection, a registration or an initialised SDK first."""

    row = Row("not_connected", 409, "Connect first", CONFLICT)


class Unreachable(PeerError):
    """The server cannot be reached, or closed the connection."""

    row = PeerError.row


class TimedOut(PeerError):
    """The server did not answer in time."""

    row = Row("timeout", 504, "The server did not answer in time", WAIT, "temporary-auth-failure", is_retryable=True)


class InternalError(PeerError):
    """A bug on the server's side; `details.errorId` finds it in the logs."""

    row = HeliographError.row
