"""The ports of what signs a session in. What `ports` says of stores holds here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from heliograph.core.accounts import Account
from heliograph.core.fast_tokens import FastSlots
from heliograph.core.sessions import Session
from heliograph.core.sign_ins import Owed, SignedIn, SigningIn
from heliograph.core.tokens import Chain, Rotation, TokenRecord


class TokenStore(Protocol):
    """Access and refresh tokens."""

    async def lookup(self, token_hash: bytes) -> tuple[Account, Session, TokenRecord] | None:
        """A token of a live session."""
        ...

    async def add(self, tokens: Sequence[TokenRecord]) -> None:
        """Store tokens of a live session; `TokenRevoked` where the session has ended meanwhile."""
        ...

    async def rotate(self, refresh_hash: bytes, decide: Callable[[Chain], Rotation]) -> None:
        """One atomic exchange of a refresh token of a live session; `TokenRevoked`, and whatever `decide` raises."""
        ...


class FastTokenStore(Protocol):
    """Tokens with which clients sign in again (XEP-0484)."""

    async def lookup(self, jid: str, client: str) -> tuple[Account, list[tuple[str, FastSlots]]] | None:
        """A client's slots in each live session of an account, by the session's id; `None` if it has none."""
        ...

    async def change(self, session_id: str, client: str, decide: Callable[[FastSlots], FastSlots]) -> FastSlots:
        """One atomic change of a client's slots, empty ones if it has none. `TokenRevoked` where the session has ended,
        and whatever `decide` raises. Of too many clients of a session those whose tokens end first lose them.
        """
        ...


class SignInStore(Protocol):
    """What signing in by XMPP takes."""

    async def by_password(self, jid: str) -> SigningIn | None:
        """The account of that bare JID, with the verifiers of its live sessions."""
        ...

    async def signed_in(self, session_id: str) -> SignedIn | None:
        """The account of a live session, and whom it blocks."""
        ...

    async def owed(self, account_id: int) -> Owed:
        """What waits for a user who comes online."""
        ...
