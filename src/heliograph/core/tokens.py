"""Access and refresh tokens: opaque, bound to a session, kept as SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TokenKind(StrEnum):
    """An access token calls the API; a refresh token gets the next pair."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token at rest. `superseded_at` is set once a refresh token has been exchanged."""

    hash: bytes
    kind: TokenKind
    session_id: str
    expires_at: float
    superseded_at: float | None = None


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client gets: two opaque strings and the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int

    def __repr__(self) -> str:
        return "TokenPair(…)"
