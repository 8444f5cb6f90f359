"""Access and refresh tokens."""

from __future__ import annotations

from heliograph.wire.envelope import Body, Request, Secretive


class TokenRequest(Secretive, Request, frozen=True, kw_only=True):
    """Sign in for tokens with the credentials of a device session."""

    username: str
    password: str


class RefreshRequest(Secretive, Request, frozen=True, kw_only=True):
    """Exchange a refresh token for the next pair of tokens. Each refresh token works once."""

    refresh_token: str


class Tokens(Secretive, Body, frozen=True, kw_only=True):
    """A pair of tokens; `expires_in` is the life of the access token in seconds."""

    token: str
    refresh_token: str
    expires_in: int


class RevokeRequest(Secretive, Request, frozen=True, kw_only=True):
    """An access or refresh token whose session has to end."""

    token: str
