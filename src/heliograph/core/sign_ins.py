"""What the store knows of a client that signs in by XMPP, and of what waits for it; each is one look-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SessionVerifiers = tuple[str, bytes, bytes, bytes, bytes, bytes]
"""The id of a live session, then the fields of its `sessions.Verifiers`, in their order."""


@dataclass(slots=True)  # not frozen, as all that is made for each sign-in: that takes three times as long
class SigningIn:
    """The account of a user who has yet to show a password of it.

    Attributes:
        account_id: its number.
        salt, iterations: of all its passwords.
        is_blocked: whether an administrator blocks it.
        ends_at: when it counts as gone, in seconds since the epoch; `None` for never.
        has_blocks: whether it blocks anybody.
        verifiers: of its live sessions.
    """

    account_id: int
    salt: bytes = field(repr=False)
    iterations: int
    is_blocked: bool
    ends_at: float | None
    has_blocks: bool
    verifiers: Sequence[SessionVerifiers] = field(repr=False)

    def is_expired(self, now: float) -> bool:
        """Whether its time is over, even if the sweep has not deleted it yet."""
        return self.ends_at is not None and self.ends_at <= now


class SignedIn(NamedTuple):
    """The account of a live session, and whom it blocks, for a client that has just signed in."""

    account_id: int
    is_blocked: bool
    blocks: frozenset[str]


class Owed(NamedTuple):
    """What a client is owed when its user comes online: whether there is any of it, so that most need no look-up more.

    Attributes:
        has_picture: whether the profile has one, of which the presence may have to tell.
        has_ties: whether the user is tied to nodes of others.
        has_messages: whether messages wait.
        has_status: whether it is kept what the user said on going away, so that it is to be forgotten in the end.
    """

    has_picture: bool
    has_ties: bool
    has_messages: bool
    has_status: bool
