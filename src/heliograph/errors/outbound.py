"""Calls to servers of others."""

from __future__ import annotations

from heliograph.errors.base import WAIT, PeerError, Row, UsageError


class RemoteRefused(UsageError):
    """An address of another server was given that this node does not call: not public, not of the web, or malformed."""

    row = Row("remote_refused", 400, "This address is not called")


class RemoteFailed(PeerError):
    """Another server, at an address that was given, could not be reached or did not give what was asked for."""

    row = Row("remote_failed", 502, "The server at that address did not answer as it should", WAIT, is_retryable=True)
